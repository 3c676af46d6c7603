"""The official OpenAI SDKs raise for a simulated error of OpenAI or Azure what they raise for the genuine one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import APIStatusError, AsyncOpenAI, AzureOpenAI, OpenAI

from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.faults.raw_replies import Genuine, RawReplies

ROOT = Path(__file__).resolve().parents[2]
HELLO: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello."}]}
VERSION = "2024-10-21"
JSON = {"content-type": "application/json", "x-request-id": "req_0123456789abcdef0123456789abcdef"}
HTML = {"content-type": "text/html", "server": "cloudflare", "cf-ray": "9a1b2c3d4e5f6a7b-IAD"}
STATUSES = (400, 401, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 520, 529)
RETRIED = (408, 409, 429, 500, 502, 503, 504, 520, 529)


def openai_reply(
    status: int, message: str, type: str, code: str | None = None, param: str | None = None, **headers: str
) -> Genuine:
    error = {"message": message, "type": type, "param": param, "code": code}
    fields = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return status, fields, json.dumps({"error": error}, indent=4).encode()


def azure_reply(status: int, error: dict[str, Any] | str, **headers: str) -> Genuine:
    body = {"statusCode": status, "message": error} if isinstance(error, str) else {"error": error}
    fields = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return status, fields, json.dumps(body).encode()


# Replies as the services send them. Source: developers.openai.com/api/docs/guides/error-codes, learn.microsoft.com
# Azure OpenAI reference, and replies quoted in public issue reports, read November 2026.
OPENAI: dict[str, Genuine] = {
    "rate_limit": openai_reply(
        429,
        "Rate limit reached for gpt-4o in organization org-rubberduck on requests per min (RPM): Limit 500, Used 500, "
        "Requested 1. Please try again in 120ms. Visit https://platform.openai.com/account/rate-limits to learn more.",
        "requests",
        "rate_limit_exceeded",
        retry_after="1",
        retry_after_ms="120",
    ),
    "token_limit": openai_reply(
        429,
        "Rate limit reached for gpt-4o in organization org-rubberduck on tokens per min (TPM): Limit 30000, Used "
        "29937, Requested 385. Please try again in 644ms. Visit https://platform.openai.com/account/rate-limits to "
        "learn more.",
        "tokens",
        "rate_limit_exceeded",
        retry_after="1",
        retry_after_ms="644",
    ),
    "quota": openai_reply(
        429,
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "overloaded": openai_reply(
        503,
        "Our servers are currently overloaded. Please try again later.",
        "service_unavailable_error",
        "server_is_overloaded",
    ),
    "server_error": openai_reply(
        500, "The server had an error while processing your request. Sorry about that!", "server_error"
    ),
    "unavailable": openai_reply(503, "The engine is currently overloaded, please try again later", "server_error"),
    "timeout": openai_reply(
        408,
        "Timed out generating response. Please try again with a shorter prompt or with `max_tokens` set to a lower "
        "value.",
        "internal_error",
        "request_timeout",
    ),
    "invalid_key": openai_reply(
        401,
        "Incorrect API key provided: sk-********************************. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        "invalid_request_error",
        "invalid_api_key",
    ),
    "permission_denied": openai_reply(
        403,
        "Project `proj_rubberduck` does not have access to model `gpt-4o`",
        "invalid_request_error",
        "model_not_found",
    ),
    "model_not_found": openai_reply(
        404,
        "The model `gpt-4o` does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
    ),
    "context_length": openai_reply(
        400,
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130023 tokens. "
        "Please reduce the length of the messages.",
        "invalid_request_error",
        "context_length_exceeded",
        "messages",
    ),
    "content_filter": openai_reply(
        400,
        "Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed "
        "by our safety system.",
        "invalid_request_error",
        "content_policy_violation",
    ),
    "invalid_request": openai_reply(
        400, "Your request was malformed or missing some required parameters.", "invalid_request_error"
    ),
    "request_too_large": openai_reply(
        413, "Maximum content size limit (26214400) exceeded (26214401 bytes read)", "server_error"
    ),
}
OPENAI["throttling"] = OPENAI["rate_limit"]
_LIMITED = (
    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded {} rate "
    "limit of your current OpenAI S0 pricing tier. Please retry after {} seconds. Please contact Azure support service "
    "if you would like to further increase the default rate limit."
)
AZURE: dict[str, Genuine] = {
    "rate_limit": azure_reply(
        429, {"code": "429", "message": _LIMITED.format("call", 6)}, retry_after="6", retry_after_ms="6000"
    ),
    "token_limit": azure_reply(
        429, {"code": "429", "message": _LIMITED.format("token", 37)}, retry_after="37", retry_after_ms="37000"
    ),
    "quota": azure_reply(403, "Out of call volume quota. Quota will be replenished in 3.12:00:00."),
    "overloaded": azure_reply(
        503,
        {
            "code": "ServiceUnavailable",
            "message": "The service is temporarily unable to process your request. Please try again later.",
        },
    ),
    "server_error": azure_reply(500, {"code": "InternalServerError", "message": "Internal server error"}),
    "unavailable": azure_reply(503, {"code": "503", "message": "Service temporarily unavailable"}),
    "timeout": azure_reply(408, {"code": "Timeout", "message": "The operation was timeout."}),
    "invalid_key": azure_reply(
        401,
        {
            "code": "401",
            "message": "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
            "valid key for an active subscription and use a correct regional API endpoint for your resource.",
        },
    ),
    "permission_denied": azure_reply(
        401,
        {
            "code": "PermissionDenied",
            "message": "The principal `ID` lacks the required data action "
            "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform "
            "`POST /openai/deployments/{deployment-id}/chat/completions` operation.",
        },
    ),
    "model_not_found": azure_reply(
        404,
        {
            "code": "DeploymentNotFound",
            "message": "The API deployment for this resource does not exist. If you created the deployment within the "
            "last 5 minutes, please wait a moment and try again.",
        },
    ),
    "context_length": OPENAI["context_length"],
    "content_filter": azure_reply(
        400,
        {
            "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management "
            "policy. Please modify your prompt and retry. To learn more about our content filtering policies please "
            "read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {
                    "hate": {"filtered": False, "severity": "safe"},
                    "jailbreak": {"filtered": True, "detected": True},
                    "self_harm": {"filtered": False, "severity": "safe"},
                    "sexual": {"filtered": False, "severity": "safe"},
                    "violence": {"filtered": False, "severity": "safe"},
                },
            },
        },
    ),
    "invalid_request": azure_reply(400, {"code": "BadRequest", "message": "The request is invalid."}),
    "request_too_large": azure_reply(413, {"code": "RequestEntityTooLarge", "message": "The request is too large."}),
}
AZURE["throttling"] = AZURE["rate_limit"]
PAGE = b"<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n<center><h1>%d</h1></center>\r\n</body>\r\n</html>\r\n"
PLAIN: dict[int, Genuine] = {status: (status, HTML, PAGE % (status, status)) for status in STATUSES}
ALL = [*OPENAI.values(), *AZURE.values(), *PLAIN.values()]

Maker = Callable[..., OpenAI]


def openai_client(url: str, **options: Any) -> OpenAI:
    return Counting(base_url=f"{url}/v1", api_key="sk-test", **options)


def azure_client(url: str, **options: Any) -> OpenAI:
    return CountingAzure(azure_endpoint=url, api_key="key", api_version=VERSION, **options)


def azure_v1_client(url: str, **options: Any) -> OpenAI:
    return Counting(base_url=f"{url}/openai/v1/", api_key="key", **options)


class Waits:
    """Notes how long the SDK would have waited before each further attempt, by its own reckoning, and does not wait."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.waits: list[float] = []

    def _calculate_retry_timeout(self, *values: Any, **named: Any) -> float:
        self.waits.append(super()._calculate_retry_timeout(*values, **named))  # type: ignore[misc]
        return 0.0


