"""The official SDKs meet a proxy's own rate limit: the classes they raise, the waits they keep, the numbers they
read."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import anthropic
import boto3
import openai
import pytest
from anthropic import Anthropic
from botocore.config import Config
from botocore.exceptions import ClientError
from google import genai
from google.genai import errors, types
from openai import AzureOpenAI, OpenAI

from proxies.dataplane.config import OverLimit
from tests.emulated.serving import EmulatedProxies, EmulatedProxy

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]


class RunningClock:
    """The real clocks, and what a test lets pass besides."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def wall(self) -> float:
        return time.time() + self.passed_s

    def monotonic(self) -> float:
        return time.monotonic() + self.passed_s


class Limited(NamedTuple):
    """A proxy with a limit, and the clock it goes by."""

    proxy: EmulatedProxy
    clock: RunningClock

    def records(self, count: int) -> list[dict[str, Any]]:
        assert len(self.proxy.records.all) == count
        return self.proxy.records.all


Limit = Callable[..., Limited]


@pytest.fixture
def limited(emulated: EmulatedProxies) -> Limit:
    def make(provider: str, *, cache: str = "off", **fields: Any) -> Limited:
        clock = RunningClock()
        return Limited(emulated.proxy(provider, cache=cache, rate_limit=fields, clock=clock), clock)

    return make


def ask_openai(url: str, retries: int) -> Any:
    with OpenAI(base_url=url + "/v1", api_key="sk-test", max_retries=retries) as client:
        return client.chat.completions.create(model="gpt-4o-mini", messages=HELLO).usage


def ask_responses(url: str, retries: int) -> Any:
    with OpenAI(base_url=url + "/v1", api_key="sk-test", max_retries=retries) as client:
        with client.responses.create(model="gpt-4o-mini", input="Say hello.", stream=True) as events:
            return [event.type for event in events]


def ask_azure(url: str, retries: int) -> Any:
    with AzureOpenAI(azure_endpoint=url, api_key="test", api_version="2024-10-21", max_retries=retries) as client:
        return client.chat.completions.create(model="gpt-4o-mini", messages=HELLO).usage


def ask_anthropic(url: str, retries: int) -> Any:
    with Anthropic(base_url=url, api_key="sk-ant-test", max_retries=retries) as client:
        return client.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=HELLO).usage


def ask_gemini(url: str, retries: int) -> Any:
    options = types.HttpOptions(
        base_url=url, retry_options=types.HttpRetryOptions(attempts=retries + 1, initial_delay=1.0, jitter=0.0)
    )
    with genai.Client(api_key="test", http_options=options) as client:
        return client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.").usage_metadata


def ask_bedrock(url: str, retries: int) -> Any:
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="dummy",
        aws_secret_access_key="dummy",
        config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}),
    )
    try:
        return client.converse(modelId=CLAUDE, messages=[{"role": "user", "content": [{"text": "Say hello."}]}])
    finally:
        client.close()


ASKERS = [
    ("openai", ask_openai, openai.RateLimitError),
    ("openai", ask_responses, openai.RateLimitError),
    ("azure_openai", ask_azure, openai.RateLimitError),
    ("anthropic", ask_anthropic, anthropic.RateLimitError),
    ("vertex_ai", ask_gemini, errors.ClientError),
    ("bedrock", ask_bedrock, ClientError),
]


@pytest.mark.parametrize(("provider", "ask", "error"), ASKERS)
@pytest.mark.parametrize("limit", [{"rpm": 1}, {"tpm": 1}])
def test_over_the_limit_the_sdk_raises_what_it_raises_for_the_providers_429(
    limited: Limit, provider: str, ask: Callable[[str, int], Any], error: type[Exception], limit: dict[str, int]
) -> None:
    made = limited(provider, **limit)
    assert ask(made.proxy.url, 0)
    with pytest.raises(error) as caught:
        ask(made.proxy.url, 0)
    if isinstance(caught.value, ClientError):
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    elif isinstance(caught.value, errors.ClientError):
        assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    else:
        assert caught.value.status_code == 429  # type: ignore[attr-defined]
        assert caught.value.request_id  # type: ignore[attr-defined]
    passed, refused = made.records(2)
    assert (passed["rate_limit"], refused["rate_limit"], refused["outcome"]) == ("passed", "limited", "limited")
    made.clock.passed_s += 61
    assert ask(made.proxy.url, 0)


