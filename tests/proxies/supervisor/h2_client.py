"""An HTTP/2 client over a blocking socket, on h2's client side."""

from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings

from .serving import RawClient, Served

GET = [(":method", "GET"), (":scheme", "http"), (":authority", "h:1"), (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]


class H2Client:
    """h2's client side over a blocking socket; collects what each stream received."""

    def __init__(self, served: Served, *, window: int | None = None, validates: bool = True) -> None:
        self.raw: RawClient = served.client()
        self.engine = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding="latin-1",
                validate_outbound_headers=validates,
                normalize_outbound_headers=validates,
            )
        )
        if window is not None:
            self.engine.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
            )
        self.engine.initiate_connection()
        self.heads: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, list[bytes]] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.goaways: list[tuple[int, int]] = []
        self.is_closed = False
        self.acknowledges = True
        self.flush()

    def __enter__(self) -> H2Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.sock.close()

    def flush(self) -> None:
        self.raw.sock.sendall(self.engine.data_to_send())

    def ask(self, headers: Any = GET, body: bytes | None = None) -> int:
        stream = self.engine.get_next_available_stream_id()
        self.engine.send_headers(stream, headers, end_stream=body is None)
        self.flush()
        if body is not None:
            self.send(stream, body)
        return stream

    def send(self, stream: int, body: bytes, *, ends: bool = True) -> None:
        while body:
            room = min(self.engine.local_flow_control_window(stream), self.engine.max_outbound_frame_size)
            if room == 0:
                self.read()
                continue
            self.engine.send_data(stream, body[:room])
            body = body[room:]
            self.flush()
        if ends:
            self.engine.end_stream(stream)
        self.flush()

    def read(self) -> None:
        data = self.raw.sock.recv(65536)
        if not data:
            self.is_closed = True
            return
        for event in self.engine.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.heads[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                self.bodies.setdefault(event.stream_id, []).append(event.data)
                if self.acknowledges and event.flow_controlled_length:
                    self.engine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.resets[event.stream_id] = event.error_code
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaways.append((event.error_code, event.last_stream_id))
        self.flush()

    def until(self, condition: Any) -> None:
        while not condition():
            assert not self.is_closed, "the server closed the connection"
            self.read()

    def until_closed(self) -> None:
        while not self.is_closed:
            self.read()

    def reply(self, stream: int) -> bytes:
        self.until(lambda: stream in self.ended or stream in self.resets)
        assert stream in self.ended
        return b"".join(self.bodies.get(stream, []))
