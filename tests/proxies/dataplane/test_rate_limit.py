"""The sliding minute against a naive model: exact for requests and tokens, at the edges and in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from proxies.dataplane.rate_limit import WINDOW_S, Bucket, Over, RequestWindow, TokenWindow

# Moments are multiples of 1/1024 s, which floats hold exactly: the model and the window then agree to the last bit.
GRAIN = 1 / 1024
gaps = st.one_of(st.just(0), st.integers(0, 100), st.integers(0, 70 * 1024))


@dataclass
class Naive:
    """The same rules, kept as plain lists and counted anew every time."""

    rpm: int | None
    tpm: int | None
    admitted: list[float] = field(default_factory=list)
    used: list[tuple[float, int]] = field(default_factory=list)
    reserved: list[int] = field(default_factory=list)

    def requests(self, now: float) -> int:
        return len([at for at in self.admitted if at > now - WINDOW_S])

    def tokens(self, now: float) -> int:
        return sum(tokens for at, tokens in self.used if at > now - WINDOW_S)

    def fits(self, now: float, reservation: int) -> bool:
        if self.rpm is not None and self.requests(now) >= self.rpm:
            return False
        if self.tpm is None or not reservation:
            return True
        taken = self.tokens(now) + sum(self.reserved)
        return taken == 0 or taken + reservation <= self.tpm


@given(
    st.one_of(st.none(), st.integers(1, 5)),
    st.one_of(st.none(), st.integers(1, 100)),
    st.lists(st.tuples(gaps, st.integers(0, 60), st.one_of(st.none(), st.integers(0, 80))), max_size=60),
)
def test_it_admits_what_a_naive_model_admits_at_any_moment(
    rpm: int | None, tpm: int | None, steps: list[tuple[int, int, int | None]]
) -> None:
    bucket, naive, now = Bucket(), Naive(rpm, tpm), 0.0
    flying: list[int] = []
    for gap, reservation, ends_with in steps:
        now += gap * GRAIN
        over = bucket.over(now, rpm, tpm, reservation)
        assert (over is None) == naive.fits(now, reservation)
        if over is None:
            bucket.admit(now, rpm, reservation)
            naive.admitted.append(now)
            if reservation:
                naive.reserved.append(reservation)
                flying.append(reservation)
        if ends_with is not None and flying:
            done = flying.pop(0)
            bucket.settle(now, done, ends_with)
            naive.reserved.remove(done)
            naive.used.append((now, ends_with))
        quota = bucket.quota(now, rpm, tpm)
        if rpm is not None:
            assert quota.remaining_requests == rpm - naive.requests(now)
        if tpm is not None:
            assert quota.remaining_tokens == max(0, tpm - naive.tokens(now) - sum(naive.reserved))


@given(
    st.integers(1, 5),
    st.integers(1, 100),
    st.lists(st.tuples(gaps, st.integers(1, 60), st.integers(0, 80)), min_size=1, max_size=40),
)
def test_the_wait_it_names_is_the_exact_one(rpm: int, tpm: int, steps: list[tuple[int, int, int]]) -> None:
    bucket, now = Bucket(), 0.0
    for gap, reservation, tokens in steps:
        now += gap * GRAIN
        over = bucket.over(now, rpm, tpm, reservation)
        if over is None:
            bucket.admit(now, rpm, reservation)
            bucket.settle(now, reservation, tokens)
            continue
        assert 0 < over.wait_s <= WINDOW_S
        # A moment too early it does not fit, and then it does. Neither question changes anything before that moment.
        early = bucket.over(now + over.wait_s - GRAIN, rpm, tpm, reservation)
        assert early is not None
        assert early.exceeded == over.exceeded
        now += over.wait_s
        assert bucket.over(now, rpm, tpm, reservation) is None


@given(st.integers(1, 8), st.lists(gaps, max_size=100))
def test_no_half_open_minute_ever_holds_more_than_the_limit(rpm: int, steps: list[int]) -> None:
    bucket, now = Bucket(), 0.0
    admitted: list[float] = []
    for gap in steps:
        now += gap * GRAIN
        while bucket.over(now, rpm, None, 0) is None:
            bucket.admit(now, rpm, 0)
            admitted.append(now)
    for begin in admitted:
        assert len([at for at in admitted if begin <= at < begin + WINDOW_S]) <= rpm
    assert len([at for at in admitted if at > now - WINDOW_S]) == rpm or not steps


def test_a_minute_is_over_after_sixty_seconds_and_not_before() -> None:
    bucket = Bucket()
    for _ in range(3):
        assert bucket.over(100.0, 3, None, 0) is None
        bucket.admit(100.0, 3, 0)
    assert bucket.over(100.0, 3, None, 0) == Over("requests", 60.0)
    assert bucket.over(159.75, 3, None, 0) == Over("requests", 0.25)
    assert bucket.over(160.0, 3, None, 0) is None


def test_a_burst_at_the_end_of_a_minute_leaves_nothing_for_its_edge() -> None:
    bucket = Bucket()
    for _ in range(10):
        bucket.admit(59.0, 10, 0)
    assert bucket.over(60.0, 10, None, 0) == Over("requests", 59.0)
    assert bucket.over(118.5, 10, None, 0) == Over("requests", 0.5)


def test_requests_in_flight_hold_what_they_will_use() -> None:
    bucket = Bucket()
    admitted = 0
    while bucket.over(0.0, None, 1000, 100) is None:
        bucket.admit(0.0, None, 100)
        admitted += 1
    assert admitted == 10
    assert bucket.over(0.0, None, 1000, 100) == Over("tokens", 60.0)
    bucket.settle(1.0, 100, 40)
    assert bucket.over(1.0, None, 1000, 60) is None
    assert bucket.over(1.0, None, 1000, 61) == Over("tokens", 60.0)


def test_a_request_larger_than_the_limit_passes_when_nothing_else_counts() -> None:
    bucket = Bucket()
    assert bucket.over(0.0, None, 100, 5000) is None
    bucket.admit(0.0, None, 5000)
    assert bucket.over(1.0, None, 100, 5000) == Over("tokens", 60.0)
    bucket.settle(2.0, 5000, 5000)
    assert bucket.over(3.0, None, 100, 5000) == Over("tokens", 59.0)
    assert bucket.over(62.0, None, 100, 5000) is None


def test_a_request_without_tokens_passes_when_they_are_used_up() -> None:
    bucket = Bucket()
    bucket.settle(0.0, 0, 500)
    assert bucket.over(1.0, None, 100, 1) is not None
    assert bucket.over(1.0, None, 100, 0) is None


def test_the_limit_that_takes_longer_is_the_one_exceeded() -> None:
    bucket = Bucket()
    bucket.admit(0.0, 1, 50)
    bucket.settle(10.0, 50, 100)
    assert bucket.over(20.0, 1, 100, 10) == Over("tokens", 50.0)
    assert bucket.over(20.0, 1, 200, 10) == Over("requests", 40.0)


def test_tokens_come_back_reply_by_reply() -> None:
    bucket = Bucket()
    for second in range(10):
        bucket.settle(float(second), 0, 10)
    assert bucket.over(20.0, None, 100, 1) == Over("tokens", 40.0)
    assert bucket.over(20.0, None, 100, 10) == Over("tokens", 40.0)
    assert bucket.over(20.0, None, 100, 11) == Over("tokens", 41.0)
    assert bucket.over(20.0, None, 100, 100) == Over("tokens", 49.0)


def test_other_limits_count_what_was_counted() -> None:
    bucket = Bucket()
    for second in range(5):
        bucket.admit(float(second), 5, 0)
    assert bucket.over(10.0, 6, None, 0) is None
    assert bucket.over(10.0, 5, None, 0) == Over("requests", 50.0)
    assert bucket.over(10.0, 2, None, 0) == Over("requests", 53.0)


def test_a_request_that_went_no_further_leaves_no_trace() -> None:
    bucket = Bucket()
    bucket.admit(0.0, 2, 10)
    second = bucket.admit(1.0, 2, 20)
    bucket.take_back(second, 20)
    assert (bucket.requests.used(1.0), bucket.reserved, bucket.in_flight) == (1, 10, 1)
    assert bucket.requests.reset(1.0) == 59.0
    bucket.take_back(second, 0)
    assert bucket.requests.used(1.0) == 1


def test_quota_tells_what_is_left_and_when_all_of_it_is_back() -> None:
    bucket = Bucket()
    bucket.admit(0.0, 10, 30)
    bucket.admit(20.0, 10, 30)
    quota = bucket.quota(30.0, 10, 1000)
    assert (quota.limit_requests, quota.remaining_requests, quota.reset_requests_s) == (10, 8, 50.0)
    assert (quota.limit_tokens, quota.remaining_tokens, quota.reset_tokens_s) == (1000, 940, 60.0)
    bucket.settle(31.0, 30, 100)
    bucket.settle(32.0, 30, 200)
    quota = bucket.quota(40.0, 1, 200)
    assert (quota.remaining_requests, quota.remaining_tokens, quota.reset_tokens_s) == (0, 0, 52.0)
    quota = bucket.quota(200.0, None, None)
    assert (quota.limit_requests, quota.limit_tokens, quota.reset_requests_s, quota.reset_tokens_s) == (
        None,
        None,
        0,
        0,
    )


def test_a_bucket_is_idle_when_nothing_counts_and_nothing_is_on_its_way() -> None:
    bucket = Bucket()
    assert bucket.is_idle(0.0)
    bucket.admit(0.0, 1, 5)
    assert not bucket.is_idle(100.0)
    bucket.settle(100.0, 5, 5)
    assert not bucket.is_idle(159.0)
    assert bucket.is_idle(160.0)


def test_a_million_requests_a_minute_take_eight_bytes_each() -> None:
    window, limit, step = RequestWindow(), 200_000, WINDOW_S / 200_000
    for number in range(3 * limit):
        window.used(number * step)
        window.add(number * step)
    assert limit <= window.used(3 * limit * step) + 1 <= limit + 1
    assert len(window._ends) <= 2 * limit + 2
    assert window._ends.itemsize == 8


def test_token_counts_are_bounded_and_never_short() -> None:
    window, rate = TokenWindow(), 5000
    for number in range(rate * 30):
        window.add(number / rate, 7)
    assert window.used(30.0) == 7 * rate * 30
    assert len(window) < 65_536 + 60_001
    # what was put together counts up to a millisecond longer, never shorter
    for second in (61.0, 75.0, 89.0):
        exact = 7 * (rate * 30 - int((second - WINDOW_S) * rate) - 1)
        assert exact <= window.used(second) <= exact + 7 * rate // 1000
    assert window.used(90.001) == 0
