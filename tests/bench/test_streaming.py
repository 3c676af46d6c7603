"""The benchmark's own clients, against its own upstream: what it reports of a server without a proxy in between."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.client import Client, expect_ok, header, request_bytes
from bench.latency import Target, latencies_ms, percentile
from bench.load import body, fresh_mark
from bench.processes import BenchError, children, cpu_us, pss_mib
from bench.streaming import HeldStreams, cancel_times_ms, stream_times
from bench.stub import REPLY_BODY, start_stub


@pytest.fixture
def stub_port() -> Iterator[int]:
    process, port = start_stub(min(os.sched_getaffinity(0)))
    yield port
    process.terminate()
    process.join()


def test_unary_request_gets_the_canned_reply(stub_port: int) -> None:
    client = Client(stub_port)
    for mark in ("one", "two"):
        head, reply = client.ask(request_bytes(body(mark)))
        expect_ok(head)
        assert reply == REPLY_BODY
        assert header(head, b"content-type") == b"application/json"
    client.close()


def test_refusal_ends_the_benchmark() -> None:
    with pytest.raises(BenchError, match="503"):
        expect_ok(b"HTTP/1.1 503 Service Unavailable")


def test_requests_are_as_long_as_the_goals_say() -> None:
    assert 1150 < len(body(fresh_mark())) < 1250
    assert 1350 < len(REPLY_BODY) < 1450
    assert fresh_mark() != fresh_mark()


def test_stream_is_read_event_by_event(stub_port: int) -> None:
    [times] = stream_times([stub_port], rounds=2)
    assert times.first_ms > 0
    assert times.later_ms > 0
    assert 0 < times.reads_per_event <= 1


def test_leaving_is_seen_by_the_upstream(stub_port: int) -> None:
    assert len(cancel_times_ms(stub_port, stub_port, count=2)) == 2


def test_held_streams_stay_open_beside_other_requests(stub_port: int) -> None:
    held = HeldStreams(stub_port, 5)
    client = Client(stub_port)
    _, counted = client.ask(request_bytes(b"", "/v1/left", "GET"))
    held.close()
    client.close()
    assert counted == b"0 0"


def test_latencies_come_sorted_and_one_for_each_request(stub_port: int) -> None:
    target = Target(stub_port, lambda number: request_bytes(body(str(number))))
    one, other = latencies_ms([target, target], per_s=500, count=20)
    assert len(one) == len(other) == 20
    assert one == sorted(one)


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(100)]
    assert [percentile(values, 50), percentile(values, 99), percentile(values, 100)] == [50.0, 99.0, 99.0]


def test_processes_tell_their_cpu_time_and_memory() -> None:
    assert cpu_us([os.getpid()]) > 0
    assert pss_mib(os.getpid()) > 1
    assert os.getpid() in children(os.getpid())
