"""OpenAI's conversations: containers of items that responses are asked for and add to.

Source: openai-python 3.54.0 `resources/conversations/` and `types/conversations/`, read November 2026.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_checks import array, check_length, check_members, metadata, require
from providers.emulated.dialects.openai_errors import Invalid, Shape, read_object
from providers.emulated.dialects.openai_responses_input import InputReader, Item, listed_items
from providers.emulated.dialects.openai_responses_output import Ids, dump
from providers.emulated.dialects.openai_responses_state import (
    StoredConversation,
    find_item,
    keep_conversation,
    list_of,
    page_of,
    path_ids,
    remove_conversation,
    require_conversation,
)

_CHECKS = {"metadata": metadata, "items": array("an array of input items")}
_MOST_ITEMS = 20


def _create(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    body = read_object(request.body) if request.body else {}
    check_members(body, _CHECKS, is_lenient=shape.is_lenient)
    ids = _new_ids(desk)
    made = StoredConversation(
        ids.response().replace("resp", "conv", 1), int(request.now), body.get("metadata") or {}
    )  # fmt: skip
    reply = EmulatedReply(200, shape.headers(request), dump(made.shown()))
    keep_conversation(desk, made, _read_items(body, ids, desk), len(request.body) * 3)
    return reply


def _retrieve(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    found = require_conversation(desk, path_ids(request, b"conversations")[0])
    return EmulatedReply(200, shape.headers(request), dump(found.shown()))


def _update(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    found = require_conversation(desk, path_ids(request, b"conversations")[0])
    body = read_object(request.body)
    require(body, "metadata")
    check_members(body, {"metadata": metadata}, is_lenient=shape.is_lenient)
    found.metadata = body["metadata"] or {}
    return EmulatedReply(200, shape.headers(request), dump(found.shown()))


def _delete(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    given = path_ids(request, b"conversations")[0]
    require_conversation(desk, given)
    remove_conversation(desk, given)
    shown = {"id": given, "object": "conversation.deleted", "deleted": True}
    return EmulatedReply(200, shape.headers(request), dump(shown))


def _create_items(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    found = require_conversation(desk, path_ids(request, b"conversations")[0])
    body = read_object(request.body)
    require(body, "items")
    check_members(body, _CHECKS, is_lenient=shape.is_lenient)
    items = _read_items(body, _new_ids(desk, found.id), desk)
    reply = EmulatedReply(200, shape.headers(request), dump(list_of(items)))
    keep_conversation(desk, found, items, len(request.body) * 3)
    return reply


def _list_items(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    found = require_conversation(desk, path_ids(request, b"conversations")[0])
    return EmulatedReply(200, shape.headers(request), dump(page_of(request, list(found.items.values()))))


def _retrieve_item(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    found, item_id = _place(request, desk)
    return EmulatedReply(200, shape.headers(request), dump(found.items[item_id]))


def _delete_item(request: EmulatedRequest, desk: Desk, shape: Shape) -> EmulatedReply:
    found, item_id = _place(request, desk)
    del found.items[item_id]
    return EmulatedReply(200, shape.headers(request), dump(found.shown()))


def _place(request: EmulatedRequest, desk: Desk) -> tuple[StoredConversation, str]:
    given, _, item_id = path_ids(request, b"conversations")
    found = require_conversation(desk, given)
    if item_id not in found.items:
        raise Invalid(f"Item with id '{item_id}' not found in conversation with id '{given}'.", status=404)
    return found, item_id


def _read_items(body: Mapping[str, Any], ids: Ids, desk: Desk) -> list[Item]:
    given = body.get("items") or []
    check_length(given, "items", None, _MOST_ITEMS)
    reader = InputReader(lambda item_id: find_item(desk, item_id))
    reader.read(given)
    return listed_items(reader.resolve(given), ids.given)


def _new_ids(desk: Desk, conversation: str | None = None) -> Ids:
    """Ids that were never given before; with the end of those of a conversation that is there already."""
    number = desk.shelf.next_number()
    made = hashlib.sha256(b"conversation %d" % number).digest()
    return Ids(made if conversation is None else made[:16] + bytes.fromhex(conversation[-16:]) + made[24:])


CONVERSATION_HANDLERS: Mapping[str, Callable[[EmulatedRequest, Desk, Shape], EmulatedReply]] = {
    "conversations.create": _create,
    "conversations.retrieve": _retrieve,
    "conversations.update": _update,
    "conversations.delete": _delete,
    "conversations.items.create": _create_items,
    "conversations.items.list": _list_items,
    "conversations.items.retrieve": _retrieve_item,
    "conversations.items.delete": _delete_item,
}
