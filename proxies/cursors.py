"""Cursors: where a list goes on, as an opaque text."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from proxies.errors import Invalid

MAX_PAGE = 200
MAX_CURSOR = 1000  # a name has 100 characters, each at most 6 bytes of UTF-8 once its case is folded


def write_cursor(order: str, *place: str | int) -> str:
    """The place after an entry in a list of that order: its sort key, its id."""
    text = json.dumps([order, *place], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, order: str, *kinds: type) -> tuple[Any, ...] | None:
    """The place, as `write_cursor` was given it; None for an empty cursor. Raises Invalid for one that is not ours, or
    of another order."""
    if not cursor:
        return None
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if (
        not isinstance(found, list)
        or not found
        or found[0] != order
        or [type(part) for part in found[1:]] != list(kinds)
    ):
        raise Invalid(fields={"cursor": "Take it from `next_cursor` of a reply to the same question."})
    return tuple(found[1:])