class Counting(Waits, OpenAI):
    pass


class CountingAzure(Waits, AzureOpenAI):
    pass


class CountingAsync(Waits, AsyncOpenAI):
    pass


SERVICES: dict[str, tuple[str, Maker, dict[str, Genuine]]] = {
    "openai": ("openai", openai_client, OPENAI),
    "azure": ("azure_openai", azure_client, AZURE),
    "azure v1": ("azure_openai", azure_v1_client, AZURE),
}


@pytest.fixture(scope="module")
def raw() -> Iterator[RawReplies]:
    made = RawReplies(ALL)
    yield made
    made.close()


@pytest.fixture(scope="module")
def proxies(emulated: EmulatedProxies) -> dict[str, EmulatedProxy]:
    """A proxy of each provider that fails as a request asks for."""
    return {name: emulated.proxy(name, allows_header=True) for name in ("openai", "azure_openai")}


def fails(client: OpenAI, fault: str, **options: Any) -> APIStatusError:
    with client, pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(**HELLO, extra_headers={"x-rubberduck-fault": fault} if fault else {}, **options)
    return caught.value


def seen(error: APIStatusError) -> tuple[Any, ...]:
    """All that an SDK makes of a reply, but for the request's own id."""
    principal = re.compile(r"The principal `[^`]*`")
    body = json.dumps(error.body)
    return (
        type(error), error.status_code, error.code, error.type, error.param, principal.sub("", error.message),
        principal.sub("", body),
    )  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("reason", OPENAI)
