"""What of a reply is stored, and for how long."""

from __future__ import annotations

import pytest

from providers.base import Usage
from proxies.dataplane.config import CacheConfig
from proxies.dataplane.recording import Lifetime, RecordingTap, lifetime, recordable_headers
from proxies.dataplane.stores.base import Recording

NOW = 1_000_000.0


def made(tap: RecordingTap, life: Lifetime = Lifetime(True)) -> Recording | None:  # noqa: B008  frozen
    return tap.recording(
        status=200,
        headers=[(b"Content-Type", b"text/plain")],
        unsafe_headers=frozenset(),
        lifetime=life,
        now=NOW,
        epoch=3,
        is_streaming=True,
        operation="chat",
        model="m",
        prompt_hash="ab",
        usage=Usage(input_tokens=1),
        digests=b'{"/a":"00"}',
    )


def test_frames_are_kept_with_the_time_since_the_one_before() -> None:
    moments = iter([10.5, 10.5214, 12.0])
    tap = RecordingTap(100, lambda: next(moments), started_at=10.0)
    for frame in (b"one", b"two", b"", b"three"):
        tap.feed(frame)
    recording = made(tap)
    assert recording == Recording(
        status=200,
        headers=((b"content-type", b"text/plain"),),
        frames=(b"one", b"two", b"three"),
        delays_ms=(500, 21, 1478),
        is_streaming=True,
        recorded_at=NOW,
        operation="chat",
        model="m",
        prompt_hash="ab",
        usage=Usage(input_tokens=1),
        digests=b'{"/a":"00"}',
        epoch=3,
    )


def test_a_reply_past_the_limit_is_not_recorded_and_takes_no_memory() -> None:
    tap = RecordingTap(10, lambda: 0.0, 0.0)
    tap.feed(b"x" * 10)
    assert made(tap) is not None
    tap.feed(b"y")
    assert made(tap) is None
    assert tap.is_full
    assert tap.frames == []


def test_what_may_not_be_stored_makes_no_recording() -> None:
    assert made(RecordingTap(10, lambda: 0.0, 0.0), Lifetime(False)) is None


def test_secrets_dates_and_rate_limits_are_never_stored() -> None:
    kept = [
        (b"content-type", b"a"),
        (b"x-request-id", b"b"),
        (b"vary", b"c"),
        (b"vary", b"d"),
        (b"cache-control", b"e"),
    ]
    headers = [
        (b"Content-Type", b"a"),
        (b"Set-Cookie", b"session=1"),
        (b"set-cookie", b"other=1"),
        (b"Date", b"now"),
        (b"Keep-Alive", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"X-RateLimit-Remaining-Tokens", b"5"),
        (b"X-Rubberduck-Cache", b"hit"),
        (b"X-Request-Id", b"b"),
        (b"Vary", b"c"),
        (b"vary", b"d"),
        (b"Cache-Control", b"e"),
    ]
    assert recordable_headers(headers, frozenset({b"x-ratelimit-remaining-tokens"})) == tuple(kept)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, True), (201, True), (204, True), (206, False), (199, False), (304, False), (500, False)],
)
def test_only_whole_successes_are_stored(status: int, expected: bool) -> None:
    assert lifetime(status, [], CacheConfig(), NOW).is_storable is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], Lifetime(True)),
        ([b"no-store"], Lifetime(False)),
        ([b"Private"], Lifetime(False)),
        ([b'private="x-y"'], Lifetime(False)),
        ([b"public", b"no-store"], Lifetime(False)),
        ([b"no-cache, must-revalidate"], Lifetime(True)),
        ([b"max-age=60"], Lifetime(True, NOW + 60)),
        ([b"max-age=60, s-maxage=10"], Lifetime(True, NOW + 10)),
        ([b"s-maxage=10", b"max-age=60"], Lifetime(True, NOW + 10)),
        ([b'MAX-AGE="60"'], Lifetime(True, NOW + 60)),
        ([b"max-age=0"], Lifetime(False)),
        ([b"x-max-age=5"], Lifetime(True)),
        ([b"max-age=soon"], Lifetime(True)),
    ],
)
def test_the_upstreams_cache_control_binds_when_the_proxy_obeys(fields: list[bytes], expected: Lifetime) -> None:
    headers = [(b"Cache-Control", value) for value in fields]
    assert lifetime(200, headers, CacheConfig(obeys_upstream=True), NOW) == expected
    assert lifetime(200, headers, CacheConfig(), NOW) == Lifetime(True)


def test_the_age_a_reply_already_has_counts() -> None:
    obeying = CacheConfig(obeys_upstream=True)
    aged = [(b"cache-control", b"max-age=60"), (b"Age", b"50")]
    assert lifetime(200, aged, obeying, NOW) == Lifetime(True, NOW + 10)
    assert lifetime(200, [(b"cache-control", b"max-age=60"), (b"Age", b"60")], obeying, NOW) == Lifetime(False)


def test_the_shorter_of_both_lives_counts() -> None:
    headers = [(b"cache-control", b"max-age=60")]
    assert lifetime(200, headers, CacheConfig(obeys_upstream=True, ttl_s=5), NOW) == Lifetime(True, NOW + 5)
    assert lifetime(200, headers, CacheConfig(obeys_upstream=True, ttl_s=500), NOW) == Lifetime(True, NOW + 60)
    assert lifetime(200, headers, CacheConfig(ttl_s=500), NOW) == Lifetime(True, NOW + 500)


def test_a_recording_is_fresh_until_its_time_is_up() -> None:
    recording = Recording(200, (), (), (), False, recorded_at=NOW, expires_at=NOW + 10)
    assert recording.is_fresh(NOW + 9.9, None)
    assert not recording.is_fresh(NOW + 10, None)
    assert not recording.is_fresh(NOW + 5, 5.0)  # a time to live that was shortened later
