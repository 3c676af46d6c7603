"""How streams pass: first event, later events, reads, and how soon the upstream learns that a client has left."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from bench.client import Client, expect_ok, request_bytes
from bench.load import body, fresh_mark
from bench.processes import BenchError
from bench.stub import EVENTS

_STAMP = b'"content": "'
_END = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Medians in milliseconds: from the request to the first event, from a later event's sending to its arrival.
    `reads_per_event`: socket reads that brought events, for each event."""

    first_ms: float
    later_ms: float
    reads_per_event: float


def stream_times(ports: list[int], *, rounds: int) -> list[StreamTimes]:
    """For each port, its streams taken in turns; every stream is of another prompt."""
    first: list[list[float]] = [[] for _ in ports]
    later: list[list[float]] = [[] for _ in ports]
    reads = [0] * len(ports)
    for number in range(rounds + 2):
        for place, port in enumerate(ports):
            first_ms, lateness_ms, count = _one_stream(port, f"stream {fresh_mark()}")
            if number >= 2:
                first[place].append(first_ms)
                later[place] += lateness_ms
                reads[place] += count
    return [
        StreamTimes(statistics.median(first[place]), statistics.median(later[place]), reads[place] / rounds / EVENTS)
        for place in range(len(ports))
    ]


def _one_stream(port: int, mark: str) -> tuple[float, list[float], int]:
    client = Client(port)
    request = request_bytes(body(mark, is_streaming=True))
    time.sleep(0.002)
    began = time.monotonic_ns()
    client.sock.sendall(request)
    got = b""
    seen = reads = 0
    first_ms = 0.0
    lateness_ms = []
    while not got.endswith(_END):
        data = client.sock.recv(65536)
        now = time.monotonic_ns()
        if not data:
            raise BenchError("a stream ended before its end")
        if not got and not data.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"a stream was refused: {data[:300]!r}")
        got += data
        events = got.count(_STAMP)
        if events > seen:
            reads += 1
            if not seen:
                first_ms = (now - began) / 1e6
            else:
                stamp = int(got[got.rindex(_STAMP) + len(_STAMP) :].split(b'"', 1)[0])
                lateness_ms.append((now - stamp) / 1e6)
            seen = events
    client.close()
    if seen != EVENTS:
        raise BenchError(f"a stream brought {seen} of {EVENTS} events")
    return first_ms, lateness_ms, reads


def cancel_times_ms(port: int, stub_port: int, *, count: int) -> list[float]:
    """From a client's leaving until the upstream notices, sorted."""
    upstream = Client(stub_port)
    times = []
    for _ in range(count):
        before, _ = _left(upstream)
        client = _hang(port)
        time.sleep(0.1)
        closed_at = time.monotonic_ns()
        client.close()
        deadline = time.monotonic() + 10
        while True:
            left, at = _left(upstream)
            if left > before:
                break
            if time.monotonic() > deadline:
                raise BenchError("the upstream was not cancelled")
            time.sleep(0.005)
        times.append((at - closed_at) / 1e6)
    upstream.close()
    return sorted(times)


class HeldStreams:
    """Streams that have begun and then are silent: as many upstream connections, idle but not free."""

    def __init__(self, port: int, count: int) -> None:
        self._clients = [_hang(port) for _ in range(count)]

    def close(self) -> None:
        for client in self._clients:
            client.close()


def _hang(port: int) -> Client:
    client = Client(port)
    request = request_bytes(body(f"hang {fresh_mark()}", is_streaming=True), "/v1/chat/completions?hang")
    client.sock.sendall(request)
    got = b""
    while _STAMP not in got:
        data = client.sock.recv(65536)
        if not data:
            raise BenchError(f"a stream did not begin: {got[:300]!r}")
        got += data
    return client


def _left(upstream: Client) -> tuple[int, int]:
    head, text = upstream.ask(request_bytes(b"", "/v1/left", "GET"))
    expect_ok(head)
    count, at = text.split()
    return int(count), int(at)