def test_a_simulated_error_is_what_the_genuine_one_is(
    proxies: dict[str, EmulatedProxy], raw: RawReplies, service: str, reason: str
) -> None:
    provider, make, replies = SERVICES[service]
    genuine = fails(make(raw.url(ALL.index(replies[reason])), max_retries=0), "")
    simulated = fails(make(proxies[provider].url, max_retries=0), f"error;reason={reason}")
    if service == "azure v1" and reason in ("rate_limit", "token_limit", "throttling"):  # other words in this style
        assert simulated.message.startswith("Error code: 429 - Your requests to gpt-4o for gpt-4o in ")
        assert (type(simulated), simulated.code) == (type(genuine), genuine.code)
    else:
        assert seen(simulated) == seen(genuine)
    for name in ("retry-after", "retry-after-ms", "content-type"):
        assert simulated.response.headers.get(name) == genuine.response.headers.get(name)
    assert simulated.request_id
    assert simulated.response.headers["x-rubberduck-outcome"] == "fault"
    shape = r"req_[0-9a-f]{32}" if provider == "openai" else r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.fullmatch(shape, simulated.request_id)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_raises_its_class(
    proxies: dict[str, EmulatedProxy], raw: RawReplies, service: str, status: int
) -> None:
    provider, make, _ = SERVICES[service]
    plain = fails(make(raw.url(ALL.index(PLAIN[status])), max_retries=0), "")
    simulated = fails(make(proxies[provider].url, max_retries=0), f"error;status={status}")
    assert type(simulated) is type(plain)
    assert simulated.status_code == status
    is_page = status in (502, 504) or (provider == "openai" and status >= 520)
    assert simulated.response.headers["content-type"] == ("text/html" if is_page else "application/json")
    assert (simulated.request_id is None) == is_page
    if is_page:
        assert (simulated.code, simulated.type) == (None, None)


@pytest.mark.parametrize("service", SERVICES)
def test_words_and_code_of_ones_own_arrive(proxies: dict[str, EmulatedProxy], service: str) -> None:
    provider, make, _ = SERVICES[service]
    error = fails(make(proxies[provider].url, max_retries=0), 'error;status=502;message="Quack.";code="own"')
    assert (error.message, error.code) == ("Error code: 502 - Quack.", "own")


# --- retries


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("status", STATUSES)
def test_what_is_to_be_retried_is_retried(proxies: dict[str, EmulatedProxy], service: str, status: int) -> None:
    provider, make, _ = SERVICES[service]
    proxy = proxies[provider]
    before = len(proxy.records.all)
    client = make(proxy.url, max_retries=2)
    fails(client, f"error;status={status};retry_after=0.05")
    attempts = [record["client_attempt"] for record in proxy.records.all[before:]]
    assert attempts == ([0, 1, 2] if status in RETRIED else [0])
    assert client.waits == [0.05] * (len(attempts) - 1)  # type: ignore[attr-defined]
    assert {record["retry_after_ms"] for record in proxy.records.all[before:]} == {50}


@pytest.mark.parametrize(
    ("service", "reason", "waits"),
    [
        ("openai", "rate_limit", [0.12, 0.12]),
        ("openai", "token_limit", [0.644, 0.644]),
        ("azure", "rate_limit", [6, 6]),
        ("azure", "token_limit", [37, 37]),
        ("azure v1", "token_limit", [37, 37]),
    ],
)
def test_the_wait_the_service_tells_is_the_one_the_sdk_takes(
    proxies: dict[str, EmulatedProxy], service: str, reason: str, waits: list[float]
) -> None:
    provider, make, _ = SERVICES[service]
    client = make(proxies[provider].url, max_retries=2)
    fails(client, f"error;reason={reason}")
    assert client.waits == waits  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_wait_the_sdk_backs_off_by_itself(proxies: dict[str, EmulatedProxy], service: str) -> None:
    provider, make, _ = SERVICES[service]
    client = make(proxies[provider].url, max_retries=2)
    fails(client, "error;reason=overloaded")
    first, second = client.waits  # type: ignore[attr-defined]
    assert 0.375 <= first <= 0.5
    assert 0.75 <= second <= 1


