"""The error fault: the provider's own reply, over a real connection."""

from __future__ import annotations

from typing import Any

import pytest

from providers.faults.base import Reason
from proxies.dataplane.faults.error import ErrorReplyFault
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.rules import FaultConfig
from tests.proxies.dataplane.proxying import UVLOOP, chat, proxying, request

LOOP_FACTORIES = UVLOOP


def failing(**settings: Any) -> FaultConfig:
    return FaultConfig(read_rules([{"fault": "error", **settings}]))


@pytest.mark.parametrize(
    ("settings", "status", "code"),
    [
        ({"status": 429}, 429, "rate_limit_exceeded"),
        ({"reason": "quota"}, 429, "insufficient_quota"),
        ({"reason": "invalid_key"}, 401, "invalid_api_key"),
        ({"status": 418, "code": "teapot"}, 418, "teapot"),
    ],
)
async def test_the_provider_answers_in_its_own_words_and_the_upstream_hears_nothing(
    settings: dict[str, Any], status: int, code: str
) -> None:
    async with proxying(faults=failing(**settings)) as proxy:
        got = await proxy.ask(chat())
        assert (got.status, got.json["error"]["code"]) == (status, code)
        assert got.value(b"content-length") == str(len(got.body)).encode()
        assert (got.outcome, got.value(b"x-rubberduck-fault")) == (b"fault", b"error")
        record = await proxy.record()
        assert (record["outcome"], record["fault"], record["status"], record["decision"]) == (
            "fault",
            "error",
            status,
            1,
        )
        assert proxy.upstream.asked == []


async def test_message_and_wait_reach_the_client() -> None:
    async with proxying(faults=failing(status=429, message="Come back later.", retry_after=7)) as proxy:
        got = await proxy.ask(chat())
        assert got.json["error"]["message"] == "Come back later."
        assert got.value(b"retry-after") == b"7"


async def test_a_connection_lives_on_after_an_error() -> None:
    async with proxying(faults=failing(status=503)) as proxy:
        client = await proxy.client()
        assert [(await client.ask(chat())).status for _ in range(3)] == [503, 503, 503]
        assert [record["decision"] for record in proxy.records] == [1, 2, 3]


async def test_the_answer_to_a_head_request_has_no_body() -> None:
    async with proxying(faults=failing(status=503)) as proxy:
        client = await proxy.client()
        assert [(await client.ask(request("HEAD", "/v1/models"))).status for _ in range(2)] == [503, 503]
        assert (await client.ask(chat())).status == 503


@pytest.mark.parametrize("provider", ["openai", "azure_openai", "anthropic", "bedrock", "vertex_ai"])
async def test_every_provider_has_every_failure_people_know_by_name(provider: str) -> None:
    config = FaultConfig(allows_header=True)
    async with proxying(provider, faults=config) as proxy:
        client = await proxy.client()
        for reason in Reason:
            got = await client.ask(chat(headers=[("x-rubberduck-fault", f"error;reason={reason}")]))
            assert got.status >= 400
            assert got.body
        assert {record["fault"] for record in proxy.records} == {"error"}


def test_status_or_reason_is_needed() -> None:
    assert ErrorReplyFault(status=500).check() is None
    assert ErrorReplyFault(reason=Reason.QUOTA).check() is None
    assert ErrorReplyFault().check() == "status: give a status, a reason, or both"
    assert [bool(ErrorReplyFault(status=500, code=code).check()) for code in ("a_b", "", "a\tb", "ü")] == [
        False, True, True, True,
    ]  # fmt: skip
