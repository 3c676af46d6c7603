"""CPU per request, and time to the first event, of a bare pass-through proxy on the upstream transport.

`python -m bench.transport_bench` starts an upstream stub and a proxy on loopback, loads the proxy with wrk (1.2 KB
requests, 1.4 KB replies, 32 connections) and prints the proxy's CPU microseconds per request: with no and with 300 open
upstream streams beside it and, for the part of uvicorn alone, of a proxy that answers by itself. Then it paces events
through the proxy and prints how late they come.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import tempfile
import time
from multiprocessing.process import BaseProcess
from typing import Any

import httpx
import uvicorn
import uvloop

from proxies.dataplane.transport import Transport

REPLY_BODY = b'{"choices": [{"message": {"content": "' + b"x" * 1250 + b'"}}]}'
REPLY_HEADERS = b"".join(b"X-Header-%d: some-value-%d\r\n" % (number, number) for number in range(8))
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
    REPLY_HEADERS,
    len(REPLY_BODY),
    REPLY_BODY,
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST_BODY = '{"messages": [{"content": "' + "y" * 1150 + '"}]}'
TIMEOUTS = {"connect": 10.0, "read": 600.0, "write": 600.0, "pool": 10.0}
SECONDS = 6


class Stub(asyncio.Protocol):
    """An upstream: POST is answered at once, GET /hang with a head only, GET /events with ten events, 5 ms apart."""

    transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /hang"):
            self.transport.write(STREAM_HEAD)
        elif data.startswith(b"GET /events"):
            self.task = asyncio.get_running_loop().create_task(self.events())
        else:
            self.pending += data
            if self.pending.endswith(b"]}"):
                self.pending = b""
                self.transport.write(REPLY)

    async def events(self) -> None:
        self.transport.write(STREAM_HEAD)
        for _ in range(10):
            await asyncio.sleep(0.005)
            event = b"data: %d\n\n" % time.monotonic_ns()
            self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")


def serve_stub(sock: socket.socket) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Stub, sock=sock, backlog=1024)
        await server.serve_forever()

    uvloop.run(run())


def make_app(upstream_port: int, is_canned: bool, hanging: int) -> Any:
    transport = Transport()
    url = httpx.URL(f"http://127.0.0.1:{upstream_port}/")
    kept: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/prepare":
            for _ in range(hanging):
                target = {"target": b"/hang", "timeout": TIMEOUTS}
                kept.append(await transport.handle_async_request(httpx.Request("GET", url, extensions=target)))
        parts = []
        while True:
            message = await receive()
            parts.append(message["body"])
            if not message["more_body"]:
                break
        if is_canned or scope["path"] == "/prepare":
            length = b"%d" % len(REPLY_BODY)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
            await send({"type": "http.response.body", "body": REPLY_BODY})
            return
        request = httpx.Request(
            scope["method"],
            url,
            headers=scope["headers"],
            stream=httpx.ByteStream(b"".join(parts)),
            extensions={"target": scope["raw_path"], "timeout": TIMEOUTS},
        )
        reply = await transport.handle_async_request(request)
        headers = [pair for pair in reply.raw_headers if pair[0] != b"Transfer-Encoding"]
        await send({"type": "http.response.start", "status": reply.status_code, "headers": headers})
        body = reply.stream.body_complete
        if body is not None:
            await send({"type": "http.response.body", "body": body})
            return
        async for piece in reply.stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def serve_proxy(sock: socket.socket, upstream_port: int, is_canned: bool, hanging: int) -> None:
    config = uvicorn.Config(
        make_app(upstream_port, is_canned, hanging),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="critical",
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    uvicorn.Server(config).run([sock])


def cpu_s(process: BaseProcess) -> float:
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listen() -> tuple[socket.socket, int]:
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    return sock, sock.getsockname()[1]


def load(port: int, seconds: int) -> int:
    """Requests answered."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\n")
        script.write(f"wrk.body = [==[{REQUEST_BODY}]==]\n")
        script.write("done = function(s) io.write('ANSWERED ' .. s.requests - s.errors.status .. '\\n') end\n")
        script.flush()
        command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}/v1/chat"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(printed.split("ANSWERED ")[1].split()[0])


def measure(context: Any, upstream_port: int, *, is_canned: bool = False, hanging: int = 0) -> float:
    sock, port = listen()
    process = context.Process(target=serve_proxy, args=(sock, upstream_port, is_canned, hanging))
    process.start()
    httpx.get(f"http://127.0.0.1:{port}/prepare", timeout=30)
    load(port, 1)
    before = cpu_s(process)
    answered = load(port, SECONDS)
    used = cpu_s(process) - before
    process.terminate()
    process.join()
    return used / answered * 1e6


def lateness(port: int) -> tuple[list[float], list[float]]:
    """Microseconds from the stub's stamp to our reading it: of first events, and of the later ones."""
    first, later = [], []
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for _ in range(30):
            sock.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            got = b""
            stamps = []
            while not got.endswith(b"\r\n0\r\n\r\n"):
                piece = sock.recv(65536)
                now = time.monotonic_ns()
                got += piece
                if b"data: " in piece:
                    stamps.append((now - int(piece.split(b"data: ")[-1].split(b"\n")[0])) / 1000)
            first.append(stamps[0])
            later += stamps[1:]
    return first, later


def main() -> None:
    context = multiprocessing.get_context("fork")
    stub_sock, stub_port = listen()
    stub = context.Process(target=serve_stub, args=(stub_sock,))
    stub.start()
    try:
        canned = measure(context, stub_port, is_canned=True)
        alone = measure(context, stub_port)
        crowded = measure(context, stub_port, hanging=300)
        print(f"canned reply       {canned:6.1f} us CPU/request")
        print(f"pass-through       {alone:6.1f} us CPU/request")
        print(f"  with 300 streams {crowded:6.1f} us CPU/request ({(crowded / alone - 1) * 100:+.1f}%)")
        sock, port = listen()
        process = context.Process(target=serve_proxy, args=(sock, stub_port, False, 0))
        process.start()
        for name, at in (("direct", stub_port), ("proxied", port)):
            first, later = lateness(at)
            print(f"{name:8} first event {statistics.median(first):6.0f} us p50")
            print(f"{name:8} later event {statistics.median(later):6.0f} us p50")
        process.terminate()
        process.join()
    finally:
        stub.terminate()
        stub.join()


if __name__ == "__main__":
    main()
