"""Edits of Gemini's generateContent replies, whole, as server-sent events and as the elements of a JSON array: refused,
cut off, without content, with spoilt function arguments.

Source: google-genai 3.4.0 `types.py` (FinishReason, GenerateContentResponse), read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.halves import Halves
from providers.faults.replies.tool_arguments import spoil
from providers.wire import sse
from providers.wire.json_body import MISSING, count, mapping, parse

_RATING = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
_WRITTEN = ("candidatesTokenCount", "thoughtsTokenCount", "candidatesTokensDetails")

Chunk = dict[str, Any]


class GeminiEditor:
    """A ReplyEditor. An event is a server-sent one, or an element of an array by itself, without bracket or comma."""

    def __init__(self, edit: Edit, text: str | None = None) -> None:
        self.has_edited = False
        self._edit = edit
        self._text = (text or "") if edit is Edit.REFUSAL else ""
        self._ended: set[Any] = set()  # the candidates that have had their end, by index
        self._halves: dict[Any, Halves[Chunk]] = {}  # by index

    def whole(self, body: bytes) -> bytes | None:
        reply = parse(body)
        if not isinstance(reply, dict):
            return None
        if self._edit is Edit.LENGTH:
            was_cut = [_halve(candidate) for candidate in _candidates(reply)]
            self.has_edited = any(was_cut)
            if self.has_edited:
                _set_written(reply, max(1, _written(reply) // 2))
        else:
            self._change(reply)
        return orjson.dumps(reply) if self.has_edited else None

    def event(self, event: bytes) -> Sequence[bytes]:
        is_sse = event.lstrip().startswith((b"data:", b"event:", b":", b"id:"))
        chunk = _read(event, is_sse=is_sse)
        if chunk is None:
            return (event,)
        sent = self._cut_off(chunk) if self._edit is Edit.LENGTH else self._change(chunk)
        if sent is None:
            return ()
        if not self.has_edited:
            return (event,)
        data = orjson.dumps(sent)
        return (b"data: " + data + b"\r\n\r\n" if is_sse else data,)

    def finish(self) -> Sequence[bytes]:
        return ()

    def _change(self, chunk: Chunk) -> Chunk | None:
        """Edits a chunk, or a whole reply, in place; None: it is not to be sent."""
        if self._edit is Edit.INVALID_TOOL_ARGUMENTS:
            for candidate in _candidates(chunk):
                self._spoil_calls(candidate)
            return chunk
        candidates = _candidates(chunk)
        if not candidates:
            return chunk
        self.has_edited = True
        fresh = [candidate for candidate in candidates if candidate.get("index", 0) not in self._ended]
        if not fresh:
            return None
        self._ended.update(candidate.get("index", 0) for candidate in fresh)
        chunk["candidates"] = [self._replaced(candidate) for candidate in fresh]
        _set_written(chunk, len(self._text) // 4 + 1 if self._text else 0)
        return chunk

    def _replaced(self, candidate: Chunk) -> Chunk:
        """A blocked answer has no content at all, an empty one a content without parts."""
        made: Chunk = {}
        if self._text:
            made["content"] = {"parts": [{"text": self._text}], "role": "model"}
        elif self._edit is Edit.EMPTY_CONTENT:
            made["content"] = {"role": "model"}
        made["finishReason"] = "SAFETY" if self._edit is Edit.REFUSAL else "STOP"
        if "index" in candidate:
            made["index"] = candidate["index"]
        if self._edit is Edit.REFUSAL:
            made["safetyRatings"] = [_RATING]
        return made

    def _spoil_calls(self, candidate: Chunk) -> None:
        for part in _parts(candidate):
            call = part.get("functionCall")
            if isinstance(call, dict):
                call["args"] = spoil(mapping(call, "args"))
                self.has_edited = True

    def _cut_off(self, chunk: Chunk) -> Chunk | None:
        candidates = _candidates(chunk)
        if not candidates:
            return chunk
        self.has_edited = True
        halves = self._halves.setdefault(candidates[0].get("index", 0), Halves())
        if any(candidate.get("finishReason") for candidate in candidates):
            return _end(halves, chunk)
        return next(iter(halves.add(chunk)), None)


def _end(halves: Halves[Chunk], last: Chunk) -> Chunk:
    """What is sent in the place of the last chunk: the next in turn, with the usage of the real last one."""
    final = halves.next() or last
    for candidate in _candidates(final):
        if final is last:
            _halve(candidate)
        candidate["finishReason"] = "MAX_TOKENS"
    if "usageMetadata" in last:
        final["usageMetadata"] = last["usageMetadata"]
        come, sent = halves.count + 1, halves.count // 2 + 1
        _set_written(final, max(1, _written(final) * sent // max(come, 2)))
    return final


def ends_stream(event: bytes) -> bool:
    """Whether a chunk says why the answer, or the refusal to answer, ends."""
    if b"finishReason" not in event and b"blockReason" not in event:
        return False
    chunk = _read(event, is_sse=b"data:" in event[:64])
    if chunk is None:
        return False
    has_reason = any(candidate.get("finishReason") for candidate in _candidates(chunk))
    return has_reason or bool(mapping(chunk, "promptFeedback").get("blockReason"))


def _read(event: bytes, *, is_sse: bool) -> Chunk | None:
    if is_sse:
        parsed = next(sse.events(event), None)
        value = parsed.json() if parsed is not None else MISSING
    else:
        value = parse(event.strip(b"[, \t\r\n"))
    return value if isinstance(value, dict) else None


def _candidates(chunk: Chunk) -> list[Chunk]:
    found = chunk.get("candidates")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _parts(candidate: Chunk) -> Iterator[dict[str, Any]]:
    parts = mapping(candidate, "content").get("parts")
    return (part for part in parts if isinstance(part, dict)) if isinstance(parts, list) else iter(())


def _halve(candidate: Chunk) -> bool:
    """Keeps the thoughts and the first half of the text, and nothing else. Whether there was anything to cut."""
    parts = list(_parts(candidate))
    if not parts:
        return False
    left = sum(len(part["text"]) for part in parts if _is_text(part)) // 2
    kept = []
    for part in parts:
        if part.get("thought"):
            kept.append(part)
        elif _is_text(part) and left:
            kept.append({**part, "text": part["text"][:left]})
            left -= len(kept[-1]["text"])
    candidate["content"] = {**mapping(candidate, "content"), "parts": kept}
    if not kept:
        del candidate["content"]["parts"]
    candidate["finishReason"] = "MAX_TOKENS"
    return True


def _is_text(part: dict[str, Any]) -> bool:
    return isinstance(part.get("text"), str) and not part.get("thought")


def _written(chunk: Chunk) -> int:
    return count(mapping(chunk, "usageMetadata").get("candidatesTokenCount")) or 0


def _set_written(chunk: Chunk, tokens: int) -> None:
    """Makes the usage that of an answer of so many tokens; counts of 0 are left out, as Google does."""
    usage = mapping(chunk, "usageMetadata")
    if not usage:
        return
    thoughts = count(usage.get("thoughtsTokenCount")) or 0 if tokens else 0
    made = {name: value for name, value in usage.items() if name not in _WRITTEN}
    if tokens:
        made["candidatesTokenCount"] = tokens
    if thoughts:
        made["thoughtsTokenCount"] = thoughts
    before = (count(usage.get(name)) or 0 for name in ("promptTokenCount", "toolUsePromptTokenCount"))
    made["totalTokenCount"] = sum(before) + tokens + thoughts
    chunk["usageMetadata"] = made
