"""A server that knows nothing but the bytes it is to send: what an SDK makes of them is what it makes of the genuine
reply."""

from __future__ import annotations

import socket
import threading


class PlainServer:
    """Answers every request with the same HTTP/1.1 reply and closes. `requests`: how many there were."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        data = body.encode()
        lines = [f"HTTP/1.1 {status} Genuine", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"content-length: {len(data)}", "connection: close"]
        self._reply = "\r\n".join(lines).encode() + b"\r\n\r\n" + data
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests = 0
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, name="plain server", daemon=True)

    def __enter__(self) -> PlainServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closing = True
        with socket.create_connection(self._listener.getsockname()[:2]):  # a close wakes nobody who waits for one
            self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self._is_closing:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(10)
                if not self._is_closing and self._take(connection):
                    self.requests += 1
                    connection.sendall(self._reply)

    def _take(self, connection: socket.socket) -> bool:
        """Reads one request. False: there was none."""
        held = b""
        while b"\r\n\r\n" not in held:
            chunk = connection.recv(65536)
            if not chunk:
                return False
            held += chunk
        head, _, body = held.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", 0))
        while len(body) < length:
            body += connection.recv(65536)
        return True
