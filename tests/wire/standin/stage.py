"""The stage: numbers and remembers every request, finds the provider to play, and performs the reply on a wire."""

from __future__ import annotations

import base64
import itertools
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

from tests.wire.standin import anthropic, azure_openai, bedrock, openai, vertex_ai
from tests.wire.standin.messages import Headers, Reply, Request, Turn

_ANSWERS: dict[str, Callable[[Request, Turn], Reply]] = {
    "openai": openai.answer,
    "anthropic": anthropic.answer,
    "azure_openai": azure_openai.answer,
    "bedrock": bedrock.answer,
    "vertex_ai": vertex_ai.answer,
}
_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    ".openai.azure.com": "azure_openai",
    ".amazonaws.com": "bedrock",
    "generativelanguage.googleapis.com": "vertex_ai",
    ".googleapis.com": "vertex_ai",
}
CONTROL = "/__standin__/"


class ClientGone(Exception):
    """The client closed its side, or the stream, before the reply was out."""


class Wire(Protocol):
    """Where a reply goes; every method raises ClientGone once the client is away."""

    async def head(self, status: int, headers: Headers, *, length: int | None) -> None: ...
    async def data(self, chunk: bytes) -> None: ...
    async def end(self) -> None: ...
    def cut(self, *, reset: bool) -> None: ...
    async def pause(self, seconds: float | None) -> None: ...


@dataclass(slots=True)
class Captured:
    """What is remembered of one exchange. Times are `time.monotonic()`, which all processes of a machine share."""

    number: int
    provider: str
    request: Request
    received_at: float
    status: int | None = None
    sent_at: list[float] = field(default_factory=list)
    finished_at: float | None = None
    client_gone_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        request = self.request
        return {
            "number": self.number,
            "provider": self.provider,
            "method": request.method,
            "target": request.target,
            "version": request.version,
            "host": request.host,
            "scheme": request.scheme,
            "sni": request.sni,
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
            "received_at": self.received_at,
            "status": self.status,
            "sent_at": self.sent_at,
            "finished_at": self.finished_at,
            "client_gone_at": self.client_gone_at,
        }


class Stage:
    """One stand-in: all its connections share the counter and the list of captured requests."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._captured: list[Captured] = []

    async def perform(self, request: Request, wire: Wire) -> None:
        """Answers one request on a wire; ends quietly when the client leaves."""
        if request.path.startswith(CONTROL):
            await self._control(request, wire)
            return
        provider = provider_of(request)
        turn = Turn.read(next(self._numbers), request.body)
        captured = Captured(turn.number, provider, request, time.monotonic())
        self._captured.append(captured)
        try:
            if turn.hang:
                await wire.pause(None)
            reply = _ANSWERS[provider](request, turn)
            captured.status = reply.status
            reply.headers = [("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())), *reply.headers]
            if reply.frames is None:
                await _send_whole(request, reply, turn, wire, captured, always_gzip=provider == "vertex_ai")
            else:
                await _send_frames(request, reply, turn, wire, captured)
            captured.finished_at = time.monotonic()
        except ClientGone:
            captured.client_gone_at = time.monotonic()

    async def _control(self, request: Request, wire: Wire) -> None:
        command = request.path.removeprefix(CONTROL)
        if command == "reset":
            self._captured.clear()
        after = int(parse_qs(request.target.partition("?")[2]).get("after", ["0"])[0])
        listed = [captured.as_json() for captured in self._captured if captured.number > after]
        body = json.dumps({"requests": listed}).encode()
        await wire.head(200, [("content-type", "application/json")], length=len(body))
        await wire.data(body)
        await wire.end()


def provider_of(request: Request) -> str:
    """Who is meant: told by a real host name, else by the marks each SDK leaves."""
    host = request.host.partition(":")[0]
    for ending, provider in _HOSTS.items():
        if host == ending or (ending.startswith(".") and host.endswith(ending)):
            return provider
    path = request.path
    if path.startswith(("/model/", "/foundation-models")):
        return "bedrock"
    if request.header("anthropic-version") or path.startswith("/v1/messages"):
        return "anthropic"
    google = request.header("x-goog-api-key") or request.header("x-goog-api-client")
    if google or path.startswith(("/v1beta", "/upload/", "/projects/", "/publishers/")) or "/projects/" in path:
        return "vertex_ai"
    if request.header("api-key") or path.startswith(("/openai/", "/deployments/")):
        return "azure_openai"
    return "openai"


async def _send_whole(
    request: Request, reply: Reply, turn: Turn, wire: Wire, captured: Captured, *, always_gzip: bool
) -> None:
    if (turn.gzip or always_gzip) and _accepts_gzip(request):
        compressor = zlib.compressobj(wbits=31)
        reply.body = compressor.compress(reply.body) + compressor.flush()
        reply.headers.append(("content-encoding", "gzip"))
    await wire.head(reply.status, reply.headers, length=len(reply.body))
    captured.sent_at.append(time.monotonic())
    if turn.ending != "clean" and reply.status == 200:
        await wire.data(reply.body[: len(reply.body) // 2])
        if turn.ending == "stall":
            await wire.pause(None)
        wire.cut(reset=turn.ending == "reset")
        return
    await wire.data(reply.body)
    await wire.end()


async def _send_frames(request: Request, reply: Reply, turn: Turn, wire: Wire, captured: Captured) -> None:
    frames = reply.frames or []
    compressor = None
    if turn.gzip and _accepts_gzip(request):
        compressor = zlib.compressobj(wbits=31)
        reply.headers.append(("content-encoding", "gzip"))
    await wire.head(reply.status, reply.headers, length=None)
    stop_at = len(frames) // 2 if turn.ending != "clean" else len(frames)
    sent = frames[:stop_at] + ([reply.failure] if turn.ending == "fail" else [])
    for place, frame in enumerate(sent):
        if turn.pace_s and place:
            await wire.pause(turn.pace_s)
        captured.sent_at.append(time.monotonic())
        # A sync flush lets every event be read as soon as it arrives.
        await wire.data(compressor.compress(frame) + compressor.flush(zlib.Z_SYNC_FLUSH) if compressor else frame)
    if turn.ending == "stall":
        await wire.pause(None)
    if turn.ending in {"die", "reset"}:
        wire.cut(reset=turn.ending == "reset")
        return
    if compressor:
        await wire.data(compressor.flush())
    await wire.end()


def _accepts_gzip(request: Request) -> bool:
    return "gzip" in (request.header("accept-encoding") or "")
