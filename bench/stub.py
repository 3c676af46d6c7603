"""The upstream of the benchmark: unary replies at once, streams of time-stamped events, streams that never end.

What it does is told by the request's path, after the `/v1` of every OpenAI path:

    /chat/completions          1.4 KB of JSON; with `"stream": true` in the body, EVENTS events, the first at once
    /chat/completions?hang     the head of a stream and one event, then nothing until the client goes away
    /left                      how many streams were left by their client, and when the last one was (monotonic ns)
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import time
from multiprocessing.process import BaseProcess
from typing import Any

import uvloop

EVENTS = 20
EVENT_GAP_S = 0.005
REPLY_BODY = (
    b'{"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-mini-2024-07-18", '
    b'"choices": [{"index": 0, "message": {"role": "assistant", "content": "%b"}, "finish_reason": "stop"}], '
    b'"usage": {"prompt_tokens": 250, "completion_tokens": 230, "total_tokens": 480}}' % (b"word " * 225)
)
REPLY_HEADERS = (
    b"Content-Type: application/json\r\nopenai-organization: user-1\r\nopenai-processing-ms: 312\r\n"
    b"openai-version: 2020-10-01\r\nx-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    b"x-request-id: req_0123456789abcdef\r\nServer: stub\r\n"
)
REPLY = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (REPLY_HEADERS, len(REPLY_BODY), REPLY_BODY)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(stamp_ns: int) -> bytes:
    """A chunk of a chat stream that says when it was sent."""
    text = (
        b'data: {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2024-07-18", '
        b'"choices": [{"index": 0, "delta": {"content": "%d"}}]}\n\n' % stamp_ns
    )
    return b"%x\r\n%b\r\n" % (len(text), text)


class _Left:
    count = 0
    last_ns = 0


class Stub(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.pending = b""
        self.is_streaming = False

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_streaming:
            _Left.count += 1
            _Left.last_ns = time.monotonic_ns()

    def data_received(self, data: bytes) -> None:
        self.pending += data
        head, end, body = self.pending.partition(b"\r\n\r\n")
        if not end:
            return
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        length = int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return
        self.pending = body[length:]
        target = head.split(b" ", 2)[1]
        if target.endswith(b"/left"):
            self.answer(b"%d %d" % (_Left.count, _Left.last_ns))
        elif target.endswith(b"?hang"):
            self.is_streaming = True
            self.transport.write(STREAM_HEAD + event(time.monotonic_ns()))
        elif b'"stream": true' in body[:length]:
            self.is_streaming = True
            self.task = asyncio.get_running_loop().create_task(self.send_events())
        else:
            self.transport.write(REPLY)

    def answer(self, text: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    async def send_events(self) -> None:
        self.transport.write(STREAM_HEAD + event(time.monotonic_ns()))
        for _ in range(EVENTS - 1):
            await asyncio.sleep(EVENT_GAP_S)
            self.transport.write(event(time.monotonic_ns()))
        self.is_streaming = False
        self.transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def start_stub(core: int) -> tuple[BaseProcess, int]:
    """The stub's process, bound to a core, and its port."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(sock, core), daemon=True)
    process.start()
    port: int = sock.getsockname()[1]
    sock.close()
    return process, port


def _serve(sock: socket.socket, core: int) -> None:
    os.sched_setaffinity(0, {core})

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Stub, sock=sock, backlog=1024)
        await server.serve_forever()

    uvloop.run(run())
