"""Edits replies of OpenAI's Responses API, whole and streamed.

The first item that answers (a message, or a call of a tool of the client's) is the one that is edited; items before it,
reasoning say, stay, and none comes after it. Only arguments are spoilt in every call.

Source: openai-python 3.54.0 `types/responses/`, and a recorded stream of the API in a public repository, read November
2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.halves import Halves
from providers.faults.replies.openai_chunks import REFUSAL, cut_short, half, words
from providers.wire import sse

Item = dict[str, Any]
"""An item of `output`, or the data of an event."""

_ANSWERS = frozenset({"message", "function_call", "custom_tool_call"})
_TERMINALS = frozenset({"response.completed", "response.incomplete"})
_MEMBERS: Mapping[str, str] = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
}
_ITEM_MEMBERS: Mapping[str, str] = {"function_call": "arguments", "custom_tool_call": "input"}


class ResponsesEditor:
    """One reply's editor."""

    def __init__(self, edit: Edit, text: str | None = None) -> None:
        self.has_edited = False
        self._edit = edit
        self._text = text or REFUSAL
        self._number: int | None = None  # of the next event; None: they have no numbers
        self._place: int | None = None  # which item is edited, once it has begun
        self._item_id = ""
        self._pieces = words(self._text if edit is Edit.REFUSAL else "")
        self._halves: Halves[Item] = Halves()
        self._first: Item | None = None
        self._said = ""  # what was told of a text that is cut
        self._held: list[Item] = []  # the end of a call's arguments, as far as it has come
        self._arguments: dict[int, str] = {}  # what was told of each call's, by its place

    def whole(self, body: bytes) -> bytes | None:
        try:
            response = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        if not _has_output(response) or response.get("status") not in ("completed", "incomplete"):
            return None
        output = response["output"]
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            calls = [item for item in output if item.get("type") == "function_call"]
            for item in calls:
                item["arguments"] = cut_short(_text(item, "arguments"))
            if not calls:
                return None
        else:
            place = next((index for index, item in enumerate(output) if item.get("type") in _ANSWERS), len(output))
            said = half(_text_of(output[place])) if place < len(output) else ""
            self._finish_response(response, place, said)
        self.has_edited = True
        return orjson.dumps(response)

    def event(self, event: bytes) -> Sequence[bytes]:
        frames = list(sse.events(event))
        data = frames[0].object() if len(frames) == 1 else {}
        kind = data.get("type")
        if not isinstance(kind, str) or not kind.startswith("response."):
            return (event,)
        if kind in _TERMINALS and not _has_output(data.get("response")):
            return (event,)
        if self._number is None and isinstance(data.get("sequence_number"), int):
            self._number = data["sequence_number"]
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            changed = self._spoil(kind, data)
        elif self._edit is Edit.LENGTH:
            changed = self._shorten(kind, data)
        else:
            changed = self._replace(kind, data)
        if changed is None:
            return (self._passed(event, data),)
        self.has_edited = True
        return [self._written(each) for each in changed]

    def finish(self) -> Sequence[bytes]:
        return ()

    def _passed(self, event: bytes, data: Item) -> bytes:
        if self._number is not None and data.get("sequence_number") != self._number:
            return self._written(data)
        if self._number is not None:
            self._number += 1
        return event

    def _written(self, data: Item) -> bytes:
        if self._number is not None:
            data["sequence_number"] = self._number
            self._number += 1
        return sse.encode(orjson.dumps(data), data["type"])

    # Each of these gives the events in the place of one, None for itself.

    def _replace(self, kind: str, data: Item) -> list[Item] | None:
        """Another message in the place of the answer: a refusal, or one without content."""
        if kind in _TERMINALS:
            return self._end(data)
        index = data.get("output_index")
        if not isinstance(index, int):
            return None
        if self._place is None:
            item = data.get("item")
            if kind != "response.output_item.added" or not isinstance(item, dict) or item.get("type") not in _ANSWERS:
                return None
            return self._begin(index, _message_id(item))
        piece = next(self._pieces, None) if kind.endswith(".delta") else None
        return [] if piece is None else [self._told("response.refusal.delta", delta=piece)]

    def _begin(self, place: int, item_id: str) -> list[Item]:
        self._place, self._item_id = place, item_id
        item = _message(item_id, "in_progress", [])
        return [
            {"type": "response.output_item.added", "sequence_number": 0, "output_index": place, "item": item},
            self._told("response.content_part.added", part=self._part("")),
        ]

    def _end(self, data: Item) -> list[Item]:
        response = data["response"]
        output = response["output"]
        sent = []
        if self._place is None:
            sent = self._begin(len(output), f"msg_{str(response.get('id')).partition('_')[2]}")
        place = self._place or 0
        sent += [self._told("response.refusal.delta", delta=piece) for piece in self._pieces]
        part = self._part(self._text)
        if self._edit is Edit.REFUSAL:
            sent.append(self._told("response.refusal.done", refusal=self._text))
        else:
            sent.append(self._told("response.output_text.done", text="", logprobs=[]))
        sent.append(self._told("response.content_part.done", part=part))
        item = _message(self._item_id, "completed", [part])
        sent.append({"type": "response.output_item.done", "sequence_number": 0, "output_index": place, "item": item})
        self._finish_response(response, place, "")
        return [*sent, {**data, "type": "response.completed"}]

    def _told(self, kind: str, **members: Any) -> Item:
        """An event about the one part of the message."""
        place = {"item_id": self._item_id, "output_index": self._place, "content_index": 0}
        return {"type": kind, "sequence_number": 0, **place, **members}

    def _part(self, text: str) -> Item:
        if self._edit is Edit.REFUSAL:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}

    def _shorten(self, kind: str, data: Item) -> list[Item] | None:
        if kind in _TERMINALS:
            whole = data["response"]
            self._finish_response(whole, len(whole["output"]) if self._place is None else self._place, self._said)
            return [{**data, "type": "response.incomplete"}]
        index = data.get("output_index")
        if not isinstance(index, int):
            return None
        item = data.get("item")
        if self._place is None:
            if kind == "response.output_item.added" and isinstance(item, dict) and item.get("type") in _ANSWERS:
                self._place = index
            return None
        if index < self._place:
            return None
        if index > self._place or data.get("content_index", 0) != 0 or kind.endswith("annotation.added"):
            return []
        base, _, what = kind.rpartition(".")
        if base in _MEMBERS and what == "delta":
            if self._first is None:
                self._first = dict(data)
            return self._let(self._halves.add(data))
        if base in _MEMBERS:
            return self._close_text(data, _MEMBERS[base])
        if kind == "response.content_part.done" and isinstance(data.get("part"), dict):
            _say_part(data["part"], self._said)
        elif kind == "response.output_item.done" and isinstance(item, dict):
            _say(item, self._said)
        else:
            return None
        return [data]

    def _let(self, events: Sequence[Item]) -> list[Item]:
        for event in events:
            self._said += _text(event, "delta")
        return list(events)

    def _close_text(self, data: Item, member: str) -> list[Item]:
        sent = []
        if self._first is None:  # it came without deltas
            self._said = half(_text(data, member))
        elif self._halves.count == 1:
            first = {**self._first, "delta": half(_text(self._first, "delta"))}
            first.pop("obfuscation", None)
            sent = self._let([first])
        data[member] = self._said
        if "logprobs" in data:
            data["logprobs"] = []
        return [*sent, data]

    def _spoil(self, kind: str, data: Item) -> list[Item] | None:
        """Holds the end of the arguments of a call back until it is known to be the end, and cuts it then."""
        if kind in _TERMINALS:
            calls = [
                (place, item)
                for place, item in enumerate(data["response"]["output"])
                if item.get("type") == "function_call"
            ]
            for place, item in calls:
                item["arguments"] = self._arguments.get(place) or cut_short(_text(item, "arguments"))
            return [data] if calls else None
        index = data.get("output_index")
        if not isinstance(index, int):
            return None
        if kind == "response.function_call_arguments.delta":
            if not _text(data, "delta").strip():
                self._held.append(data)
                return []
            passed, self._held = self._held, [data]
            return self._tell(index, passed)
        if kind == "response.function_call_arguments.done":
            cut = [{**self._held[0], "delta": half(_text(self._held[0], "delta").rstrip())}] if self._held else []
            self._held = []
            for event in cut:
                event.pop("obfuscation", None)
            sent = self._tell(index, cut)
            told = self._arguments.get(index) or cut_short(_text(data, "arguments"))
            data["arguments"] = self._arguments[index] = told
            return [*sent, data]
        item = data.get("item")
        if kind == "response.output_item.done" and isinstance(item, dict) and item.get("type") == "function_call":
            item["arguments"] = self._arguments.get(index) or cut_short(_text(item, "arguments"))
            return [data]
        return None

    def _tell(self, index: int, events: list[Item]) -> list[Item]:
        for event in events:
            self._arguments[index] = self._arguments.get(index, "") + _text(event, "delta")
        return events

    def _finish_response(self, response: Item, place: int, said: str) -> None:
        """Changes the response object; `said`: what is left of a text that is cut."""
        output = response["output"]
        answer = output[place] if place < len(output) else None
        if self._edit is Edit.LENGTH:
            if answer is not None:
                _say(answer, said)
            response["output"] = output[: place + 1]
            response["status"] = "incomplete"
            response["incomplete_details"] = {"reason": "max_output_tokens"}
            if "completed_at" in response:
                response["completed_at"] = None
            return
        tail = str(response.get("id")).partition("_")[2]
        item_id = self._item_id or (_message_id(answer) if answer is not None else f"msg_{tail}")
        response["output"] = [*output[:place], _message(item_id, "completed", [self._part(self._text)])]
        response["status"] = "completed"
        response["incomplete_details"] = None


