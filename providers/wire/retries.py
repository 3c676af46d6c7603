"""How clients count their attempts, and how replies tell them when to come again: headers several providers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

from providers.base import Header

MAX_WAIT_MS = 10**12

_AWS_ATTEMPT = re.compile(rb"(?:^|;)\s*attempt=(\d{1,6})\s*(?=;|$)")
_IN_MS = (b"retry-after-ms", b"x-ms-retry-after-ms", b"x-amz-retry-after")


def client_attempt(fields: Mapping[bytes, bytes]) -> int | None:
    """Which attempt at its call a client says this request is, from 0; None when it does not say.

    Source: openai 3.52 and anthropic 2.11 `_base_client.py` (x-stainless-retry-count, from 0), botocore 1.44
    `retries/standard.py` and @smithy/middleware-retry (amz-sdk-request, from 1), read November 2026.
    """
    value = fields.get(b"x-stainless-retry-count")
    if value is not None:
        return int(value) if value.isdigit() and len(value) <= 6 else None
    value = fields.get(b"amz-sdk-request")
    if value is not None:
        found = _AWS_ATTEMPT.search(value)
        return max(0, int(found[1]) - 1) if found is not None else None
    return None


def told_wait_ms(headers: Iterable[Header], now: float) -> int | None:
    """How long a reply tells its client to wait, in milliseconds; None when it does not. Header names in any case.

    The finest of several headers counts. `now`: seconds since the epoch, for waits told as a date.
    """
    seconds: int | None = None
    for name, value in headers:
        lower = name.lower()
        if lower in _IN_MS:
            wait = _number(value)
            if wait is not None:
                return _clamped(wait)
        elif lower == b"retry-after":
            wait = _number(value)
            if wait is not None:
                seconds = _clamped(wait * 1000)
            else:
                try:
                    seconds = _clamped((parsedate_to_datetime(value.decode("latin-1")).timestamp() - now) * 1000)
                except (ValueError, OverflowError):
                    continue
    return seconds


def _clamped(wait_ms: float) -> int:
    return int(max(0.0, min(wait_ms, MAX_WAIT_MS)))


def _number(value: bytes) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None
