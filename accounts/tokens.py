"""API tokens as texts: how they look, how they are made, and what is stored of them."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "rdk_"
SECRET_BYTES = 32
HINT_LENGTH = 12  # of the text: the prefix and eight characters, 48 of the 256 random bits


def token_make() -> str:
    """A new token: `rdk_` and 32 random bytes in base64url, without padding."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def token_digest(token: str) -> str:
    """What is stored in its place, in hexadecimal. A plain hash will do: nobody can go through 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_hint(token: str) -> str:
    """Its beginning, to tell one's tokens apart by."""
    return token[:HINT_LENGTH]
