"""HTTP/1.1 on raw asyncio, so that every byte sent and every disconnect is ours to see."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus

from tests.wire.standin.http2 import PREFACE, Http2Connection
from tests.wire.standin.messages import Headers, Request
from tests.wire.standin.stage import ClientGone, Stage


class Http1Connection(asyncio.Protocol):
    """One connection; hands itself over to HTTP/2 when the client opens with its preface (prior knowledge)."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._gone = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._http2: Http2Connection | None = None
        self._chunked = False
        self._silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        ssl_object = transport.get_extra_info("ssl_object")
        self._scheme = "https" if ssl_object else "http"
        self._sni = getattr(ssl_object, "sni", None)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        if self._http2:
            self._http2.receive(data)
            return
        self._buffer += data
        self._arrived.set()

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._arrived.set()
        self._writable.set()
        if self._http2:
            self._http2.lost()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def _serve(self) -> None:
        try:
            while True:
                request = await self._read_request()
                if request is None:
                    return
                await self._stage.perform(request, self)
                if (request.header("connection") or "").lower() == "close" or self._transport.is_closing():
                    break
        except ClientGone:
            pass
        self._transport.close()

    async def _read_request(self) -> Request | None:
        """The next request; None when the connection became an HTTP/2 one."""
        while b"\r\n\r\n" not in self._buffer:
            await self._more()
        if self._buffer.startswith(PREFACE[:14]):
            self._http2 = Http2Connection(self._stage, self._transport)
            self._http2.receive(bytes(self._buffer))
            return None
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        if "://" in target:
            # A proxy's absolute form: its authority is the Host the client sent as well.
            target = "/" + target.split("/", 3)[3]
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        request = Request(method, target, version.removeprefix("HTTP/"), headers, scheme=self._scheme, sni=self._sni)
        if (request.header("expect") or "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in (request.header("transfer-encoding") or ""):
            request.body = await self._read_chunked()
        else:
            request.body = await self._read_exactly(int(request.header("content-length") or 0))
        self._silent = method == "HEAD"
        return request

    async def _read_chunked(self) -> bytes:
        body = bytearray()
        while True:
            while b"\r\n" not in self._buffer:
                await self._more()
            line, _, rest = bytes(self._buffer).partition(b"\r\n")
            self._buffer = bytearray(rest)
            size = int(line.partition(b";")[0], 16)
            body += (await self._read_exactly(size + 2))[:size]
            if size == 0:
                return bytes(body)

    async def _read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def _more(self) -> None:
        self._arrived.clear()
        if self._gone.is_set():
            raise ClientGone
        await self._arrived.wait()
        if self._gone.is_set():
            raise ClientGone

    async def head(self, status: int, headers: Headers, *, length: int | None) -> None:
        self._chunked = length is None
        framing = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Stand-in"
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in [*headers, framing])]
        await self._write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def data(self, chunk: bytes) -> None:
        if chunk and not self._silent:
            await self._write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)

    async def end(self) -> None:
        if self._chunked and not self._silent:
            await self._write(b"0\r\n\r\n")

    def cut(self, *, reset: bool) -> None:
        if reset:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()

    async def pause(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._gone.wait(), seconds)
        except TimeoutError:
            return
        raise ClientGone

    async def _write(self, data: bytes) -> None:
        if self._gone.is_set():
            raise ClientGone
        self._transport.write(data)
        await self._writable.wait()
