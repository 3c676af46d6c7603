"""Edits InvokeModel replies, whole or as the `chunk` frames around a model's own events: finds the model's dialect by
what a reply looks like, for its id may be the name of anything.

Claude speaks Anthropic's messages and many others speak OpenAI's chat completions: those edits are the vendors' own.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.faults.base import Edit, ReplyEditor
from providers.faults.replies.anthropic_messages import message_edit
from providers.faults.replies.bedrock_converse import edit_message, read_frame
from providers.faults.replies.bedrock_events import MESSAGE_EVENTS, Edits, Event, edits
from providers.faults.replies.bedrock_texts import TextEdits, edit_text, text_family
from providers.faults.replies.openai_chat import ChatEditor
from providers.wire import event_stream
from providers.wire.json_body import mapping, parse

_METRICS = "amazon-bedrock-invocationMetrics"


def ends_stream(payload: Mapping[str, Any]) -> bool:
    """Whether the object of a `chunk` frame wraps the event that a stream ends with: that has the metrics in it."""
    event = _unwrapped(payload)
    return event is not None and (_METRICS in event or event.get("type") == "message_stop")


class _Messages(Edits):
    """Claude's events, edited as Anthropic's own."""

    def __init__(self, edit: Edit, text: str | None) -> None:
        self._edit = message_edit(edit, text)
        self._holds_back = edit is Edit.LENGTH
        self._kept: dict[int, Event] = {}  # by the identity of its object: what may be sent later, as it came

    def event(self, event: Event) -> Sequence[Event]:
        own = event.payload
        self._kept[id(own)] = event
        sent = self._edit.event(own)
        made = [self._kept.get(id(one)) or Event("", one) for one in sent]
        for one in sent if self._holds_back else (own,):
            self._kept.pop(id(one), None)
        self.has_edited = self._edit.has_edited
        return made


class InvokeEditor:
    """Edits one reply of InvokeModel or InvokeModelWithResponseStream."""

    def __init__(self, edit: Edit, text: str | None) -> None:
        self.has_edited = False
        self._edit = edit
        self._text = text
        self._edits: Edits | None = None  # once the stream's dialect is known: either this ...
        self._chat: ReplyEditor | None = None  # ... or this
        self._kept: dict[bytes, deque[bytes]] = {}  # frames by what the latter was told of them

    def whole(self, body: bytes) -> bytes | None:
        reply = parse(body)
        if not isinstance(reply, dict):
            return None
        if _is_chat(reply):
            made = ChatEditor(self._edit, self._text).whole(body)
            self.has_edited = made is not None
            return made
        if _is_claude(reply):
            messages = message_edit(self._edit, self._text)
            messages.message(reply)
            self.has_edited = messages.has_edited
        elif (family := text_family(reply)) is not None:
            self.has_edited = edit_text(family, reply, self._edit, self._text)
        else:  # Nova's, or something without words
            self.has_edited = edit_message(reply, self._edit, self._text)
        return orjson.dumps(reply) if self.has_edited else None

    def event(self, event: bytes) -> Sequence[bytes]:
        name, payload = read_frame(event) or ("", {})
        own = _unwrapped(payload) if name == "chunk" else None
        if own is None:
            return [event]
        if self._edits is None and self._chat is None:
            self._learn(own)
        if self._chat is not None:
            return self._chat_event(self._chat, own, event)
        if self._edits is None:
            return [event]
        kind = next((member for member in own if member in MESSAGE_EVENTS), "")  # Nova's
        read = own[kind] if kind else own
        if not isinstance(read, dict):
            return [event]
        made = self._edits.event(Event(kind, read, event))
        self.has_edited = self._edits.has_edited
        if not kind:
            return [_chunk(one.payload, one) for one in made]
        besides = {member: value for member, value in own.items() if member != kind}
        return [_chunk({one.name: one.payload} | (besides if one.frame is event else {}), one) for one in made]

    def finish(self) -> Sequence[bytes]:
        return [] if self._chat is None else self._chat_frames(self._chat.finish())

    def _learn(self, own: Mapping[str, Any]) -> None:
        """Takes the editor for the dialect of a stream by one of its events; anything unknown passes."""
        if _is_chat(own):
            self._chat = ChatEditor(self._edit, self._text)
        elif _is_claude(own):
            self._edits = _Messages(self._edit, self._text)
        elif any(member in MESSAGE_EVENTS for member in own):
            self._edits = edits(self._edit, self._text)
        elif text_family(own) is not None:
            self._edits = TextEdits(self._edit, self._text)

    def _chat_event(self, chat: ReplyEditor, own: Mapping[str, Any], event: bytes) -> list[bytes]:
        """OpenAI's editor reads server-sent events: a frame is told to it as one. What it holds back it gives out as it
        was told, and the client as it came."""
        told = b"data: %b\n\n" % orjson.dumps(own)
        self._kept.setdefault(told, deque()).append(event)
        frames = self._chat_frames(chat.event(told))
        if self._edit in (Edit.REFUSAL, Edit.EMPTY_CONTENT):  # these hold nothing back
            self._kept.clear()
        self.has_edited = chat.has_edited
        return frames

    def _chat_frames(self, sent: Sequence[bytes]) -> list[bytes]:
        frames = []
        for one in sent:
            kept = self._kept.get(one)
            if kept is None:
                frames += [_frame(data) for data in _data(one)]
                continue
            frames.append(kept.popleft())
            if not kept:
                del self._kept[one]
        return frames


def _is_chat(reply: Mapping[str, Any]) -> bool:
    """Whether a reply or one of its events is a chat completion."""
    choices = reply.get("choices")
    if not isinstance(choices, list):
        return False
    is_named = str(reply.get("object", "")).startswith("chat.completion")
    return is_named or (bool(choices) and "delta" in mapping(choices[0]))


def _is_claude(reply: Mapping[str, Any]) -> bool:
    """Whether a reply is one of Claude's messages, or an event of one."""
    kind = reply.get("type")
    return kind in _CLAUDE_EVENTS or (kind == "message" and "role" in reply)


_CLAUDE_EVENTS = frozenset(
    {
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop",
    }
)  # fmt: skip


def _unwrapped(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """The model's own event in the object of a `chunk` frame."""
    encoded = payload.get("bytes")
    try:
        event = parse(b64decode(encoded, validate=True)) if isinstance(encoded, str) else None
    except (Base64Error, ValueError):
        return None
    return event if isinstance(event, dict) else None


def _chunk(own: Mapping[str, Any], made: Event) -> bytes:
    return _frame(orjson.dumps(own)) if made.frame is None or made.is_edited else made.frame


def _frame(data: bytes) -> bytes:
    """A model's own event in a frame of its own."""
    return event_stream.build_event("chunk", orjson.dumps({"bytes": b64encode(data).decode(), "p": "abcdefgh"}))


def _data(sent: bytes) -> list[bytes]:
    """The JSON of the server-sent events in some bytes; an end mark, which frames have no need of, is left out."""
    lines = sent.splitlines()
    found = [line[5:].strip() for line in lines if line.startswith(b"data:")]
    return [data for data in found if data.startswith(b"{")]
