"""What clients and replies say of attempts and waits."""

from __future__ import annotations

import pytest

from providers.base import Header
from providers.wire.retries import MAX_WAIT_MS, client_attempt, told_wait_ms

NOW = 1_795_262_400.0  # Sat, 21 Nov 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("fields", "attempt"),
    [
        ({}, None),
        ({b"x-stainless-retry-count": b"0"}, 0),
        ({b"x-stainless-retry-count": b"2"}, 2),
        ({b"x-stainless-retry-count": b"two"}, None),
        ({b"x-stainless-retry-count": b"-1"}, None),
        ({b"x-stainless-retry-count": b"9" * 400}, None),
        ({b"amz-sdk-request": b"attempt=1; max=3"}, 0),
        ({b"amz-sdk-request": b"ttl=20261121T120000Z; attempt=3; max=3"}, 2),
        ({b"amz-sdk-request": b"attempt=1"}, 0),
        ({b"amz-sdk-request": b"attempt=0"}, 0),
        ({b"amz-sdk-request": b"max=3"}, None),
        ({b"amz-sdk-request": b"attempt=x"}, None),
    ],
)
def test_clients_count_their_attempts_in_headers_of_their_own(fields: dict[bytes, bytes], attempt: int | None) -> None:
    assert client_attempt(fields) == attempt


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ([], None),
        ([(b"retry-after", b"2")], 2000),
        ([(b"Retry-After", b"0.5")], 500),
        ([(b"retry-after", b"1"), (b"retry-after-ms", b"120")], 120),
        ([(b"retry-after-ms", b"120"), (b"retry-after", b"1")], 120),
        ([(b"x-amz-retry-after", b"1500")], 1500),
        ([(b"x-ms-retry-after-ms", b"7")], 7),
        ([(b"retry-after", b"Sat, 21 Nov 2026 12:00:30 GMT")], 30_000),
        ([(b"retry-after", b"Sat, 21 Nov 2026 11:00:00 GMT")], 0),
        ([(b"retry-after", b"soon")], None),
        ([(b"retry-after", b"nan")], None),
        ([(b"retry-after", b"-1")], None),
        ([(b"retry-after", b"1e14")], MAX_WAIT_MS),
        ([(b"retry-after-ms", b"x"), (b"retry-after", b"3")], 3000),
    ],
)
def test_replies_tell_the_wait_in_one_of_several_headers(headers: list[Header], wait_ms: int | None) -> None:
    assert told_wait_ms(headers, NOW) == wait_ms
