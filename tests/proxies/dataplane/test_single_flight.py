"""Identical requests share one upstream reply: nobody waits for the slowest, nobody loses a byte, nobody's leaving
hurts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxies.dataplane.errors import ErrorKind, UpstreamError
from proxies.dataplane.single_flight import FellBehind, Flight, Head, LeaderLeft, Seat, SingleFlight

KEY = b"k" * 32
HEAD = Head(200, [(b"content-type", b"text/event-stream")])
CUT = UpstreamError(ErrorKind.UPSTREAM_CUT, "cut", is_retryable=False)


class Upstream:
    """A reply that comes when the test says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.is_closed = False
        self.reads = 0

    async def frames(self) -> AsyncIterator[bytes]:
        while True:
            frame = await self.queue.get()
            if frame is None:
                return
            if isinstance(frame, Exception):
                raise frame
            self.reads += 1
            yield frame

    def send(self, *frames: bytes | Exception | None) -> None:
        for frame in frames:
            self.queue.put_nowait(frame)

    async def close(self) -> None:
        self.is_closed = True


class Tap:
    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.ends: list[BaseException | None] = []

    def feed(self, frame: bytes) -> None:
        self.frames.append(frame)

    def end(self, error: BaseException | None) -> None:
        self.ends.append(error)


class Scene:
    """One flight with its upstream, tap and leader."""

    def __init__(self, most_bytes: int = 1000, stall_s: float = 30.0) -> None:
        self.flights = SingleFlight(most_bytes, stall_s)
        self.flight: Flight = self.flights.lead(KEY)
        self.upstream = Upstream()
        self.tap = Tap()

    def open(self) -> None:
        self.flight.open(HEAD, self.tap, self.upstream.frames(), self.upstream.close)

    def follow(self) -> Seat:
        seat = self.flights.follow(KEY)
        assert seat is not None
        return seat

    @property
    def has_pump(self) -> bool:
        return self.flight._pump is not None


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def rest(reader: Flight | Seat) -> list[bytes]:
    frames = []
    while (frame := await reader.read()) is not None:
        frames.append(frame)
    return frames


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_lone_leader_reads_by_itself(scene: Scene) -> None:
    scene.open()
    scene.upstream.send(b"1", b"2", None)
    assert await rest(scene.flight) == [b"1", b"2"]
    assert scene.tap.frames == [b"1", b"2"]
    assert scene.tap.ends == [None]
    assert not scene.has_pump
    assert scene.flight.release() is False
    assert len(scene.flights) == 0
    assert scene.flights.follow(KEY) is None


async def test_followers_get_every_frame_whenever_they_join(scene: Scene) -> None:
    early = scene.follow()
    waiting = asyncio.create_task(early.head())
    await settle()
    assert not waiting.done()
    scene.open()
    assert await waiting is HEAD
    scene.upstream.send(b"1", b"2")
    assert await scene.flight.read() == b"1"
    late = scene.follow()
    assert await late.head() is HEAD
    scene.upstream.send(b"3", None)
    assert await rest(scene.flight) == [b"2", b"3"]
    assert await rest(early) == await rest(late) == [b"1", b"2", b"3"]
    assert scene.upstream.reads == 3
    assert scene.tap.ends == [None]


async def test_frames_reach_followers_as_they_arrive(scene: Scene) -> None:
    scene.open()
    follower = scene.follow()
    for frame in (b"1", b"2", b"3"):
        reading = asyncio.create_task(follower.read())
        await settle()
        assert not reading.done()
        scene.upstream.send(frame)
        assert await reading == frame


async def test_a_leader_that_stops_reading_holds_up_nobody(scene: Scene) -> None:
    scene.open()
    scene.upstream.send(b"1")
    assert await scene.flight.read() == b"1"  # and now its client takes nothing
    follower = scene.follow()
    scene.upstream.send(b"2", None)
    assert await rest(follower) == [b"1", b"2"]
    assert await rest(scene.flight) == [b"2"]


async def test_a_follower_may_join_while_the_leader_waits_for_a_frame(scene: Scene) -> None:
    scene.open()
    reading = asyncio.create_task(scene.flight.read())
    await settle()
    follower = scene.follow()
    assert not scene.has_pump  # the upstream is being read already
    scene.upstream.send(b"1", b"2", None)
    assert await reading == b"1"
    assert scene.has_pump
    assert await rest(follower) == [b"1", b"2"]
    assert await rest(scene.flight) == [b"2"]


