"""The control channel, over real socket pairs."""

from __future__ import annotations

import socket
import time

from proxies.supervisor.control import UNSENT_MAX_BYTES, Channel, StopRequest


def test_messages_arrive_in_order_and_whole() -> None:
    left, right = Channel.pair()
    left.send("reload")
    left.send("drain", limit_s=1.5)
    assert right.receive() == [{"type": "reload"}, {"type": "drain", "limit_s": 1.5}]
    assert right.receive() == []
    left.close()
    right.close()


def test_a_message_cut_in_two_is_put_together() -> None:
    sock, other = socket.socketpair()
    channel = Channel(other)
    sock.sendall(b'{"type":"po')
    assert channel.receive() == []
    sock.sendall(b'ng","in_flight":3}\n')
    assert channel.receive() == [{"type": "pong", "in_flight": 3}]
    sock.close()
    channel.close()


def test_what_was_said_before_the_end_is_still_heard() -> None:
    left, right = Channel.pair()
    left.send("drained", cut=0)
    left.close()
    assert right.receive() == [{"type": "drained", "cut": 0}]
    right.receive()
    assert right.is_closed
    right.close()


def test_sending_to_a_dead_process_does_nothing() -> None:
    left, right = Channel.pair()
    right.close()
    left.send("ping")
    left.send("ping")
    assert left.receive() == []
    assert left.is_closed
    left.close()


def test_a_process_that_does_not_listen_costs_bounded_memory_and_loses_no_part_of_a_message() -> None:
    left, right = Channel.pair()
    for number in range(20_000):
        left.send("reload", filler="x" * 100, number=number)
    assert len(left._unsent) <= UNSENT_MAX_BYTES + 200
    heard = []
    while messages := right.receive():
        heard += messages
        if left._unsent:
            left.send("ping")
    numbers = [message["number"] for message in heard if message["type"] == "reload"]
    assert numbers == list(range(len(numbers)))
    assert UNSENT_MAX_BYTES // 200 < len(numbers) < 20_000
    left.close()
    right.close()


def test_a_stop_request_waits_no_longer_than_told() -> None:
    ours, theirs = Channel.pair()
    began = time.monotonic()
    assert not StopRequest(theirs).wait(0.05)
    assert time.monotonic() - began >= 0.045
    ours.close()
    theirs.close()


def test_a_stop_request_hears_drain_and_answers_pings() -> None:
    ours, theirs = Channel.pair()
    stop = StopRequest(theirs)
    ours.send("ping")
    assert not stop.is_set()
    assert ours.receive() == [{"type": "pong", "in_flight": 0}]
    ours.send("drain", limit_s=10)
    assert stop.wait(60)
    ours.close()
    theirs.close()


def test_the_death_of_the_supervisor_is_a_stop_request() -> None:
    ours, theirs = Channel.pair()
    stop = StopRequest(theirs)
    ours.close()
    assert stop.wait(60)
    theirs.close()


def test_a_stop_request_can_be_set_by_a_signal_handler() -> None:
    ours, theirs = Channel.pair()
    stop = StopRequest(theirs)
    stop.set()
    assert stop.wait(60)
    ours.close()
    theirs.close()


def test_a_wait_for_a_stop_request_ends_when_another_descriptor_has_something_to_say() -> None:
    ours, theirs = Channel.pair()
    left, right = socket.socketpair()
    stop = StopRequest(theirs)
    left.send(b"!")
    assert not stop.wait(600, right.fileno())
    ours.send("drain", limit_s=10)
    assert stop.wait(600, right.fileno())
    for end in (ours, theirs, left, right):
        end.close()
