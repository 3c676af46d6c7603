"""A plain HTTP/1.1 client on a blocking socket, cheap enough to time others with."""

from __future__ import annotations

import socket

from bench.load import HEADERS
from bench.processes import BenchError

_HEADERS = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())


def request_bytes(body: bytes, path: str = "/v1/chat/completions", method: str = "POST") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{_HEADERS}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client:
    """One kept connection."""

    def __init__(self, port: int, timeout_s: float = 30.0) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Head (without its last blank line) and body of a reply with a content-length. Raises OSError, BenchError."""
        self.sock.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._read()
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(header(head, b"content-length") or 0)
        while len(body) < length:
            body += self._read()
        return head, body

    def close(self) -> None:
        self.sock.close()

    def _read(self) -> bytes:
        data = self.sock.recv(262144)
        if not data:
            raise ConnectionResetError("closed in the middle of a reply")
        return data


def header(head: bytes, name: bytes) -> bytes | None:
    """A header's value; `name` in lower case."""
    at = head.lower().find(b"\r\n" + name + b":")
    return None if at < 0 else head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip()


def expect_ok(head: bytes) -> None:
    if not head.startswith(b"HTTP/1.1 200"):
        raise BenchError(f"expected a 200, got {head[:200]!r}")