@pytest.mark.parametrize(
    ("provider", "ask", "retries"),
    [
        ("openai", ask_openai, 1),
        ("openai", ask_responses, 1),
        ("azure_openai", ask_azure, 1),
        ("anthropic", ask_anthropic, 1),
        # These two wait as long as they please, and longer each time.
        ("vertex_ai", ask_gemini, 3),
        ("bedrock", ask_bedrock, 8),
    ],
)
def test_the_sdk_waits_as_it_is_told_and_then_gets_its_reply(
    limited: Limit, provider: str, ask: Callable[[str, int], Any], retries: int
) -> None:
    made = limited(provider, rpm=1)
    ask(made.proxy.url, 0)
    made.clock.passed_s += 58.5
    assert ask(made.proxy.url, retries)
    first, *refused, passed = made.proxy.records.all
    assert [record["outcome"] for record in (first, passed)] == ["bypass", "bypass"]
    assert {record["outcome"] for record in refused} == {"limited"}
    if retries == 1:
        [record] = refused
        assert 0 < record["retry_after_ms"] <= 2000
        waited_ms = (passed["started_at_us"] - record["started_at_us"]) / 1000 - record["latency_ms"]
        assert waited_ms >= record["retry_after_ms"] - 1
        assert passed["client_attempt"] in (1, None)


@pytest.mark.parametrize(("provider", "ask"), [(provider, ask) for provider, ask, _ in ASKERS])
def test_a_held_request_is_nothing_but_slow_to_the_sdk(
    limited: Limit, provider: str, ask: Callable[[str, int], Any]
) -> None:
    made = limited(provider, rpm=1, over_limit=OverLimit.HOLD, hold_s=20)
    ask(made.proxy.url, 0)
    made.clock.passed_s += 59.3
    assert ask(made.proxy.url, 0)
    assert [record["outcome"] for record in made.records(2)] == ["bypass", "bypass"]


def test_the_numbers_stand_where_openais_clients_read_them(limited: Limit) -> None:
    made = limited("openai", cache="on", rpm=3, tpm=10_000, shows_quota=True)
    with OpenAI(base_url=made.proxy.url + "/v1", api_key="sk-test", max_retries=0) as client:
        got = [client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO) for _ in range(2)]
        used = got[0].parse().usage
        assert used is not None
        assert [each.headers["x-rubberduck-cache"] for each in got] == ["miss", "hit"]
        assert [each.headers["x-ratelimit-limit-requests"] for each in got] == ["3", "3"]
        assert [each.headers["x-ratelimit-remaining-requests"] for each in got] == ["2", "1"]
        assert got[0].headers["x-ratelimit-limit-tokens"] == "10000"
        # the second holds what the first used, and reserves as much
        assert int(got[1].headers["x-ratelimit-remaining-tokens"]) == 10_000 - 2 * used.total_tokens
        assert got[0].headers["x-ratelimit-reset-requests"] == "1m0s"


def test_the_numbers_stand_where_anthropics_clients_read_them(limited: Limit) -> None:
    made = limited("anthropic", rpm=3, shows_quota=True)
    with Anthropic(base_url=made.proxy.url, api_key="sk-ant-test", max_retries=0) as client:
        got = client.messages.with_raw_response.create(model="claude-haiku-4-5", max_tokens=100, messages=HELLO)
    assert got.headers["anthropic-ratelimit-requests-limit"] == "3"
    assert got.headers["anthropic-ratelimit-requests-remaining"] == "2"
    assert got.headers["anthropic-ratelimit-requests-reset"].endswith("Z")


@pytest.mark.parametrize("rpm", [1, 25])
def test_many_clients_at_once_get_exactly_the_limit(limited: Limit, rpm: int) -> None:
    made = limited("openai", rpm=rpm)

    def ask(_: int) -> bool:
        try:
            return ask_openai(made.proxy.url, 0) is not None
        except openai.RateLimitError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(40))) == rpm


def test_tokens_of_many_requests_land_within_one_request_of_the_limit(limited: Limit) -> None:
    made = limited("anthropic", tpm=1500)
    used: list[int] = []

    def ask_until_refused(client: Anthropic) -> None:
        while len(used) < 500:
            reply = client.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=HELLO)
            used.append(reply.usage.input_tokens + reply.usage.output_tokens)

    with Anthropic(base_url=made.proxy.url, api_key="sk-ant-test", max_retries=0) as client:
        with pytest.raises(anthropic.RateLimitError):
            ask_until_refused(client)
    assert 1500 - max(used) <= sum(used) <= 1500 + max(used)
    assert len(used) > 5
