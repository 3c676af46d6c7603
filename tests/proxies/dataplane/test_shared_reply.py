"""A shared reply holds what somebody has not had yet, and no more than its bound."""

from __future__ import annotations

import asyncio

import pytest

from proxies.dataplane.shared_reply import FellBehind, Seat, SharedReply


def shared(most_bytes: int = 10) -> tuple[SharedReply, list[str]]:
    emptied: list[str] = []
    return SharedReply(most_bytes, lambda: emptied.append("empty")), emptied


async def test_frames_are_held_from_the_start_while_they_fit() -> None:
    reply, _ = shared()
    seat = Seat(reply)
    reply.append(b"12345")
    assert await seat.read() == b"12345"
    reply.trim()
    assert reply.frames == [b"12345"]
    assert reply.is_from_start


async def test_past_the_bound_what_everyone_had_is_let_go() -> None:
    reply, _ = shared()
    seat, slower = Seat(reply), Seat(reply)
    for frame in (b"12345", b"67890", b"!"):
        reply.append(frame)
    assert reply.is_overfull
    assert [await seat.read() for _ in range(3)] == [b"12345", b"67890", b"!"]
    assert await slower.read() == b"12345"
    reply.trim()
    assert reply.frames == [b"67890", b"!"]
    assert not reply.is_overfull
    assert await slower.read() == b"67890"


async def test_room_is_there_as_soon_as_the_slowest_has_caught_up() -> None:
    reply, _ = shared()
    seat = Seat(reply)
    reply.append(b"x" * 11)
    waiting = asyncio.create_task(reply.wait_for_room(30))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await seat.read() == b"x" * 11
    async with asyncio.timeout(20):
        await waiting
    assert reply.held_bytes == 0


async def test_who_holds_everyone_up_too_long_loses_the_seat() -> None:
    reply, emptied = shared()
    stuck = Seat(reply)
    reply.append(b"x" * 11)
    await reply.wait_for_room(0.0)
    with pytest.raises(FellBehind):
        await stuck.read()
    assert emptied == ["empty"]


async def test_the_last_one_to_leave_is_noticed_once() -> None:
    reply, emptied = shared()
    seats = [Seat(reply), Seat(reply)]
    for seat in (*seats, *seats):
        seat.leave()
    assert emptied == ["empty"]
