"""Message threads: conversations that Anthropic holds between turns, so that a client sends only what is new.

Source: anthropic-sdk-python 2.12.0 `lib/threads/` and `types/thread_*_error.py`, read November 2026. The genuine
service lets a reply be continued once; here ids stand for contents, so a reply may be continued as often as it was
given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.shelf import Shelf

_KIND = "anthropic thread"
_FIXED = ("system", "tools")  # members that are sent with the first turn only


@dataclass(slots=True)
class _Thread:
    """A conversation up to a reply. `fixed`: its system prompt and tools, as they were sent."""

    fixed: dict[str, Any]
    messages: list[Any]


def resume_thread(body: Mapping[str, Any], *, shelf: Shelf, shape: ErrorShape) -> dict[str, Any]:
    """The body as it would be without a thread: the whole conversation in it."""
    thread = fields.mapping(shape, body["thread"], "thread")
    kind = fields.tag(shape, thread, "thread", ("continue", "create"))
    whole = {name: value for name, value in body.items() if name != "thread"}
    if kind == "create":
        return whole
    place = "thread.continue."
    reply_id = fields.text(
        shape, fields.required(shape, thread, "previous_message_id", place), f"{place}previous_message_id"
    )
    held = shelf.get(_KIND, reply_id)
    if not isinstance(held, _Thread):
        raise shape.refuse(
            404,
            f"No usable thread state was found for previous_message_id {reply_id}. Replay the full conversation with "
            '`thread: {"type": "create"}`.',
            details={"error_code": "thread_not_found"},
        )
    changed = [name for name in _FIXED if name in whole and whole[name] != held.fixed.get(name)]
    if changed:
        raise shape.refuse(
            400,
            f"These fields must stay the same across a thread's turns: {', '.join(changed)}",
            details={"error_code": "thread_fingerprint_mismatch"},
        )
    messages = fields.sequence(shape, fields.required(shape, body, "messages", ""), "messages")
    return {**whole, **held.fixed, "messages": [*held.messages, *messages]}


def keep_thread(
    whole: Mapping[str, Any], reply_id: str, content: list[dict[str, Any]], *, shelf: Shelf, size_bytes: int
) -> None:
    """Remembers the conversation `whole` and the reply to it, to be continued. `size_bytes`: about what it takes."""
    fixed = {name: whole[name] for name in _FIXED if name in whole}
    messages = [*whole["messages"]]
    if content:
        messages.append({"role": "assistant", "content": content})
    shelf.put(_KIND, reply_id, _Thread(fixed, messages), size_bytes)
