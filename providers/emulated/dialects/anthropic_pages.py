"""Lists of stored objects, page by page, as Anthropic gives them out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_errors import ErrorShape

_PAGE = "page_"
_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(slots=True)
class Page:
    """Which part of a list is asked for. `after`, `before`: ids of objects, "" if not given."""

    limit: int
    after: str = ""
    before: str = ""


def read_query(query: bytes) -> dict[str, list[str]]:
    """The parameters of a raw query, `ids[]` read as `ids`."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        found.setdefault(name.removesuffix("[]"), []).append(value)
    return found


def read_page(query: Mapping[str, Sequence[str]], shape: ErrorShape) -> Page:
    given = query.get("limit", ["20"])[-1]
    if not _WHOLE.fullmatch(given):
        raise fields.invalid(shape, "limit: Input should be a valid integer, unable to parse string as an integer")
    limit = int(given)
    if limit < 1:
        raise fields.invalid(shape, "limit: Input should be greater than or equal to 1")
    if limit > 1000:
        raise fields.invalid(shape, "limit: Input should be less than or equal to 1000")
    after, before = query.get("after_id", [""])[-1], query.get("before_id", [""])[-1]
    if after and before:
        raise fields.invalid(shape, "Only one of before_id and after_id may be provided")
    token = query.get("page", [""])[-1]
    if token and not token.startswith(_PAGE):
        raise fields.invalid(shape, "page: Invalid page token")
    return Page(limit, after or token.removeprefix(_PAGE), before)


def page_reply(objects: Sequence[Mapping[str, Any]], page: Page) -> dict[str, Any]:
    """The part of the list; `objects` in the order of the list. Pages before an object end next to it."""
    ids = [each["id"] for each in objects]
    if page.before:
        end = ids.index(page.before) if page.before in ids else 0
        start = max(0, end - page.limit)
        has_more = start > 0
    else:
        start = (ids.index(page.after) + 1 if page.after in ids else len(ids)) if page.after else 0
        end = min(len(ids), start + page.limit)
        has_more = end < len(ids)
    return {
        "data": list(objects[start:end]),
        "has_more": has_more,
        "first_id": ids[start] if start < end else None,
        "last_id": ids[end - 1] if start < end else None,
    }


def next_page(reply: Mapping[str, Any]) -> str | None:
    """The token of the page after this one, for lists that are turned by token."""
    return f"{_PAGE}{reply['last_id']}" if reply["has_more"] else None