async def test_a_reply_that_came_whole_is_shared(scene: Scene) -> None:
    follower = scene.follow()
    scene.flight.open(HEAD, scene.tap)
    scene.flight.publish(b"all")
    scene.flight.end(None)
    assert scene.flight.release() is False
    assert await follower.head() is HEAD
    assert await rest(follower) == [b"all"]
    assert scene.tap.ends == [None]


async def test_without_a_head_to_share_everyone_goes_up_alone(scene: Scene) -> None:
    follower = scene.follow()
    waiting = asyncio.create_task(follower.head())
    await settle()
    scene.flight.abandon()
    assert await waiting is None
    assert scene.flights.follow(KEY) is None
    one, other = scene.flights.lead(KEY), scene.flights.lead(KEY)
    other.abandon()
    assert len(scene.flights) == 1
    one.abandon()
    assert len(scene.flights) == 0


async def test_a_leader_that_fails_before_the_head_frees_the_followers(scene: Scene) -> None:
    follower = scene.follow()
    assert scene.flight.release() is False
    assert await follower.head() is None
    assert scene.tap.ends == []


async def test_a_reply_that_breaks_off_breaks_off_for_all(scene: Scene) -> None:
    scene.open()
    followers = [scene.follow(), scene.follow()]
    scene.upstream.send(b"1", CUT)
    for reader in (scene.flight, *followers):
        assert await reader.read() == b"1"
        with pytest.raises(UpstreamError, match="cut"):
            await reader.read()
    assert scene.tap.ends == [CUT]
    assert scene.upstream.is_closed
    assert scene.flights.follow(KEY) is None


async def test_a_lone_leader_gets_the_error_itself(scene: Scene) -> None:
    scene.open()
    scene.upstream.send(CUT)
    with pytest.raises(UpstreamError):
        await scene.flight.read()
    assert scene.tap.ends == [CUT]


async def test_when_a_lone_leader_leaves_it_is_cancelled(scene: Scene) -> None:
    scene.open()
    reading = asyncio.create_task(scene.flight.read())
    await settle()
    assert scene.flight.leave(reading.cancel) is True
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert scene.flight.release() is False
    assert isinstance(scene.tap.ends[0], asyncio.CancelledError)
    assert len(scene.flights) == 0


async def lead(scene: Scene, *, head: asyncio.Event | None = None) -> list[bytes]:
    """What the pipeline does, in short."""
    try:
        if head is not None:
            await head.wait()
            scene.open()
        return await rest(scene.flight)
    finally:
        if not scene.flight.release():
            await scene.upstream.close()


async def test_when_the_leader_leaves_before_the_head_the_call_goes_on_for_the_others(scene: Scene) -> None:
    head = asyncio.Event()
    leader = asyncio.create_task(lead(scene, head=head))
    follower = scene.follow()
    await settle()
    assert scene.flight.leave(leader.cancel) is False
    head.set()
    scene.upstream.send(b"1", None)
    with pytest.raises(LeaderLeft):
        await leader
    assert await follower.head() is HEAD
    assert await rest(follower) == [b"1"]
    assert scene.tap.ends == [None]


async def test_when_the_leader_leaves_while_it_reads_the_reading_changes_hands(scene: Scene) -> None:
    scene.open()
    leader = asyncio.create_task(lead(scene))
    await settle()
    follower = scene.follow()
    assert scene.flight.leave(leader.cancel) is False
    scene.upstream.send(b"1")
    with pytest.raises(LeaderLeft):
        await leader
    assert not scene.upstream.is_closed
    scene.upstream.send(b"2", None)
    assert await rest(follower) == [b"1", b"2"]
    assert scene.upstream.is_closed


async def test_when_the_leader_leaves_a_flight_with_a_pump_it_goes_at_once(scene: Scene) -> None:
    scene.open()
    follower = scene.follow()
    leader = asyncio.create_task(lead(scene))
    await settle()
    assert scene.flight.leave(leader.cancel) is False
    with pytest.raises(LeaderLeft):
        await leader
    scene.upstream.send(b"1", None)
    assert await rest(follower) == [b"1"]


@pytest.mark.parametrize("stage", ["before the head", "reading", "pump"])
async def test_the_last_one_to_leave_cancels_the_upstream_call(scene: Scene, stage: str) -> None:
    head = asyncio.Event()
    if stage == "pump":
        scene.open()
        seats = [scene.follow(), scene.follow()]
        leader = asyncio.create_task(lead(scene))
        await settle()
    else:
        if stage == "reading":
            head.set()
        leader = asyncio.create_task(lead(scene, head=head))
        await settle()
        seats = [scene.follow(), scene.follow()]
    assert scene.flight.leave(leader.cancel) is False
    seats[0].leave()
    await settle()
    assert not scene.upstream.is_closed
    seats[1].leave()
    await settle()
    assert scene.upstream.is_closed
    assert leader.done()
    assert len(scene.flights) == 0
    assert scene.tap.ends == [] or scene.tap.ends[0] is not None


