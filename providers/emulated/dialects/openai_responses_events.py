"""The event stream of OpenAI's Responses API: the frames of one response.

    created, in_progress, then for each output item
        output_item.added, its parts and their deltas, output_item.done
    and completed or incomplete

Source: openai-python 3.54.0 `types/responses/response_stream_event.py`, and a recorded stream of the API in a public
repository, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from providers.emulated import tokens
from providers.emulated.answer import Answer, alphanumeric
from providers.emulated.base import Frame
from providers.emulated.dialects.openai_responses_output import dump, unfinished

_PADDED_TO = 16


class EventWriter:
    """Frames of one stream, numbered from 0. `is_padded`: deltas carry `obfuscation`, which hides how long they are."""

    def __init__(self, answer: Answer, *, is_padded: bool) -> None:
        self.frames: list[Frame] = []
        self._answer = answer
        self._noise = alphanumeric(answer.digest, "obfuscation", 42) if is_padded else ""

    def response(self, name: str, response: bytes) -> None:
        """An event about the whole response, which is given as JSON."""
        self.frames.append(Frame(
            b'event: response.%b\ndata: {"type":"response.%b","sequence_number":%d,"response":%b}\n\n'
            % (name.encode(), name.encode(), len(self.frames), response)
        ))  # fmt: skip

    def event(self, name: str, members: Mapping[str, Any], generated: int = 0) -> None:
        """Any other event. `generated`: tokens the model needed for it."""
        kind = f"response.{name}"
        data = dump({"type": kind, "sequence_number": len(self.frames), **members})
        self.frames.append(Frame(b"event: %b\ndata: %b\n\n" % (kind.encode(), data), generated))

    def deltas(
        self, name: str, members: bytes, pieces: list[tuple[str, float]], extras: list[bytes] | None = None
    ) -> None:
        """One event for each piece of text (with the seconds before it), a token each.

        `members`: JSON members between the number and the delta, with commas around them; `extras`: of each piece.
        """
        kind = b"response." + name.encode()
        head = b'event: %b\ndata: {"type":"%b","sequence_number":' % (kind, kind)
        frames = self.frames
        noise = self._noise
        dumps = orjson.dumps
        number = len(frames)
        for index, (piece, delay_s) in enumerate(pieces):
            extra = extras[index] if extras else b""
            if noise:
                start = number * 7 % 27
                pad = noise[start : start + _PADDED_TO - len(piece) % _PADDED_TO]
                extra = b'%b,"obfuscation":"%b"' % (extra, pad.encode())
            frames.append(Frame(b'%b%d%b"delta":%b%b}\n\n' % (head, number, members, dumps(piece), extra), 1, delay_s))
            number += 1

    def reasoning(self, item: Mapping[str, Any], index: int) -> None:
        pieces = self._answer.thinking_pieces
        self.event("output_item.added", {"output_index": index, "item": {**item, "summary": []}})
        if item["summary"]:
            place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
            part = item["summary"][0]
            self.event("reasoning_summary_part.added", {**place, "part": {"type": "summary_text", "text": ""}})
            members = b',"item_id":"%b","output_index":%d,"summary_index":0,' % (item["id"].encode(), index)
            self.deltas("reasoning_summary_text.delta", members, [(piece, 0.0) for piece in pieces])
            self.event("reasoning_summary_text.done", {**place, "text": part["text"]})
            self.event("reasoning_summary_part.done", {**place, "part": part})
            pieces = []
        self.event("output_item.done", {"output_index": index, "item": item}, len(pieces))

    def message(self, item: Mapping[str, Any], index: int) -> None:
        part = item["content"][0]
        is_refusal = part["type"] == "refusal"
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        self.event(
            "output_item.added", {"output_index": index, "item": {**item, "status": "in_progress", "content": []}}
        )
        empty = {"type": "refusal", "refusal": ""} if is_refusal else {**part, "logprobs": [], "text": ""}
        self.event("content_part.added", {**place, "part": empty})
        members = b',"item_id":"%b","output_index":%d,"content_index":0,' % (item["id"].encode(), index)
        pieces = [(piece.text, piece.delay_s) for piece in self._answer.pieces]
        if is_refusal:
            self.deltas("refusal.delta", members, pieces)
            self.event("refusal.done", {**place, "refusal": part["refusal"]})
        else:
            likely = [_streamed_logprob(entry) for entry in part["logprobs"]]
            extras = [b',"logprobs":%b' % orjson.dumps([entry]) for entry in likely]
            self.deltas("output_text.delta", members, pieces, extras or [b',"logprobs":[]'] * len(pieces))
            self.event("output_text.done", {**place, "text": part["text"], "logprobs": likely})
        self.event("content_part.done", {**place, "part": part})
        self.event("output_item.done", {"output_index": index, "item": item})

    def call(self, item: Mapping[str, Any], index: int) -> None:
        """A call of a function or of a custom tool."""
        member, name = (
            ("arguments", "function_call_arguments")
            if item["type"] == "function_call"
            else ("input", "custom_tool_call_input")
        )
        self.event("output_item.added", {"output_index": index, "item": {**item, "status": "in_progress", member: ""}})
        members = b',"item_id":"%b","output_index":%d,' % (item["id"].encode(), index)
        self.deltas(f"{name}.delta", members, [(piece, 0.0) for piece in tokens.pieces(item[member])])
        self.event(f"{name}.done", {member: item[member], "item_id": item["id"], "output_index": index})
        self.event("output_item.done", {"output_index": index, "item": item})


def stream_frames(response: Mapping[str, Any], answer: Answer, *, is_padded: bool) -> list[Frame]:
    """The frames of a response that is finished or incomplete; `answer` is what it was made of. Raises Invalid."""
    writer = EventWriter(answer, is_padded=is_padded)
    if response["background"]:
        queued = dump(unfinished(response, "queued"))
        writer.response("created", queued)
        writer.response("queued", queued)
        writer.response("in_progress", dump(unfinished(response, "in_progress")))
    else:
        begun = dump(unfinished(response, "in_progress"))
        writer.response("created", begun)
        writer.response("in_progress", begun)
    for index, item in enumerate(response["output"]):
        kind = item["type"]
        if kind == "reasoning":
            writer.reasoning(item, index)
        elif kind == "message":
            writer.message(item, index)
        else:
            writer.call(item, index)
    writer.response(response["status"], dump(response))
    return writer.frames


def _streamed_logprob(entry: Mapping[str, Any]) -> dict[str, Any]:
    top = [{"token": other["token"], "logprob": other["logprob"]} for other in entry["top_logprobs"]]
    return {"token": entry["token"], "logprob": entry["logprob"], "top_logprobs": top}