def _has_output(response: Any) -> bool:
    output = response.get("output") if isinstance(response, dict) else None
    return isinstance(output, list) and all(isinstance(item, dict) for item in output)


def _text(data: Item, member: str) -> str:
    value = data.get(member)
    return value if isinstance(value, str) else ""


def _message(item_id: str, status: str, content: list[Item]) -> Item:
    return {"id": item_id, "type": "message", "status": status, "content": content, "role": "assistant"}


def _message_id(item: Item) -> str:
    """The id of the message in the place of an item."""
    given = str(item.get("id") or "")
    return given if item.get("type") == "message" else f"msg_{given.partition('_')[2]}"


def _text_of(item: Item) -> str:
    member = _ITEM_MEMBERS.get(item["type"])
    if member is not None:
        return _text(item, member)
    part: Item = next(iter(item.get("content") or ()), {})
    return _text(part, "text") or _text(part, "refusal")


def _say(item: Item, said: str) -> None:
    """Makes an item one that was cut after `said`."""
    item["status"] = "incomplete"
    member = _ITEM_MEMBERS.get(item["type"])
    if member is not None:
        item[member] = said
        return
    item["content"] = (item.get("content") or [])[:1]
    for part in item["content"]:
        _say_part(part, said)


def _say_part(part: Item, said: str) -> None:
    if part.get("type") == "refusal":
        part["refusal"] = said
        return
    part["text"] = said
    for name in ("annotations", "logprobs"):
        if part.get(name):
            part[name] = []
