"""Lists of stored objects in OpenAI's dialect: a page at a time, by cursor.

Source: openai-python 3.54.0 `pagination.py`, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.openai_checks import integer, one_of
from providers.emulated.dialects.openai_errors import Invalid

_ORDER = one_of("asc", "desc")


def query_of(request: EmulatedRequest) -> dict[str, str]:
    """The parameters of the query, the last of each name."""
    return dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True, errors="replace"))


def page(
    items: Sequence[Mapping[str, Any]], query: Mapping[str, str], *, usual_limit: int, most: int, order: str = "desc"
) -> dict[str, Any]:
    """The page that `limit`, `order` and `after` ask for. `items`: oldest first, each with an `id`. Raises Invalid."""
    order = query.get("order") or order
    _ORDER(order, "order")
    limit = usual_limit
    asked = query.get("limit")
    if asked:
        if not asked.lstrip("-").isascii() or not asked.lstrip("-").isdigit() or len(asked) > 18:
            raise Invalid(
                "Invalid type for 'limit': expected an integer, but got a string instead.", "limit", "invalid_type"
            )
        limit = int(asked)
        integer(1, most)(limit, "limit")
    ordered = list(items) if order == "asc" else list(reversed(items))
    after = query.get("after")
    if after:
        places = [place for place, item in enumerate(ordered) if item["id"] == after]
        if not places:
            raise Invalid(f"Could not find the object '{after}' to go on after.", "after")
        ordered = ordered[places[0] + 1 :]
    data = ordered[:limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(ordered) > limit,
    }


def object_id(request: EmulatedRequest, segment: int) -> str:
    """The id in the path; `segment` counts from the end, 0 is the last one."""
    return request.call.path.split(b"/")[-1 - segment].decode("latin-1")
