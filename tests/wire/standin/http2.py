"""HTTP/2 with prior knowledge on a cleartext port: what the stock AWS JavaScript client speaks."""

from __future__ import annotations

import asyncio

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError

from tests.wire.standin.messages import Headers, Request
from tests.wire.standin.stage import ClientGone, Stage

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Http2Connection:
    """One connection with many streams over the transport of the HTTP/1.1 connection it began as."""

    def __init__(self, stage: Stage, transport: asyncio.Transport) -> None:
        self._stage = stage
        self._transport = transport
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self._streams: dict[int, Http2Stream] = {}
        self._leaving = False
        self.flush()

    def receive(self, data: bytes) -> None:
        """Bytes of the client; may be cut anywhere."""
        self.flush()
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            self.flush()
            self._transport.close()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                pairs = [(str(name), str(value)) for name, value in event.headers]
                pseudo = dict(pairs)
                request = Request(pseudo[":method"], pseudo[":path"], "2", pairs)
                self._streams[event.stream_id] = Http2Stream(self, event.stream_id, request)
            elif isinstance(event, DataReceived):
                self._streams[event.stream_id].request.body += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self._streams[event.stream_id].start(self._stage)
            elif isinstance(event, StreamReset):
                self._streams[event.stream_id].gone.set()
            elif isinstance(event, WindowUpdated):
                for stream in self._streams.values():
                    stream.window.set()
            elif isinstance(event, ConnectionTerminated):
                # The client says goodbye right after its last request and still reads the reply; h2 would refuse to
                # send it, so its state machine is put back.
                self._leaving = True
                self.h2.state_machine.state = ConnectionState.SERVER_OPEN
        self.flush()
        self._close_when_done()

    def lost(self) -> None:
        """The connection is gone, and every stream with it."""
        for stream in self._streams.values():
            stream.gone.set()
            stream.window.set()

    def flush(self) -> None:
        """Sends what h2 has ready."""
        if data := self.h2.data_to_send():
            self._transport.write(data)

    def finished(self, stream_id: int) -> None:
        """A stream's reply is out, or its client is away."""
        self._streams.pop(stream_id, None)
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._leaving and not self._streams:
            self._transport.close()


class Http2Stream:
    """The wire of one stream."""

    def __init__(self, connection: Http2Connection, stream_id: int, request: Request) -> None:
        self.request = request
        self.gone = asyncio.Event()
        self.window = asyncio.Event()
        self._connection = connection
        self._id = stream_id

    def start(self, stage: Stage) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(stage))

    async def _run(self, stage: Stage) -> None:
        try:
            await stage.perform(self.request, self)
        finally:
            self._connection.finished(self._id)

    async def head(self, status: int, headers: Headers, *, length: int | None) -> None:
        framing = [] if length is None else [("content-length", str(length))]
        self._check()
        self._connection.h2.send_headers(self._id, [(":status", str(status)), *headers, *framing])
        self._connection.flush()

    async def data(self, chunk: bytes) -> None:
        h2 = self._connection.h2
        while chunk:
            self._check()
            room = min(h2.local_flow_control_window(self._id), h2.max_outbound_frame_size)
            if room <= 0:
                self.window.clear()
                await self.window.wait()
                continue
            h2.send_data(self._id, chunk[:room])
            self._connection.flush()
            chunk = chunk[room:]

    async def end(self) -> None:
        self._check()
        self._connection.h2.end_stream(self._id)
        self._connection.flush()

    def cut(self, *, reset: bool) -> None:
        # The AWS client takes a closed connection, and the codes NO_ERROR and CANCEL, for a clean end.
        self._connection.h2.reset_stream(self._id, ErrorCodes.INTERNAL_ERROR)
        self._connection.flush()

    async def pause(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return
        raise ClientGone

    def _check(self) -> None:
        if self.gone.is_set():
            raise ClientGone
