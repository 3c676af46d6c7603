"""The control channel between the supervisor and one of its processes: JSON lines over a socket pair.

| from the supervisor | answer |
| --- | --- |
| | `ready {generation, site_generation}`: it serves; `failed {reason}`: it cannot, and leaves |
| `ping {}` | `pong {in_flight}` |
| `reload {generation, site_generation}` | `applied {generation, site_generation}` or `reload_failed {reason}` |
| `drain {limit_s}` | `in_flight {in_flight}` while it lasts, `drained {cut}` before it leaves |
| end of file: the supervisor is dead | the process drains and leaves |
"""

from __future__ import annotations

import json
import select
import socket
import time
from typing import Any

Message = dict[str, Any]
"""`{"type": ..., ...}` as in the table above."""

UNSENT_MAX_BYTES = 64 * 1024
READ_BYTES = 64 * 1024


class Channel:
    """One end. Never blocks. `is_closed` once the other end is gone; what it said before is still received."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._unsent = bytearray()
        self._partial = b""
        self.is_closed = False

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        left, right = socket.socketpair()
        return cls(left), cls(right)

    def fileno(self) -> int:
        return self._sock.fileno()

    def send(self, kind: str, **fields: Any) -> None:
        """What the other end is too slow for waits for the next `send`; past 64 KiB of that, messages are dropped."""
        if self.is_closed:
            return
        if len(self._unsent) < UNSENT_MAX_BYTES:
            self._unsent += json.dumps({"type": kind, **fields}, separators=(",", ":")).encode() + b"\n"
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            return  # the reading side reports the end, after what was said before it
        del self._unsent[:sent]

    def receive(self) -> list[Message]:
        """The messages that have arrived. To be called when the descriptor is readable."""
        chunks = [self._partial]
        while not self.is_closed:
            try:
                chunk = self._sock.recv(READ_BYTES)
            except BlockingIOError:
                break
            except ConnectionError:
                chunk = b""
            if not chunk:
                self.is_closed = True
            chunks.append(chunk)
            if len(chunk) < READ_BYTES:
                break
        *lines, self._partial = b"".join(chunks).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        self.is_closed = True
        self._sock.close()


class StopRequest:
    """What tells a blocking process to leave: `drain`, TERM, or the death of the supervisor. Answers pings."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        """Looks, without waiting."""
        return self.wait(0)

    def wait(self, timeout_s: float, also: int | None = None) -> bool:
        """Blocks until told to leave, at most `timeout_s`, or until the descriptor `also` is readable.

        Returns whether it is time to leave.
        """
        deadline = time.monotonic() + timeout_s
        while not self._is_set:
            poller = select.poll()
            poller.register(self._channel, select.POLLIN)
            if also is not None:
                poller.register(also, select.POLLIN)
            left_s = max(0.0, deadline - time.monotonic())
            ready = {descriptor for descriptor, _ in poller.poll(left_s * 1000)}
            if self._channel.fileno() not in ready:
                break
            for message in self._channel.receive():
                if message["type"] == "drain":
                    self._is_set = True
                elif message["type"] == "ping":
                    self._channel.send("pong", in_flight=0)
            self._is_set = self._is_set or self._channel.is_closed
        return self._is_set