async def test_a_pump_cancelled_before_its_first_step_still_closes_the_source(scene: Scene) -> None:
    scene.open()
    scene.follow().leave()  # the pump has been made, and has not run
    assert scene.flight.leave(lambda: None) is True
    assert scene.flight.release() is True
    await settle()
    assert scene.upstream.is_closed
    assert len(scene.tap.ends) == 1
    assert scene.tap.ends[0] is not None


async def test_followers_leaving_leaves_the_leader_alone(scene: Scene) -> None:
    scene.open()
    seats = [scene.follow() for _ in range(3)]
    for seat in seats:
        seat.leave()
        seat.leave()
    scene.upstream.send(b"1", None)
    assert await rest(scene.flight) == [b"1"]
    assert not scene.flight.has_followers


async def test_a_failing_leader_hands_the_reply_over(scene: Scene) -> None:
    scene.open()
    leader = asyncio.create_task(lead(scene))
    await settle()
    follower = scene.follow()
    scene.upstream.send(b"1")
    await settle()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    scene.upstream.send(b"2", None)
    assert await rest(follower) == [b"1", b"2"]


async def test_a_leader_stopped_while_it_reads_cuts_the_others(scene: Scene) -> None:
    scene.open()
    leader = asyncio.create_task(lead(scene))
    await settle()
    follower = scene.follow()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    with pytest.raises(UpstreamError, match="given up"):
        await follower.read()


async def test_past_the_buffer_nobody_can_join_and_what_everyone_had_is_let_go() -> None:
    scene = Scene(most_bytes=10)
    scene.open()
    follower = scene.follow()
    frames = [b"%04d" % number for number in range(100)]
    scene.upstream.send(*frames, None)
    mine: list[bytes] = []
    theirs: list[bytes] = []
    while (frame := await follower.read()) is not None:
        theirs.append(frame)
        assert scene.flight._reply.held_bytes <= 14
        frame = await scene.flight.read()
        assert frame is not None
        mine.append(frame)
        if len(mine) > 5:
            assert scene.flights.follow(KEY) is None
    assert mine == theirs == frames


async def test_a_lone_leader_holds_a_bounded_part_of_a_long_reply() -> None:
    scene = Scene(most_bytes=10)
    scene.open()
    scene.upstream.send(*[b"12345"] * 100, None)
    while await scene.flight.read() is not None:
        assert scene.flight._reply.held_bytes <= 15
    assert len(scene.tap.frames) == 100


async def test_the_upstream_is_not_read_faster_than_the_buffer_allows() -> None:
    scene = Scene(most_bytes=10)
    scene.open()
    follower = scene.follow()
    scene.upstream.send(*[b"12345"] * 10, None)
    await settle()
    assert scene.upstream.reads == 3
    scene.flight.leave(lambda: None)
    assert await rest(follower) == [b"12345"] * 10


async def test_who_takes_nothing_is_left_behind_and_the_others_get_everything() -> None:
    scene = Scene(most_bytes=10, stall_s=0.02)
    scene.open()
    stuck, follower = scene.follow(), scene.follow()
    scene.upstream.send(*[b"12345"] * 10, None)
    assert await asyncio.gather(rest(follower), rest(scene.flight)) == [[b"12345"] * 10] * 2
    with pytest.raises(FellBehind):
        await stuck.read()


async def test_many_clients_of_every_pace_get_the_same_bytes() -> None:
    scene = Scene(most_bytes=100_000)
    scene.open()
    frames: list[Any] = [b"%d" % number for number in range(300)]

    async def client(pace: int) -> list[bytes]:
        seat = scene.follow()
        got = []
        while (frame := await seat.read()) is not None:
            got.append(frame)
            if len(got) % 7 < pace:
                await asyncio.sleep(0)
        seat.leave()
        return got

    clients = [asyncio.create_task(client(number % 8)) for number in range(50)]
    leader = asyncio.create_task(lead(scene))
    for frame in frames:
        scene.upstream.send(frame)
        await asyncio.sleep(0)
    scene.upstream.send(None)
    assert all([await task == frames for task in (*clients, leader)])
    assert scene.upstream.reads == 300
