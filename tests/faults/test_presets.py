"""Bad days over real sockets: a preset is what its provider's clients would have seen."""

from __future__ import annotations

import httpx
import openai
import pytest

from proxies.dataplane.faults.presets import PRESETS
from tests.emulated.serving import EmulatedProxies

CALLS = {
    "openai": ("/v1/chat/completions", {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}),
    "azure_openai": (
        "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21",
        {"messages": [{"role": "user", "content": "hello"}]},
    ),
    "anthropic": (
        "/v1/messages",
        {"model": "claude-haiku-4-5", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]},
    ),
    "bedrock": (
        "/model/amazon.nova-lite-v1%3A0/converse",
        {"messages": [{"role": "user", "content": [{"text": "hello"}]}]},
    ),
}
HEADERS = {"authorization": "Bearer test", "x-api-key": "test", "api-key": "test", "anthropic-version": "2023-06-01"}


def replies(emulated: EmulatedProxies, provider: str, rules: list[object], count: int) -> list[httpx.Response]:
    path, body = CALLS[provider]
    proxy = emulated.proxy(provider, faults=rules, seed=1)
    with httpx.Client(base_url=proxy.url, headers=HEADERS, trust_env=False, timeout=20) as client:
        return [client.post(path, json=body) for _ in range(count)]


@pytest.mark.parametrize(
    ("preset", "provider", "rule", "statuses"),
    [
        (
            "openai-rate-limit-storm",
            "openai",
            0,
            [200, 200, 429, 429, 200, 429, 429, 429, 429, 200, 200, 429, 429, 200],
        ),
        ("openai-rate-limit-storm", "azure_openai", 0, [200, 200, 429, 429, 200]),
        ("bedrock-throttling", "bedrock", 0, [200, 200, 429, 200, 200, 200, 429, 429, 429, 429, 429, 200, 429, 429]),
    ],
)
def test_the_bursts_of_a_preset_are_the_providers_own(
    emulated: EmulatedProxies, preset: str, provider: str, rule: int, statuses: list[int]
) -> None:
    seen = replies(emulated, provider, [PRESETS[preset].rules[rule]], len(statuses))
    assert [reply.status_code for reply in seen] == statuses
    limited = next(reply for reply in seen if reply.status_code == 429)
    if provider == "bedrock":
        assert limited.headers["x-amzn-errortype"].startswith("ThrottlingException")
    else:
        assert limited.headers["retry-after"] == "1"
        assert limited.headers["x-ratelimit-remaining-requests"] == "0"


def test_an_overloaded_provider_answers_529_a_third_of_the_time(emulated: EmulatedProxies) -> None:
    rules = [rule for rule in PRESETS["anthropic-overloaded"].rules if rule["fault"] == "error"]
    seen = replies(emulated, "anthropic", rules, 60)
    overloaded = [reply for reply in seen if reply.status_code == 529]
    assert 10 <= len(overloaded) <= 32
    assert overloaded[0].json()["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert {reply.status_code for reply in seen} <= {200, 429, 500, 529}


def test_half_of_the_streams_die(emulated: EmulatedProxies) -> None:
    rules = [rule for rule in PRESETS["stream-dies-half-way"].rules if rule["fault"] == "cut"]
    proxy = emulated.proxy("openai", faults=rules, seed=1)
    with (
        httpx.Client(trust_env=False) as http,
        openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="unused", max_retries=0, http_client=http) as client,
    ):
        dead = 0
        for _ in range(30):
            stream = client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Tell me a long story."}], stream=True
            )
            try:
                assert len(list(stream)) > 5
            except (httpx.RemoteProtocolError, openai.APIConnectionError):
                dead += 1
    assert 6 <= dead <= 19
