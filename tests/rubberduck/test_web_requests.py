"""Requests that are too large or too slow, and headers that are not for clients, against daphne's own protocol."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rubberduck.web_requests import MAX_REQUEST_BYTES

ROOT = Path(__file__).resolve().parents[2]
MIB = b"a" * 1024 * 1024
# A deadline that a test can wait for.
SERVER = """
import sys
from daphne.cli import CommandLineInterface
import rubberduck.asgi
from rubberduck import web_requests
web_requests.ARRIVES_WITHIN_S = float(sys.argv[1])
CommandLineInterface().run(["--port", sys.argv[2], "--verbosity", "0", "rubberduck.asgi:application"])
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from _served(tmp_path_factory.mktemp("web"), "600")


@pytest.fixture
def hurried_port(tmp_path: Path) -> Iterator[int]:
    yield from _served(tmp_path, "1")


def _served(directory: Path, arrives_within_s: str) -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "RUBBERDUCK_DATA_DIR": str(directory),
        "RUBBERDUCK_ENV_FILE": "",
        "RUBBERDUCK_WEB_BIND": f"127.0.0.1:{port}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, arrives_within_s, str(port)],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield port
    finally:
        server.kill()
        server.wait()


def ask(port: int, head: str, chunks: Iterator[bytes] | tuple[bytes, ...] = ()) -> bytes:
    """The reply as it came, until the server hangs up."""
    reply = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(f"{head}\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        try:
            for chunk in chunks:
                sock.sendall(chunk)
        except OSError:
            pass  # it has hung up; what it said before may still be read
        try:
            while part := sock.recv(65536):
                reply += part
        except ConnectionError:
            pass
    return reply


def test_a_length_that_is_too_large_is_refused_before_anything_is_read(port: int) -> None:
    reply = ask(port, f"POST /api/v1/setup HTTP/1.1\r\nContent-Length: {MAX_REQUEST_BYTES + 1}")
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b'"code": "too_large"' in reply


def test_a_body_without_a_length_is_cut_where_it_becomes_too_large(port: int) -> None:
    chunk = b"100000\r\n" + MIB + b"\r\n"
    for chunks in ((chunk for _ in range(20)), iter([*[chunk] * 17, b"0\r\n\r\n"])):
        reply = ask(port, "POST /api/v1/setup HTTP/1.1\r\nTransfer-Encoding: chunked", chunks)
        assert reply.count(b"HTTP/1.1 ") <= 1
        assert not reply or reply.startswith(b"HTTP/1.1 413 ")  # a reset may overtake it


def test_what_is_merely_large_is_answered_by_the_api_itself(port: int) -> None:
    head = f"POST /api/v1/setup HTTP/1.1\r\nConnection: close\r\nContent-Length: {8 * len(MIB)}"
    reply = ask(port, f"{head}\r\nContent-Type: application/json", (MIB,) * 8)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Security-Policy" in reply


def test_a_body_that_does_not_end_in_time_is_given_up(hurried_port: int) -> None:
    reply = ask(hurried_port, "POST /api/v1/setup HTTP/1.1\r\nContent-Length: 1000", (b"a",))
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert b"came too slowly" in reply


@pytest.mark.parametrize("place", ["//evil.example.com", "/api", "/a%0d%0ab"])
def test_a_client_does_not_say_where_the_web_lies(port: int, place: str) -> None:
    reply = ask(port, f"GET /api/v1/setup HTTP/1.1\r\nConnection: close\r\nDaphne-Root-Path: {place}")
    assert reply.startswith(b"HTTP/1.1 200 ")
    reply = ask(port, f"GET /admin HTTP/1.1\r\nConnection: close\r\nDaphne-Root-Path: {place}")
    assert b"\r\nLocation: /admin/\r\n" in reply
