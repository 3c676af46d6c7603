"""A transport that answers by itself what is addressed to an emulated upstream, at the pace of a model."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Sequence
from time import monotonic, time

import httpx

from providers.emulated.base import EmulatedReply, EmulatedRequest, Emulator, Frame
from providers.emulated.desk import Desk
from providers.emulated.registry import get_emulator
from providers.emulated.repeats import respond_again
from proxies.dataplane.config import EmulationConfig, ProxyConfig
from proxies.dataplane.reply_body import TransportResponse
from proxies.dataplane.runtime import Runtime

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Longer request bodies are refused as too large: an emulated upload is kept in memory."""


class EmulatedTransport(httpx.AsyncBaseTransport):
    """Everything that is not for an emulated upstream goes to `network`, untouched. What the emulated provider
    remembers lives as long as this object."""

    def __init__(self, config: ProxyConfig, network: httpx.AsyncBaseTransport) -> None:
        self._network = network
        self._desk = Desk()
        self._emulator: Emulator | None = None  # found when first needed
        self.swap(config)

    def swap(self, config: ProxyConfig) -> None:
        """Takes effect for every request from now on."""
        self._runtime = Runtime(config)
        self._emulator = None
        self._desk.change(is_strict=config.emulation.is_strict, canned=config.emulation.canned)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme != "emulated":
            return await self._network.handle_async_request(request)
        target: bytes = request.extensions["target"]
        path, _, query = target.partition(b"?")
        body = await _take(request.stream)
        asked = EmulatedRequest(
            request.method,
            self._runtime.call(request.method, path),
            query,
            # As the client sent them, and not as they go up: some replies name the address it believes to talk to.
            request.extensions["client_fields"],
            body or b"",
            time(),
            request.extensions["request_id"],
        )
        emulator = self._emulator
        if emulator is None:
            emulator = self._emulator = get_emulator(self._runtime.provider.id)
        if body is None:
            reply = emulator.error(asked, 413, None, type=None, code=None)
        else:
            reply = respond_again(emulator, asked, self._desk)
        return await self._perform(reply, asked)

    async def _perform(self, reply: EmulatedReply, asked: EmulatedRequest) -> TransportResponse:
        config = self._runtime.config.emulation
        headers = list(reply.headers)
        extensions = {"is_repeatable": reply.is_repeatable, "usage": reply.usage}
        body = reply.body
        if isinstance(body, bytes):
            headers.append((b"content-length", b"%d" % len(body)))
            if not (config.ttft_s or config.tokens_per_s or reply.delay_s):
                return TransportResponse(reply.status, headers, Whole(body), extensions)
        pace = Pace(config, asked.body)
        pace.due_s = reply.delay_s
        if config.ttft_s and reply.status < 400:
            pace.add(config.ttft_s)
        stream: httpx.AsyncByteStream
        if isinstance(body, bytes):
            pace.add_tokens(reply.tokens)
            stream = Whole(body)
        else:
            stream = PacedFrames(body, pace)
        await pace.wait()
        return TransportResponse(reply.status, headers, stream, extensions)

    async def aclose(self) -> None:
        await self._network.aclose()


class Pace:
    """The waits of one reply. They are reckoned from its beginning, so that what sleeping takes too long is made up
    for.

    `due_s`: when what was last asked for is due, in seconds after the beginning.
    """

    def __init__(self, config: EmulationConfig, seed: bytes) -> None:
        self._config = config
        self._started_at = monotonic()
        self._random = random.Random(zlib.crc32(seed)) if config.jitter else None
        self.due_s = 0.0

    def add(self, time_s: float) -> None:
        """Puts off what follows by the time a model would take, which the jitter varies."""
        if self._random is not None:
            time_s *= 1 + self._config.jitter * self._random.uniform(-1, 1)
        self.due_s += time_s

    def add_tokens(self, tokens: int) -> None:
        """Puts off what follows by the time that many tokens take."""
        if tokens and self._config.tokens_per_s:
            self.add(tokens / self._config.tokens_per_s)

    async def wait(self) -> None:
        """Sleeps until what follows is due."""
        if self.due_s:
            await asyncio.sleep(max(0.0, self._started_at + self.due_s - monotonic()))


class Whole(httpx.AsyncByteStream):
    """A body that is there as soon as its head is."""

    def __init__(self, body: bytes) -> None:
        self.body_complete = body

    def __aiter__(self) -> Whole:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


class PacedFrames(httpx.AsyncByteStream):
    """A body that comes frame by frame."""

    def __init__(self, frames: Sequence[Frame], pace: Pace) -> None:
        self._frames = iter(frames)
        self._pace = pace

    def __aiter__(self) -> PacedFrames:
        return self

    async def __anext__(self) -> bytes:
        for frame in self._frames:
            pace = self._pace
            pace.due_s += frame.delay_s
            pace.add_tokens(frame.tokens)
            if pace.due_s:
                await pace.wait()
            return frame.data
        raise StopAsyncIteration


async def _take(stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> bytes | None:
    """The whole body; None when it is longer than we keep."""
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream)
    assert isinstance(stream, httpx.AsyncByteStream)
    chunks = []
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
