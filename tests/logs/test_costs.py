"""What logged exchanges cost, by hand, and what is known of that at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from logs.ingest import read_line
from logs.models import RequestLog
from tests.logs.records import make_record

SONNET = {
    "provider": "anthropic",
    "operation": "messages",
    "model": "claude-sonnet-4-5",
    "reply_model": "claude-sonnet-4-5-20250929",
    "service_tier": "standard",
}
GPT_4O_MINI = "0.00018"  # 600 x 0.15 + 400 x 0.075 + 100 x 0.60, per million


def costs(**fields: Any) -> tuple[Decimal | None, Decimal | None]:
    row = read_line(make_record(**fields).line().rstrip())
    assert isinstance(row, RequestLog)
    return row.cost_usd, row.cost_avoided_usd


@pytest.mark.parametrize(
    ("fields", "dollars"),
    [
        ({}, GPT_4O_MINI),
        ({"outcome": "bypass", "cache": "off"}, GPT_4O_MINI),
        ({"reply_model": ""}, GPT_4O_MINI),  # the requested model is priced
        ({"model": "my-deployment"}, GPT_4O_MINI),  # the one the reply names is
        # 1000 x 3 + 200 x 3.75 + 300 x 0.30 + 100 x 15
        (
            {**SONNET, "input_tokens": 1500, "cached_tokens": 300, "cache_write_tokens": 200, "output_tokens": 100},
            "0.00534",
        ),
        # two web searches at 10 a thousand on top of 1000 x 3 + 100 x 15
        ({**SONNET, "cached_tokens": 0, "usage_details": {"web_searches": 2}}, "0.0245"),
        # one token at 0.15, half of a cached one would not fit into fewer places
        ({"input_tokens": 1, "cached_tokens": 1, "output_tokens": 0}, "0.000000075"),
        ({"operation": "moderations", "input_tokens": None, "output_tokens": None}, "0"),
        ({"operation": "models.list", "method": "GET", "input_tokens": None, "output_tokens": None}, "0"),
    ],
)
def test_what_was_bought_is_priced(fields: dict[str, Any], dollars: str) -> None:
    assert costs(**fields) == (Decimal(dollars), None)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "nobody-knows", "reply_model": "nobody-knows"},
        {"input_tokens": None, "output_tokens": None, "cached_tokens": None},  # a stream without include_usage
        {"output_tokens": None},
        {"usage_details": {"inference_geo": 1}},  # charged by a factor the prices do not have
        {"service_tier": "unheard-of"},
        {"provider": "gone"},
        {"operation": "", "input_tokens": None, "output_tokens": None},  # passed through: who knows
        {"outcome": "client_left", "output_tokens": None},
        {"outcome": "error", "error_kind": "timeout", "status": 504, "input_tokens": None, "output_tokens": None},
        {"outcome": "error", "error_kind": "no_answer", "status": 502, "input_tokens": None, "output_tokens": None},
        {"outcome": "error", "error_kind": "upstream_cut", "output_tokens": None},
        {"cached_tokens": 2000},  # more than there were
    ],
)
def test_what_is_not_known_is_unknown_and_not_free(fields: dict[str, Any]) -> None:
    assert costs(**fields) == (None, None)


def test_a_reply_that_was_damaged_on_its_way_was_paid_for() -> None:
    assert costs(outcome="fault", fault="malformed_json") == (Decimal(GPT_4O_MINI), None)
    assert costs(outcome="fault", fault="truncate", output_tokens=None) == (None, None)
    assert costs(outcome="fault", fault="slow", cache="hit", attempts=0) == (Decimal(0), Decimal(GPT_4O_MINI))
    assert costs(outcome="fault", fault="slow", endpoint="emulated") == (Decimal(0), Decimal(GPT_4O_MINI))


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "blocked", "attempts": 0, "status": 403, "cache": "off"},
        {"outcome": "limited", "attempts": 0, "status": 429},
        {"outcome": "fault", "fault": "error", "attempts": 0},
        {"outcome": "client_left", "attempts": 0, "status": None},
        {"outcome": "error", "error_kind": "no_recording", "attempts": 0, "status": 404},
        {"outcome": "error", "error_kind": "tls", "status": 502},
        {"outcome": "error", "error_kind": "unreachable", "status": 502, "input_tokens": None, "output_tokens": None},
        {"outcome": "error", "error_kind": "upstream_status", "status": 429},
        {"outcome": "error", "error_kind": "upstream_status", "status": 500},
    ],
)
def test_where_nothing_was_bought_the_cost_is_nothing(fields: dict[str, Any]) -> None:
    usage = {"input_tokens": None, "output_tokens": None, "cached_tokens": None}
    assert costs(**{**usage, **fields}) == (Decimal(0), None)


def test_azure_may_charge_for_what_its_content_filter_stopped() -> None:
    failed: dict[str, Any] = {"provider": "azure_openai", "outcome": "error", "error_kind": "upstream_status"}
    usage = {"input_tokens": None, "output_tokens": None, "cached_tokens": None}
    assert costs(**failed, **usage, status=400) == (None, None)
    assert costs(**failed, **usage, status=401) == (Decimal(0), None)


def test_a_hit_is_free_and_saves_what_its_recording_had_cost() -> None:
    hit: dict[str, Any] = {"outcome": "hit", "cache": "hit", "attempts": 0}
    assert costs(**hit) == (Decimal(0), Decimal(GPT_4O_MINI))
    assert costs(**hit, input_tokens=None, output_tokens=None) == (Decimal(0), None)
    assert costs(**{**hit, "outcome": "client_left"}) == (Decimal(0), Decimal(GPT_4O_MINI))


def test_an_emulated_reply_is_free_and_saves_what_the_provider_would_have_charged() -> None:
    emulated: dict[str, Any] = {"endpoint": "emulated"}
    assert costs(**emulated) == (Decimal(0), Decimal(GPT_4O_MINI))
    assert costs(**emulated, outcome="bypass", cache="off") == (Decimal(0), Decimal(GPT_4O_MINI))
    assert costs(**emulated, outcome="hit", cache="hit") == (Decimal(0), Decimal(GPT_4O_MINI))
    assert costs(**{**emulated, "model": "nobody-knows", "reply_model": "nobody-knows"}) == (Decimal(0), None)
    assert costs(**emulated, input_tokens=None, output_tokens=None, cached_tokens=None) == (Decimal(0), None)
    failed: dict[str, Any] = {"outcome": "error", "error_kind": "upstream_status", "status": 400}
    assert costs(**emulated, **failed) == (Decimal(0), None)


def test_absurd_numbers_are_no_price() -> None:
    assert costs(input_tokens=2**63 - 1, cached_tokens=0)[0] is None
    assert costs(usage_details={"web_searches": 1e300})[0] is None


def test_the_price_at_the_time_of_the_request_counts() -> None:
    # o3 was 10 and 40 per million before June 2025, and 2 and 8 from then on
    fields: dict[str, Any] = {"model": "o3", "reply_model": "o3", "cached_tokens": 0}
    before, after = 1_748_000_000_000_000, 1_760_000_000_000_000
    assert costs(**fields, started_at_us=before)[0] == Decimal("0.014")
    assert costs(**fields, started_at_us=after)[0] == Decimal("0.0028")
