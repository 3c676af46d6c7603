"""Knows a credential again without keeping it: a keyed hash that means nothing outside this process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_ACCESS_KEY = re.compile(rb"Credential=([^/,\s]+)", re.IGNORECASE)
_QUERY_KEY = re.compile(rb"(?:^|&)(?:key|X-Amz-Credential)=([^&/%]+)")
# Source: providers/*.py `credentials` and the SDKs of the five providers; `x-aws-access-key` is what a request brings
# to have it signed here.
_HEADERS = (b"x-aws-access-key", b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")


def credential_hash(fields: Mapping[bytes, bytes], query: bytes, secret: bytes) -> bytes:
    """A hash of the credential a request brings, b"" if it brings none. `fields`: lower-case names.

    Of a signature by AWS's rules only the access key counts: the rest changes with every request. A key is the same
    with and without `Bearer` before it. `secret`: up to 64 bytes.
    """
    value = b""
    for name in _HEADERS:
        found = fields.get(name)
        if found:
            value = found
            break
    else:
        if query:
            match = _QUERY_KEY.search(query)
            if match is not None:
                value = match[1]
    if not value:
        return b""
    if value.startswith(b"AWS4-"):
        match = _ACCESS_KEY.search(value)
        if match is not None:
            value = match[1]
    elif value[:7].lower() == b"bearer ":
        value = value[7:].strip()
    return hashlib.blake2b(value, digest_size=16, key=secret).digest()
