"""JSON that no parser takes, where JSON is expected."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from providers.wire import event_stream
from providers.wire.event_stream import FrameError, FrameSplitter
from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage
from proxies.dataplane.faults.bodies import Body, has_body, holds_json, pieces, set_length
from proxies.dataplane.faults.events import Framing, whole_events
from proxies.dataplane.faults.stream import framing_of, replace_body

BROKEN_EVENT = 2
"""Which event that holds JSON is broken, counted from 1: the first shall arrive."""
TAIL_BYTES = 64
_CLOSING = b"}]"


@dataclass(frozen=True)
class MalformedJson(Fault):
    """A whole body loses its last third, as if its sender had broken off and called that the end. Of one that is still
    on its way only the last bracket is lost, whose place a blank takes, for its length has been told already."""

    kind: ClassVar[str] = "malformed_json"
    title: ClassVar[str] = "Malformed JSON"
    summary: ClassVar[str] = (
        "The body ends in the middle of its JSON, yet its length is right and the connection intact. In a stream, the "
        "second event holds broken JSON and the others are genuine. Replies without JSON stay as they are."
    )
    stage: ClassVar[Stage] = Stage.DAMAGE
    order: ClassVar[int] = 50

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if not has_body(reply, injection):
            return None
        kind = framing_of(reply, injection.exchange)
        if kind is not None and kind is not Framing.CHUNKS:
            return replace_body(reply, _with_broken_event(reply.body, kind, injection))
        if not holds_json(reply):
            return None
        if isinstance(reply.body, bytes):
            broken = broken_json(reply.body)
            if broken is None:
                return None
            set_length(reply, len(broken))
            reply.body = broken
            injection.note()
        else:
            reply.body = _without_last_bracket(reply.body, injection)
        return reply


def broken_json(text: bytes) -> bytes | None:
    """The text without the last third of the JSON object or array in it, what stands around it kept; None when it holds
    neither."""
    start = min((at for at in (text.find(b"{"), text.find(b"[")) if at >= 0), default=-1)
    end = max(text.rfind(b"}"), text.rfind(b"]"))
    if start < 0 or end <= start:
        return None
    return text[: start + max(1, (end - start) * 2 // 3)] + text[end + 1 :]


def broken_event(event: bytes, kind: Framing) -> bytes | None:
    """An event whose JSON is broken and whose framing, checksums included, is right; None when it holds no JSON."""
    if kind is not Framing.AWS:
        return broken_json(event) if b"{" in event else None  # "[DONE]" is none
    try:
        if FrameSplitter().feed(event) != [event]:
            return None
    except FrameError:
        return None
    broken = broken_json(event_stream.payload(event))
    return None if broken is None else event_stream.with_payload(event, broken)


async def _with_broken_event(body: Body, kind: Framing, injection: Injection) -> AsyncGenerator[bytes, None]:
    seen = 0
    async with contextlib.aclosing(pieces(body)) as parts, contextlib.aclosing(whole_events(parts, kind)) as events:
        async for event in events:
            if seen < BROKEN_EVENT and (broken := broken_event(event, kind)) is not None:
                seen += 1
                if seen == BROKEN_EVENT:
                    injection.note()
                    yield broken
                    continue
            yield event


async def _without_last_bracket(body: Body, injection: Injection) -> AsyncGenerator[bytes, None]:
    tail = b""
    async with contextlib.aclosing(pieces(body)) as parts:
        async for part in parts:
            tail += part
            if len(tail) > TAIL_BYTES:
                yield tail[:-TAIL_BYTES]
                tail = tail[-TAIL_BYTES:]
    text = tail.rstrip()
    if text and text[-1] in _CLOSING:
        injection.note()
        tail = text[:-1] + b" " + tail[len(text) :]
    yield tail