def test_too_long_a_wait_is_not_waited_for(proxies: dict[str, EmulatedProxy]) -> None:
    proxy = proxies["openai"]
    before = len(proxy.records.all)
    fails(openai_client(proxy.url, max_retries=2), "error;reason=rate_limit;retry_after=121")
    assert len(proxy.records.all) - before == 1


@pytest.mark.parametrize("service", SERVICES)
def test_a_call_that_fails_twice_succeeds_at_the_third_attempt(emulated: EmulatedProxies, service: str) -> None:
    provider, make, _ = SERVICES[service]
    script = [{"fault": "error", "reason": "rate_limit", "retry_after": 0.01, "times": 2}, {"fault": "pass"}]
    proxy = emulated.proxy(provider, faults=[{"script": script}])
    client = make(proxy.url, max_retries=2)
    with client:
        made = client.chat.completions.create(**HELLO)
    assert made.choices[0].message.content
    assert client.waits == [0.01, 0.01]  # type: ignore[attr-defined]
    assert [record["status"] for record in proxy.records.all] == [429, 429, 200]
    assert [record["client_attempt"] for record in proxy.records.all] == [0, 1, 2]


def test_the_asynchronous_client_sees_the_same(proxies: dict[str, EmulatedProxy]) -> None:
    async def run() -> tuple[APIStatusError, list[float]]:
        async with CountingAsync(base_url=f"{proxies['openai'].url}/v1", api_key="sk-test", max_retries=1) as client:
            with pytest.raises(openai.RateLimitError) as caught:
                await client.chat.completions.create(
                    **HELLO, extra_headers={"x-rubberduck-fault": "error;reason=token_limit"}
                )
            return caught.value, client.waits

    error, waits = asyncio.run(run())
    assert (error.code, error.type) == ("rate_limit_exceeded", "tokens")
    assert waits == [0.644]


def test_streams_are_refused_before_they_begin(proxies: dict[str, EmulatedProxy]) -> None:
    for url, make in ((proxies["openai"].url, openai_client), (proxies["azure_openai"].url, azure_client)):
        error = fails(make(url, max_retries=0), "error;reason=content_filter", stream=True)
        assert isinstance(error, openai.BadRequestError)
        assert error.code in ("content_policy_violation", "content_filter")


# --- JavaScript


def drive(style: str, url: str, plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    modules = os.environ.get("SDK_NODE_MODULES", str(ROOT / "tests" / "wire" / "node_modules"))
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "openai_errors.mjs"), style, url],
        input=json.dumps(plan),
        env={**os.environ, "SDK_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


JS_CLASSES = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError",
}  # fmt: skip


@pytest.mark.parametrize("style", ["openai", "azure"])
def test_the_javascript_sdk_raises_what_it_raises_for_the_genuine_reply(
    proxies: dict[str, EmulatedProxy], raw: RawReplies, style: str
) -> None:
    provider, _, replies = SERVICES[style]
    faults = [f"error;reason={reason}" for reason in replies]
    simulated = drive(style, proxies[provider].url, [{"fault": fault, "retries": 0} for fault in faults])
    genuine = drive(
        style, raw.url(0)[:-2], [{"base": f"/{ALL.index(reply)}", "retries": 0} for reply in replies.values()]
    )
    principal = re.compile(r"The principal `[^`]*`")
    for reason, ours, theirs in zip(replies, simulated, genuine, strict=True):
        assert ours.pop("request_id"), reason
        theirs.pop("request_id")
        ours["message"], theirs["message"] = (principal.sub("", each["message"]) for each in (ours, theirs))
        assert ours == theirs, reason


@pytest.mark.parametrize("style", ["openai", "azure"])
def test_the_javascript_sdk_retries_what_is_to_be_retried(proxies: dict[str, EmulatedProxy], style: str) -> None:
    proxy = proxies[SERVICES[style][0]]
    before = len(proxy.records.all)
    plan = [{"fault": f"error;status={status};retry_after=0.01", "retries": 2} for status in STATUSES]
    found = drive(style, proxy.url, plan)
    assert [each["status"] for each in found] == list(STATUSES)
    for status, each in zip(STATUSES, found, strict=True):
        assert each["name"] == JS_CLASSES.get(status, "InternalServerError" if status >= 500 else "APIError")
    attempts = [(record["status"], record["client_attempt"]) for record in proxy.records.all[before:]]
    assert attempts == [(status, number) for status in STATUSES for number in range(3 if status in RETRIED else 1)]
