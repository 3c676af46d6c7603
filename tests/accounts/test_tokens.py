"""How API tokens look, and what is stored of them."""

from __future__ import annotations

import re

from accounts.tokens import token_digest, token_hint, token_make


def test_a_token_is_long_random_and_knows_what_it_is() -> None:
    made = {token_make() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"rdk_[A-Za-z0-9_-]{43}", token) for token in made)


def test_what_is_stored_tells_tokens_apart_and_leads_to_none() -> None:
    token = token_make()
    assert re.fullmatch(r"[0-9a-f]{64}", token_digest(token))
    assert token_digest(token) != token_digest(token_make())
    assert token_digest("rdk_\ud800") != token_digest("rdk_?")
    assert token_hint(token) == token[:12]
