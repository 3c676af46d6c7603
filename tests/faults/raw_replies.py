"""A plain server that answers with given bytes: what an SDK makes of a genuine reply, without any of our own code."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Genuine = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class RawReplies:
    """`url(n)` is a base URL under which every request is answered with the n-th reply."""

    def __init__(self, replies: Sequence[Genuine]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, body = replies[int(self.path.split("/")[1])]
                self.send_response_only(status, "")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def url(self, number: int) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{number}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)
