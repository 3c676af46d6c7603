"""Edits of Anthropic's messages, whole or event by event: refused, cut off, without content, with spoilt tool input.

The edits themselves work on parsed events, so that every framing can use them: Anthropic and Vertex AI send events as
server-sent ones (`SseEditor`), Bedrock as chunks of an event stream.

Source: anthropic-sdk-python 2.12.0 `types/message.py`, `types/refusal_stop_details.py` and
`lib/streaming/_messages.py`, read November 2026.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.halves import Halves
from providers.faults.replies.tool_arguments import BROKEN, cut, spoil
from providers.wire import sse
from providers.wire.json_body import mapping

JsonEvent = dict[str, Any]
_CONTENT = frozenset({"content_block_start", "content_block_delta", "content_block_stop"})
_TEXTS = ("text", "partial_json", "thinking", "signature")
"""Where the deltas hold their text."""


class MessageEdit(ABC):
    """One edit of one reply. `has_edited` says whether anything was changed so far."""

    def __init__(self) -> None:
        self.has_edited = False

    @abstractmethod
    def message(self, message: dict[str, Any]) -> None:
        """Edits a whole message in place, or leaves it as it is."""

    @abstractmethod
    def event(self, event: JsonEvent) -> Sequence[JsonEvent]:
        """What to send in the place of one event: the same object where nothing is to be changed."""


def message_edit(edit: Edit, text: str | None = None) -> MessageEdit:
    """`text`: the words of a refusal; None: none at all, as the genuine service does it."""
    if edit is Edit.REFUSAL:
        return _Replaced("refusal", text or "")
    if edit is Edit.EMPTY_CONTENT:
        return _Replaced("end_turn", "")
    if edit is Edit.LENGTH:
        return _CutOff()
    return _SpoiltInput()


class _Replaced(MessageEdit):
    """All content gives way to a text, or to nothing."""

    def __init__(self, stop_reason: str, text: str) -> None:
        super().__init__()
        self._text = text
        self._said = False
        self._tokens = 1 + len(text) // 4
        self._stop: dict[str, Any] = {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": None}
        if stop_reason == "refusal":
            self._stop["stop_details"] = {"type": "refusal", "category": None, "explanation": None}

    def message(self, message: dict[str, Any]) -> None:
        message["content"] = [{"type": "text", "text": self._text}] if self._text else []
        message.update(self._stop)
        _set_output_tokens(message, self._tokens)
        self.has_edited = True

    def event(self, event: JsonEvent) -> Sequence[JsonEvent]:
        kind = event.get("type")
        if kind in _CONTENT:
            self.has_edited = True
            return self._words()
        if kind != "message_delta":
            return (event,)
        self.has_edited = True
        event = event | {"delta": {**mapping(event, "delta"), **self._stop}}
        _set_output_tokens(event, self._tokens)
        return (*self._words(), event)

    def _words(self) -> Sequence[JsonEvent]:
        """The block that says the words, once."""
        if self._said or not self._text:
            return ()
        self._said = True
        return (
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": self._text}},
            {"type": "content_block_stop", "index": 0},
        )


class _CutOff(MessageEdit):
    """The first half of the content, as if `max_tokens` had been reached there."""

    def __init__(self) -> None:
        super().__init__()
        self._halves: Halves[JsonEvent] = Halves()
        self._sent = 0
        self._open: int | None = None  # the index of the block that was begun and not ended
        self._has_said = False  # a delta has been sent

    def message(self, message: dict[str, Any]) -> None:
        content = message.get("content")
        if not isinstance(content, list) or not content or not _halve(content):
            return
        message.update({"stop_reason": "max_tokens", "stop_sequence": None})
        _set_output_tokens(message, max(1, _output_tokens(message) // 2))
        self.has_edited = True

    def event(self, event: JsonEvent) -> Sequence[JsonEvent]:
        kind = event.get("type")
        if kind in _CONTENT:
            self.has_edited = True
            return [self._pass(one) for one in self._halves.add(event)]
        if kind != "message_delta" or not self._halves.count:
            return (event,)
        sent = self._ending()
        event = event | {
            "delta": {**mapping(event, "delta"), "stop_reason": "max_tokens", "stop_sequence": None},
        }
        _set_output_tokens(event, max(1, _output_tokens(event) * self._sent // self._halves.count))
        return (*sent, event)

    def _pass(self, event: JsonEvent) -> JsonEvent:
        self._sent += 1
        kind = event["type"]
        if kind == "content_block_start":
            self._open = event.get("index", 0)
        elif kind == "content_block_stop":
            self._open = None
        else:
            self._has_said = True
        return event

    def _ending(self) -> list[JsonEvent]:
        """What is still to be sent of a content that has come to its end: half a delta at least, and a closed
        block."""
        sent: list[JsonEvent] = []
        while not self._has_said and (event := self._halves.next()) is not None:
            sent.append(self._pass(event))
            delta = mapping(event, "delta")
            for name in _TEXTS:
                if isinstance(delta.get(name), str):
                    sent[-1] = event | {"delta": {**delta, name: delta[name][: len(delta[name]) // 2]}}
        if self._open is not None:
            sent.append({"type": "content_block_stop", "index": self._open})
        return sent


class _SpoiltInput(MessageEdit):
    """Tool uses whose input is not what the tool asked for. In a stream it is JSON that breaks off, which is how the
    SDKs meet it; a whole message needs an object, so there it has the wrong types."""

    def __init__(self) -> None:
        super().__init__()
        self._begun: dict[Any, bool] = {}  # open tool uses by index: whether their broken input was sent

    def message(self, message: dict[str, Any]) -> None:
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") == "tool_use":
                block["input"] = spoil(mapping(block, "input"))
                self.has_edited = True

    def event(self, event: JsonEvent) -> Sequence[JsonEvent]:
        kind, index = event.get("type"), event.get("index")
        if kind == "content_block_start":
            if mapping(event, "content_block").get("type") == "tool_use":
                self._begun[index] = False
        elif index in self._begun:
            if kind == "content_block_delta":
                return self._delta(event)
            if kind == "content_block_stop" and not self._begun.pop(index):
                return (_broken(index, BROKEN), event)
        return (event,)

    def _delta(self, event: JsonEvent) -> Sequence[JsonEvent]:
        said = mapping(event, "delta").get("partial_json")
        if not isinstance(said, str) or not said:
            return (event,)
        self.has_edited = True
        index = event["index"]
        if self._begun[index]:
            return ()
        self._begun[index] = True
        return (_broken(index, cut(said)),)


class SseEditor:
    """An edit of messages that come as JSON or as server-sent events: a ReplyEditor."""

    def __init__(self, edit: MessageEdit) -> None:
        self.has_edited = False
        self._edit = edit

    def whole(self, body: bytes) -> bytes | None:
        message = sse.Event("", body).json()
        if not isinstance(message, dict) or message.get("type") != "message":
            return None
        self._edit.message(message)
        self.has_edited = self._edit.has_edited
        return orjson.dumps(message) if self.has_edited else None

    def event(self, event: bytes) -> Sequence[bytes]:
        parsed = next(sse.events(event), None)
        body = parsed.json() if parsed is not None else None
        if not isinstance(body, dict):
            return (event,)
        sent = self._edit.event(body)
        self.has_edited = self._edit.has_edited
        if len(sent) == 1 and sent[0] is body:
            return (event,)
        return [sse.encode(orjson.dumps(one), str(one["type"])) for one in sent]

    def finish(self) -> Sequence[bytes]:
        return ()


def _broken(index: Any, text: str) -> JsonEvent:
    delta = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _halve(content: list[Any]) -> bool:
    """Keeps the first half of the text; without text, all but what the last block holds. Whether anything was cut."""
    blocks = [block if isinstance(block, dict) else {} for block in content]
    total = sum(len(block["text"]) for block in blocks if isinstance(block.get("text"), str))
    left = total // 2
    if not total:
        last = blocks[-1]
        if last.get("type") == "tool_use":
            last["input"] = {}
        elif isinstance(last.get("thinking"), str):
            last["thinking"] = last["thinking"][: len(last["thinking"]) // 2]
        else:
            return False
        return True
    for place, block in enumerate(blocks):
        if isinstance(block.get("text"), str):
            if len(block["text"]) >= left:
                block["text"] = block["text"][:left]
                del content[place + 1 :]
                break
            left -= len(block["text"])
    return True


def _output_tokens(holder: dict[str, Any]) -> int:
    tokens = mapping(holder, "usage").get("output_tokens")
    return tokens if type(tokens) is int else 1


def _set_output_tokens(holder: dict[str, Any], tokens: int) -> None:
    holder["usage"] = {**mapping(holder, "usage"), "output_tokens": tokens}
