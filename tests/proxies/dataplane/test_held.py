"""Those who wait for their turn: the moments in which a turn comes, and a client leaves, at the same time."""

from __future__ import annotations

import asyncio
import random

import pytest

from proxies.dataplane.config import OverLimit, RateLimitConfig
from proxies.dataplane.held import Dismissed, Line
from proxies.dataplane.rate_limit import Bucket, Over
from tests.proxies.dataplane.proxying import UVLOOP

LOOP_FACTORIES = UVLOOP


class Scene:
    """A bucket that is full at 0 s, its line, and a clock that stands still until it is moved."""

    def __init__(self, rpm: int | None = 1, tpm: int | None = None, hold_s: float = 1000.0) -> None:
        self.now = 0.0
        self.limits = RateLimitConfig(rpm, tpm, over_limit=OverLimit.HOLD, hold_s=hold_s)
        self.bucket = Bucket()
        for _ in range(rpm or 0):
            self.bucket.admit(0.0, rpm, 0)
        self.lines: set[Line] = set()
        self.line = Line(self.bucket, self.limits, lambda: self.now, self.lines)

    def wait(self, tokens: int = 0) -> asyncio.Task[int | Over]:
        return asyncio.create_task(self.line.wait(self.now, lambda: tokens))

    def move(self, now: float) -> None:
        self.now = now
        self.line.look()

    @property
    def used(self) -> int:
        return self.bucket.requests.used(self.now)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of the line: nobody in it, no timer."""
        return len(self.line) == 0 and not self.lines and self.bucket.line is None and self.line._timer is None


async def got(task: asyncio.Task[int | Over]) -> int | Over:
    """What a task that is about to end comes to."""
    return await asyncio.wait_for(task, 20)


async def turn() -> None:
    """Lets every task that is ready run once."""
    await asyncio.sleep(0)


async def test_nobody_passes_before_the_one_who_came_first() -> None:
    scene = Scene(rpm=2)
    tasks = [scene.wait() for _ in range(4)]
    await turn()
    scene.move(59.0)
    await turn()
    assert [task.done() for task in tasks] == [False] * 4
    scene.move(60.0)
    await turn()
    assert [task.done() for task in tasks] == [True, True, False, False]
    scene.move(120.0)
    assert [await got(task) for task in tasks] == [0, 0, 0, 0]
    assert scene.is_over


async def test_who_has_waited_too_long_is_told_how_long_it_would_still_take() -> None:
    scene = Scene(hold_s=45.0)
    task = scene.wait()
    await turn()
    scene.move(45.0)
    assert await got(task) == Over("requests", 15.0)
    assert (scene.used, scene.is_over) == (1, True)


async def test_who_leaves_when_it_is_let_in_does_not_count() -> None:
    scene = Scene()
    first, second = scene.wait(70), scene.wait()
    await turn()
    scene.move(60.0)  # lets the first in, whose task has not run yet
    assert scene.used == 1
    assert scene.bucket.reserved == 70
    first.cancel()
    await turn()
    assert first.cancelled()
    assert await got(second) == 0  # the place goes to the next at once
    assert (scene.used, scene.bucket.reserved, scene.is_over) == (1, 0, True)


async def test_who_has_left_is_not_let_in() -> None:
    scene = Scene()
    first, second = scene.wait(), scene.wait()
    await turn()
    first.cancel()  # its task has not run yet
    scene.move(60.0)
    assert await got(second) == 0
    assert first.cancelled()
    assert (scene.used, scene.is_over) == (1, True)


async def test_who_leaves_from_the_front_of_the_line_gives_way() -> None:
    scene = Scene(None, 100)
    scene.bucket.settle(0.0, 0, 50)
    large, small = scene.wait(80), scene.wait(10)
    await turn()
    assert not small.done()  # it would fit, but has to wait for its turn
    large.cancel()
    assert await got(small) == 10
    assert scene.is_over


async def test_a_line_is_over_when_all_have_left() -> None:
    scene = Scene()
    tasks = [scene.wait() for _ in range(3)]
    await turn()
    assert not scene.is_over
    for task in tasks:
        task.cancel()
    await turn()
    assert scene.is_over


async def test_what_a_request_will_use_is_asked_again_when_its_turn_comes() -> None:
    scene = Scene(None, 100)
    scene.bucket.admit(0.0, None, 100)
    guesses = [100]
    task = asyncio.create_task(scene.line.wait(0.0, lambda: guesses[-1]))
    await turn()
    guesses.append(5)
    scene.bucket.settle(0.0, 100, 20)
    scene.line.look()
    assert await got(task) == 5
    assert (scene.bucket.reserved, scene.bucket.tokens.used(0.0)) == (5, 20)


async def test_those_dismissed_ask_again_in_their_order_and_leave_nothing() -> None:
    scene = Scene()
    order: list[int] = []

    async def ask(number: int) -> None:
        with pytest.raises(Dismissed):
            await scene.line.wait(scene.now, lambda: 0)
        order.append(number)

    tasks = [asyncio.create_task(ask(number)) for number in range(5)]
    await turn()
    tasks[2].cancel()
    scene.line.dismiss()
    assert scene.is_over
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 3, 4]
    assert scene.used == 1


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_in_whatever_order_nobody_is_lost_and_the_limit_holds(seed: int) -> None:
    dice = random.Random(seed)
    scene = Scene(rpm=3, hold_s=200.0)
    tasks: list[asyncio.Task[int | Over]] = []

    async def ask() -> int | Over:
        if scene.bucket.line is None:
            scene.line = Line(scene.bucket, scene.limits, lambda: scene.now, scene.lines)
        return await scene.line.wait(scene.now, lambda: 0)

    def leave() -> None:
        if tasks:
            dice.choice(tasks).cancel()

    def come() -> None:
        tasks.append(asyncio.create_task(ask()))

    def move() -> None:
        scene.move(scene.now + dice.choice([1.0, 20.0, 60.0]))

    for _ in range(200):
        dice.choice([come, come, leave, move])()
        assert scene.used <= 3
        if dice.random() < 0.5:
            await turn()
    for _ in range(100):
        scene.move(scene.now + 60.0)
        assert scene.used <= 3
        await turn()
    assert all(task.done() for task in tasks)
    assert scene.is_over
    let_in = [task for task in tasks if not task.cancelled() and not isinstance(task.result(), Over)]
    assert len(let_in) > 10
