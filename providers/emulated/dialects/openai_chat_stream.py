"""Chat completions as streams: one frame for each chunk.

Source: openai-python 3.54.0 `types/chat/chat_completion_chunk.py`, and streams quoted in public issue reports, read
November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from providers.emulated import tokens
from providers.emulated.answer import Answer, hexadecimal
from providers.emulated.base import Frame
from providers.emulated.dialects.openai_chat_request import ChatRequest
from providers.emulated.dialects.openai_filters import DELTA_FILTERS, PROMPT_FILTERS

DONE = Frame(b"data: [DONE]\n\n")

_PADDED = 16


class _Chunks:
    """Makes the frames of one choice. Only what changes from frame to frame is written anew."""

    def __init__(self, asked: ChatRequest, head: bytes, digest: bytes, index: int, filters: bytes) -> None:
        self.frames: list[Frame] = []
        self._start = b'data: %b,"choices":[{"index":%d,"delta":' % (head, index)
        self._filters = filters
        self._padding = hexadecimal(digest, "obfuscation", 64).encode() if asked.obfuscates else b""
        usage = b',"usage":null' if asked.includes_usage else b""
        self._usage = usage
        self._end = b',"logprobs":null,"finish_reason":null%b}]%b%%b}\n\n' % (filters.replace(b"%", b"%%"), usage)
        self._plain_end = (self._end % b"") if not asked.obfuscates else b""

    def text(self, member: bytes, text: str, delay_s: float) -> None:
        """A piece of text, without log probabilities."""
        piece = orjson.dumps(text)
        data = b'%b{"%b":%b}%b' % (self._start, member, piece, self._plain_end or self._end % self._pad(len(piece)))
        self.frames.append(Frame(data, 1, delay_s))

    def delta(
        self,
        delta: dict[str, Any],
        *,
        logprobs: Any = None,
        finish: str | None = None,
        count: int = 0,
        delay_s: float = 0.0,
    ) -> None:
        """Any other chunk."""
        data = b'%b%b,"logprobs":%b,"finish_reason":%b%b}]%b%b}\n\n' % (
            self._start,
            written := orjson.dumps(delta),
            orjson.dumps(logprobs),
            orjson.dumps(finish),
            b',"content_filter_results":{}' if self._filters and (finish or "content" not in delta) else self._filters,
            self._usage,
            self._pad(len(written)),
        )
        self.frames.append(Frame(data, count, delay_s))

    def _pad(self, length: int) -> bytes:
        return b',"obfuscation":"%b"' % self._padding[: _PADDED - length % _PADDED] if self._padding else b""


def stream_chat(
    asked: ChatRequest,
    answers: Sequence[Answer],
    choices: Sequence[dict[str, Any]],
    head: dict[str, Any],
    usage: dict[str, Any],
    *,
    filters_content: bool,
    moderation: dict[str, Any] | None = None,
) -> list[Frame]:
    """The frames of a reply. `choices`: what the reply would hold if it came at once."""
    frames: list[Frame] = []
    written = orjson.dumps(head)[:-1]
    null_usage = b',"usage":null' if asked.includes_usage else b""
    filters = b""
    if filters_content:
        filters = b',"content_filter_results":' + orjson.dumps(DELTA_FILTERS)
        results = orjson.dumps(PROMPT_FILTERS)
        frames.append(
            Frame(
                b'data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":%b%b}\n\n'
                % (results, null_usage)
            )
        )
    for answer, choice in zip(answers, choices, strict=True):
        chunks = _Chunks(asked, written, answer.digest, choice["index"], filters)
        _stream_choice(chunks, answer, choice)
        frames += chunks.frames
    if moderation is not None:
        told = orjson.dumps(moderation)
        frames.append(Frame(b'data: %b,"choices":[],"moderation":%b%b}\n\n' % (written, told, null_usage)))
    if asked.includes_usage:
        padding = b',"obfuscation":""' if asked.obfuscates else b""
        frames.append(Frame(b'data: %b,"choices":[],"usage":%b%b}\n\n' % (written, orjson.dumps(usage), padding)))
    frames.append(DONE)
    return frames


def _stream_choice(chunks: _Chunks, answer: Answer, choice: dict[str, Any]) -> None:
    message = choice["message"]
    calls = message.get("tool_calls")
    function_call = message.get("function_call")
    audio = message.get("audio")
    if audio is not None:
        _stream_audio(chunks, answer, audio)
    elif message["content"] is not None or message["refusal"] is not None:
        chunks.delta({"role": "assistant", "content": "", "refusal": None})
        member = b"content" if message["refusal"] is None else b"refusal"
        logprobs = choice["logprobs"]
        if logprobs is None:
            for piece in answer.pieces:
                chunks.text(member, piece.text, piece.delay_s)
        else:
            name = member.decode()
            for piece, found in zip(answer.pieces, logprobs[name], strict=True):
                entry = {"content": None, "refusal": None, name: [found]}
                chunks.delta({name: piece.text}, logprobs=entry, count=1, delay_s=piece.delay_s)
    begins = not chunks.frames
    if function_call is not None:
        opened: dict[str, Any] = {"function_call": {"name": function_call["name"], "arguments": ""}}
        chunks.delta({"role": "assistant", "content": None, **opened, "refusal": None} if begins else opened, count=1)
        for part in tokens.pieces(function_call["arguments"]):
            chunks.delta({"function_call": {"arguments": part}}, count=1)
    for number, call in enumerate(calls or ()):
        kind = call["type"]
        given = "arguments" if kind == "function" else "input"
        opened = {
            "tool_calls": [
                {"index": number, "id": call["id"], "type": kind, kind: {"name": call[kind]["name"], given: ""}}
            ]
        }
        is_first = begins and number == 0
        chunks.delta({"role": "assistant", "content": None, **opened, "refusal": None} if is_first else opened, count=1)
        for part in tokens.pieces(call[kind][given]):
            chunks.delta({"tool_calls": [{"index": number, kind: {given: part}}]}, count=1)
    if not chunks.frames:
        chunks.delta({"role": "assistant", "content": None, "refusal": None})
    chunks.delta({}, finish=choice["finish_reason"])
    chunks.frames[0].tokens += answer.reasoning_tokens  # nothing is to be seen of them, but they take their time


_SOUND_CHARACTERS = 4096


def _stream_audio(chunks: _Chunks, answer: Answer, audio: dict[str, Any]) -> None:
    sound = audio["data"]
    chunks.delta(
        {"role": "assistant", "content": None, "refusal": None, "audio": {"id": audio["id"], "transcript": ""}}
    )
    for piece in answer.pieces:
        chunks.delta({"audio": {"transcript": piece.text}}, count=1, delay_s=piece.delay_s)
    for place in range(0, len(sound), _SOUND_CHARACTERS):
        chunks.delta({"audio": {"data": sound[place : place + _SOUND_CHARACTERS]}})
    chunks.delta({"audio": {"expires_at": audio["expires_at"]}})
