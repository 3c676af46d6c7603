"""Estimates of tokens: what a request will use, what a silent reply has used, and what replies teach."""

from __future__ import annotations

import pytest

from providers.base import Operation
from providers.registry import get_provider
from proxies.dataplane.records import RequestRecord
from proxies.dataplane.token_estimates import MOST_TOKENS, TokenEstimates


def operation(name: str, provider: str = "openai") -> Operation:
    return next(known for known in get_provider(provider).operations if known.name == name)


CHAT, EMBEDDINGS, MODERATIONS, FILES, MODELS = map(
    operation, ("chat.completions", "embeddings", "moderations", "files.create", "models.list")
)


def record(**values: object) -> RequestRecord:
    made = RequestRecord("id", 0, 1, "test", "openai", "127.0.0.1", "POST", "/", status=200)
    for name, value in {"request_bytes": 400, "reply_bytes": 1024, **values}.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("asked", "is_media", "tokens"),
    [
        (CHAT, False, 100 + 256),
        (CHAT, True, 1 + 256),
        (EMBEDDINGS, False, 100),
        (MODERATIONS, False, 0),
        (MODELS, False, 0),
        (FILES, False, 0),
        (None, False, 0),
    ],
)
def test_a_first_request_is_estimated_by_its_size(asked: Operation | None, is_media: bool, tokens: int) -> None:
    assert TokenEstimates().before(asked, 400, is_media) == tokens


def test_a_request_that_uses_tokens_uses_at_least_one() -> None:
    assert TokenEstimates().before(EMBEDDINGS, 0, False) == 1


@pytest.mark.parametrize(
    ("asked", "values", "is_media", "tokens", "is_estimated"),
    [
        (CHAT, {"input_tokens": 30, "output_tokens": 12}, False, 42, False),
        (CHAT, {}, False, 100 + 256, True),
        (CHAT, {"is_streaming": True}, False, 100 + 4, True),
        (CHAT, {"is_streaming": True, "input_tokens": 30}, False, 30 + 4, True),
        (CHAT, {}, True, 1 + 256, True),
        (CHAT, {"status": 204, "reply_bytes": 0, "request_bytes": 0}, False, 0, True),
        (EMBEDDINGS, {"input_tokens": 30}, False, 30, False),
        (EMBEDDINGS, {}, False, 100, True),
        (MODERATIONS, {"input_tokens": 30}, False, 0, False),
        (FILES, {}, False, 0, False),
        (None, {}, False, 0, False),
        (None, {"input_tokens": 3, "output_tokens": 4}, False, 7, False),
        (CHAT, {"status": None}, False, 0, False),
        (CHAT, {"status": 429, "input_tokens": 30}, False, 0, False),
    ],
)
def test_a_reply_counts_what_it_told_and_else_an_estimate_that_the_record_admits(
    asked: Operation | None, values: dict[str, object], is_media: bool, tokens: int, is_estimated: bool
) -> None:
    made = record(**values)
    assert TokenEstimates().after(asked, made, is_media) == tokens
    assert made.is_estimated is is_estimated


def test_a_request_never_reserves_more_output_than_it_allows() -> None:
    estimates = TokenEstimates()
    assert estimates.before(CHAT, 400, False, 10) == 100 + 10
    assert estimates.before(CHAT, 400, False, 1000) == 100 + 256
    estimates.after(CHAT, record(input_tokens=100, output_tokens=50), False)
    assert estimates.before(CHAT, 400, False, 10) == 100 + 10
    assert estimates.before(CHAT, 400, False, 1000) == 100 + 50


def test_requests_like_the_last_one_are_estimated_exactly() -> None:
    estimates = TokenEstimates()
    for number in range(100):
        assert estimates.after(CHAT, record(request_bytes=977, input_tokens=131, output_tokens=17), False) == 148
        assert estimates.before(CHAT, 977, False) == 148, number
    assert estimates.before(CHAT, 2 * 977, False) == 2 * 131 + 17


def test_the_recent_ones_count_most_and_other_operations_not_at_all() -> None:
    estimates = TokenEstimates()
    for _ in range(100):
        estimates.after(CHAT, record(input_tokens=100, output_tokens=1000), False)
    for _ in range(60):
        estimates.after(CHAT, record(input_tokens=100, output_tokens=10), False)
    assert 110 <= estimates.before(CHAT, 400, False) <= 160
    assert estimates.before(operation("responses"), 400, False) == 356


@pytest.mark.parametrize("asked", [CHAT, None])
def test_a_reply_that_claims_absurd_numbers_counts_as_the_most_there_is(asked: Operation | None) -> None:
    estimates = TokenEstimates()
    assert estimates.after(asked, record(input_tokens=10**400, output_tokens=5), False) == MOST_TOKENS
    assert estimates.before(CHAT, 400, False) == 356


def test_what_failed_teaches_nothing() -> None:
    estimates = TokenEstimates()
    estimates.after(CHAT, record(status=500, input_tokens=1, output_tokens=1), False)
    estimates.after(CHAT, record(status=None), False)
    assert estimates.before(CHAT, 400, False) == 356
