"""What OpenAI's Responses API keeps: responses and conversations, found by ids, and the pages of their items.

Source: openai-python 3.54.0 `resources/responses/`, `resources/conversations/`, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from providers.emulated.answer import Answer
from providers.emulated.base import EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import Invalid, wrong_type
from providers.emulated.dialects.openai_responses_input import Item, listed_items, wrong_prefix
from providers.emulated.dialects.openai_responses_output import Ids, tail_of
from providers.emulated.question import Turn

_RESPONSE = "openai.response"
_CONVERSATION = "openai.conversation"


@dataclass(slots=True)
class StoredResponse:
    """One response. `turns`: the whole conversation up to and including it; `given`: its own input, resolved.

    `earlier`: items of the conversation it was made in. `is_pending`: made in the background, and not asked for since.
    """

    response: dict[str, Any]
    answer: Answer
    turns: list[Turn]
    given: str | Sequence[Any]
    previous: StoredResponse | None
    earlier: list[Item]
    size_bytes: int
    is_pending: bool = False

    def own_items(self) -> list[Item]:
        """The items of its request."""
        return listed_items(self.given, Ids(self.answer.digest).given)

    def input_items(self) -> list[Item]:
        """All items it was made from, oldest first: of its conversation, of the responses before it, its own."""
        chain = []
        link: StoredResponse | None = self
        while link is not None:
            chain.append(link)
            link = link.previous
        items = list(chain[-1].earlier)
        for link in reversed(chain):
            items += link.own_items()
            if link is not self:
                items += link.response["output"]
        return items


@dataclass(slots=True)
class StoredConversation:
    """One conversation; its items by their ids, oldest first."""

    id: str
    created_at: int
    metadata: Any
    items: dict[str, Item] = field(default_factory=dict)
    size_bytes: int = 512

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata,
        }


def keep_response(desk: Desk, stored: StoredResponse) -> None:
    desk.shelf.put(_RESPONSE, tail_of(stored.response["id"]), stored, stored.size_bytes)


def find_response(desk: Desk, given: str) -> StoredResponse | None:
    found: StoredResponse | None = desk.shelf.get(_RESPONSE, tail_of(given))
    return found if found is not None and found.response["id"] == given else None


def require_response(desk: Desk, given: str) -> StoredResponse:
    """Raises Invalid."""
    if not given.startswith("resp"):
        raise wrong_prefix("response_id", given, "resp")
    found = find_response(desk, given)
    if found is None:
        raise Invalid(f"Response with id '{given}' not found.", status=404)
    return found


def remove_response(desk: Desk, given: str) -> None:
    desk.shelf.remove(_RESPONSE, tail_of(given))


def keep_conversation(desk: Desk, conversation: StoredConversation, items: Sequence[Item] = (), size: int = 0) -> None:
    """Keeps a conversation, `items` added to it, which are `size` bytes long."""
    for item in items:
        conversation.items[item["id"]] = item
    conversation.size_bytes += size
    desk.shelf.put(_CONVERSATION, tail_of(conversation.id), conversation, conversation.size_bytes)


def require_conversation(desk: Desk, given: str) -> StoredConversation:
    """Raises Invalid."""
    found: StoredConversation | None = desk.shelf.get(_CONVERSATION, tail_of(given))
    if found is None or found.id != given:
        raise Invalid(f"Conversation with id '{given}' not found.", status=404)
    return found


def remove_conversation(desk: Desk, given: str) -> None:
    desk.shelf.remove(_CONVERSATION, tail_of(given))


def find_item(desk: Desk, given: str) -> Item | None:
    """A stored item: given to or made by a response, or put into a conversation."""
    tail = tail_of(given)
    response: StoredResponse | None = desk.shelf.get(_RESPONSE, tail)
    if response is not None:
        for item in response.response["output"]:
            if item["id"] == given:
                return item  # type: ignore[no-any-return]
        return next((item for item in response.own_items() if item["id"] == given), None)
    conversation: StoredConversation | None = desk.shelf.get(_CONVERSATION, tail)
    return None if conversation is None else conversation.items.get(given)


def path_ids(request: EmulatedRequest, collection: bytes) -> list[str]:
    """The ids in a path: of the collection's object, then of what lies below it; decoded.

    `/v1/conversations/conv_1/items/msg_2` holds "conv_1", "items" and "msg_2" for `conversations`.
    """
    segments = request.call.path.split(b"/")
    below = segments[segments.index(collection) + 1 :]
    return [unquote_to_bytes(segment).decode("utf-8", "replace") for segment in below]


def read_query(request: EmulatedRequest) -> dict[str, str]:
    """The parameters of a query; of several with one name, the last."""
    return dict(parse_qsl(request.query.decode("utf-8", "replace"), keep_blank_values=True))


def read_number(query: Mapping[str, str], name: str, default: int, minimum: int, maximum: int) -> int:
    """A whole number in a query. Raises Invalid."""
    given = query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise wrong_type(name, "an integer", given)
    value = int(given)
    if minimum <= value <= maximum:
        return value
    kind, sign, bound = ("above_max", "<=", maximum) if value > maximum else ("below_min", ">=", minimum)
    raise Invalid(
        f"Invalid '{name}': integer {kind.split('_')[0]} {'maximum' if value > maximum else 'minimum'} value. "
        f"Expected a value {sign} {bound}, but got {value} instead.",
        name,
        f"integer_{kind}_value",
    )


def page_of(request: EmulatedRequest, items: Sequence[Item]) -> dict[str, Any]:
    """One page of items that are given oldest first, as the query wants it. Raises Invalid."""
    query = read_query(request)
    limit = read_number(query, "limit", 20, 1, 100)
    order = query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise Invalid(f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value")
    listed = list(items) if order == "asc" else list(reversed(items))
    after = query.get("after")
    if after:
        places = [index for index, item in enumerate(listed) if item["id"] == after]
        if not places:
            raise Invalid(f"Item with id '{after}' not found.", "after", status=404)
        listed = listed[places[0] + 1 :]
    return list_of(listed[:limit], has_more=len(listed) > limit)


def list_of(items: Sequence[Item], *, has_more: bool = False) -> dict[str, Any]:
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }
