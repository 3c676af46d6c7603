"""The official Google Gen AI SDKs, AnthropicVertex and the OpenAI SDK meet the errors of a proxy: the classes, words,
details and retries are those of the genuine replies."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import openai
import pytest
from anthropic import AnthropicVertex
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from providers.faults.base import Reason
from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.faults.plain_server import PlainServer

ROOT = Path(__file__).resolve().parents[2]
MODEL = "gemini-2.5-flash"
CLAUDE = "claude-sonnet-4-5@20250929"
HELLO: dict[str, Any] = {"model": CLAUDE, "max_tokens": 200, "messages": [{"role": "user", "content": "Say hello."}]}
STYLES = ("gemini", "vertex", "express")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


class Told(NamedTuple):
    """What the SDK makes of an error."""

    name: str
    code: int
    status: str
    words: str
    details: tuple[str, ...] = ()


_LIMIT = ("Help", "QuotaFailure", "RetryInfo")
_REQUESTS = Told(
    "ClientError", 429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan", _LIMIT
)
GEMINI: dict[Reason, Told] = {
    Reason.RATE_LIMIT: _REQUESTS,
    Reason.TOKEN_LIMIT: _REQUESTS._replace(words="generate_content_paid_tier_input_token_count"),
    Reason.THROTTLING: _REQUESTS,
    Reason.QUOTA: Told("ClientError", 429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    Reason.OVERLOADED: Told("ServerError", 503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    Reason.SERVER_ERROR: Told("ServerError", 500, "INTERNAL", "An internal error has occurred."),
    Reason.UNAVAILABLE: Told("ServerError", 503, "UNAVAILABLE", "The service is currently unavailable."),
    Reason.TIMEOUT: Told("ServerError", 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    Reason.INVALID_KEY: Told(
        "ClientError", 400, "INVALID_ARGUMENT", "API key not valid.", ("ErrorInfo", "LocalizedMessage")
    ),
    Reason.PERMISSION_DENIED: Told("ClientError", 403, "PERMISSION_DENIED", "The caller does not have permission"),
    Reason.MODEL_NOT_FOUND: Told("ClientError", 404, "NOT_FOUND", f"models/{MODEL} is not found for API version v"),
    Reason.CONTEXT_LENGTH: Told("ClientError", 400, "INVALID_ARGUMENT", "The input token count"),
    Reason.CONTENT_FILTER: Told("ClientError", 400, "INVALID_ARGUMENT", "Responsible AI practices"),
    Reason.INVALID_REQUEST: Told("ClientError", 400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    Reason.REQUEST_TOO_LARGE: Told("ClientError", 400, "INVALID_ARGUMENT", "Request payload size exceeds the limit"),
}
_QUOTA = "Quota exceeded for aiplatform.googleapis.com/generate_content_"
VERTEX: dict[Reason, Told] = GEMINI | {
    Reason.RATE_LIMIT: Told("ClientError", 429, "RESOURCE_EXHAUSTED", _QUOTA + "requests_per_minute"),
    Reason.TOKEN_LIMIT: Told("ClientError", 429, "RESOURCE_EXHAUSTED", _QUOTA + "input_tokens_per_minute"),
    Reason.THROTTLING: Told("ClientError", 429, "RESOURCE_EXHAUSTED", _QUOTA + "requests_per_minute"),
    Reason.QUOTA: Told("ClientError", 403, "PERMISSION_DENIED", "requires billing to be enabled", ("ErrorInfo",)),
    Reason.SERVER_ERROR: Told("ServerError", 500, "INTERNAL", "Internal error encountered."),
    Reason.INVALID_KEY: Told(
        "ClientError", 401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", ("ErrorInfo",)
    ),
    Reason.PERMISSION_DENIED: Told(
        "ClientError", 403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied on", ("ErrorInfo",)
    ),
    Reason.MODEL_NOT_FOUND: Told(
        "ClientError", 404, "NOT_FOUND", "/locations/us-central1/publishers/google/models/gemini-2.5-flash` was not"
    ),
}
EXPRESS: dict[Reason, Told] = VERTEX | {
    Reason.INVALID_KEY: GEMINI[Reason.INVALID_KEY],
    Reason.MODEL_NOT_FOUND: Told("ClientError", 404, "NOT_FOUND", f"`publishers/google/models/{MODEL}` was not found"),
}
REASONS = {"gemini": GEMINI, "vertex": VERTEX, "express": EXPRESS}

# Class, status, Anthropic's type (None: Google's own error), words.
CLAUDES: dict[Reason, tuple[str, int, str | None, str]] = {
    Reason.RATE_LIMIT: ("RateLimitError", 429, None, "online_prediction_requests_per_base_model with base model: anth"),
    Reason.TOKEN_LIMIT: ("RateLimitError", 429, None, "online_prediction_input_tokens_per_minute_per_base_model"),
    Reason.THROTTLING: ("RateLimitError", 429, None, "base model: anthropic-claude-sonnet-4-5."),
    Reason.QUOTA: ("PermissionDeniedError", 403, None, "requires billing to be enabled"),
    Reason.OVERLOADED: ("OverloadedError", 529, "overloaded_error", "Overloaded"),
    Reason.SERVER_ERROR: ("InternalServerError", 500, "api_error", "Internal server error"),
    Reason.UNAVAILABLE: ("ServiceUnavailableError", 503, None, "The service is currently unavailable."),
    Reason.TIMEOUT: ("GatewayTimeoutError", 504, None, "Deadline expired"),
    Reason.INVALID_KEY: ("AuthenticationError", 401, None, "invalid authentication credentials"),
    Reason.PERMISSION_DENIED: ("PermissionDeniedError", 403, None, "publishers/anthropic/models/claude-sonnet-4-5@2"),
    Reason.MODEL_NOT_FOUND: ("NotFoundError", 404, None, "/locations/us-east5/publishers/anthropic/models/claude-s"),
    Reason.CONTEXT_LENGTH: ("ContentTooLargeError", 413, "invalid_request_error", "Prompt is too long"),
    Reason.CONTENT_FILTER: ("BadRequestError", 400, "invalid_request_error", "blocked by content filtering policy"),
    Reason.INVALID_REQUEST: ("BadRequestError", 400, "invalid_request_error", "messages: Field required"),
    Reason.REQUEST_TOO_LARGE: ("BadRequestError", 400, None, "Request payload size exceeds the limit"),
}

# Replies of the genuine services: the providers' documentation and public issue reports, read November 2026.
_JSON = {"content-type": "application/json; charset=UTF-8"}


def _genuine(code: int, status: str, message: str, details: list[Any] | None = None) -> tuple[int, dict[str, str], str]:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details is not None:
        error["details"] = details
    return code, _JSON, json.dumps({"error": error}, indent=2)


GENUINE: dict[Reason, tuple[int, dict[str, str], str]] = {
    Reason.RATE_LIMIT: _genuine(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details. ...\nPlease retry in 34.07s.",
        [
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"},
        ],
    ),
    Reason.QUOTA: _genuine(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted. Please go to AI ..."),
    Reason.OVERLOADED: _genuine(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    Reason.SERVER_ERROR: _genuine(500, "INTERNAL", "An internal error has occurred. Please retry or report in ..."),
    Reason.TIMEOUT: _genuine(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    Reason.INVALID_KEY: _genuine(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": "..."},
        ],
    ),
    Reason.CONTEXT_LENGTH: _genuine(
        400,
        "INVALID_ARGUMENT",
        "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
    ),
}


def make(style: str, base_url: str, **options: Any) -> genai.Client:
    """A client that looks for no default credentials."""
    http = types.HttpOptions(base_url=base_url, **options)
    if style == "vertex":
        project = {"project": "my-project", "location": "us-central1"}
        return genai.Client(vertexai=True, credentials=Credentials(token="ya29.test"), http_options=http, **project)
    if style == "express":
        return genai.Client(vertexai=True, api_key="AQ.test", http_options=http)
    return genai.Client(api_key="AIza-test", http_options=http)


class Hasty(AnthropicVertex):
    """The SDK with its own waits, which it writes down and does not wait."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(
            base_url=url + "/v1", project_id="my-project", region="us-east5", access_token="ya29.test", **options
        )
        self.waits: list[float] = []

    def _calculate_retry_timeout(self, *given: Any, **named: Any) -> float:
        self.waits.append(super()._calculate_retry_timeout(*given, **named))
        return 0.0


@pytest.fixture(scope="module")
def proxy(emulated: EmulatedProxies) -> EmulatedProxy:
    return emulated.proxy("vertex_ai")


def fail(client: genai.Client) -> errors.APIError:
    with pytest.raises(errors.APIError) as caught:
        client.models.generate_content(model=MODEL, contents="Say hello.")
    return caught.value


def fail_streaming(client: genai.Client) -> errors.APIError:
    with pytest.raises(errors.APIError) as caught:
        list(client.models.generate_content_stream(model=MODEL, contents="Say hello."))
    return caught.value


def check(error: errors.APIError, expected: Told) -> None:
    listed = error.details["error"].get("details", ())
    found = tuple(detail["@type"].removeprefix("type.googleapis.com/google.rpc.") for detail in listed)
    assert (type(error).__name__, error.code, error.status, found) == (*expected[:3], expected.details)
    assert expected.words in (error.message or "")
    assert error.details["error"]["code"] == expected.code


# --- the Google Gen AI SDK


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_raises_the_error_of_the_genuine_reply(proxy: EmulatedProxy, style: str, reason: Reason) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": str(reason)}])
    before = len(proxy.records.all)
    client = make(style, proxy.url)
    expected = REASONS[style][reason]
    check(fail(client), expected)
    check(fail_streaming(client), expected)
    rows = proxy.records.all[before:]
    assert [(row["outcome"], row["status"]) for row in rows] == [("fault", expected.code)] * 2  # nothing is retried


@pytest.mark.parametrize("reason", GENUINE)
def test_the_genuine_bytes_from_a_plain_server_end_the_same(reason: Reason) -> None:
    with PlainServer(*GENUINE[reason]) as server:
        error = fail(make("gemini", server.url))
    expected = GEMINI[reason]
    found = tuple(detail["@type"].rpartition(".")[2] for detail in error.details["error"].get("details", ()))
    assert (type(error).__name__, error.code, error.status, found) == (*expected[:3], expected.details)
    assert server.requests == 1


@pytest.mark.parametrize("status", [402, 404, 409, 418, 429, 451, 499, 500, 501, 503, 504, 520, 529, 599])
def test_every_status_is_an_error_of_its_side(proxy: EmulatedProxy, status: int) -> None:
    proxy.swap(faults=[{"fault": "error", "status": status}])
    error = fail(make("gemini", proxy.url))
    assert type(error) is (errors.ClientError if status < 500 else errors.ServerError)
    assert error.code == error.details["error"]["code"] == status
    assert error.status
    assert error.message


@pytest.mark.parametrize(
    ("status", "title"),
    [(408, "Request Timeout"), (413, "Request Entity Too Large"), (502, "Server Error")],
)
def test_what_the_front_end_answers_is_a_page(proxy: EmulatedProxy, status: int, title: str) -> None:
    proxy.swap(faults=[{"fault": "error", "status": status}])
    error = fail(make("vertex", proxy.url))
    assert type(error) is (errors.ClientError if status < 500 else errors.ServerError)
    assert f"<title>Error {status} ({title})!!1</title>" in (error.message or "")


def test_words_and_codes_can_be_given(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "status": 503, "message": "Sorry.", "code": "RESOURCE_EXHAUSTED"}])
    error = fail(make("gemini", proxy.url))
    assert (error.code, error.status, error.message) == (503, "RESOURCE_EXHAUSTED", "Sorry.")
    proxy.swap(faults=[{"fault": "error", "reason": "timeout", "status": 500, "code": "TOO_MANY_DUCKS"}])
    error = fail(make("gemini", proxy.url))
    assert (error.code, error.status) == (500, "DEADLINE_EXCEEDED")
    assert "Deadline expired" in (error.message or "")
    assert error.details["error"]["details"][0]["reason"] == "TOO_MANY_DUCKS"


def test_a_wait_is_told_in_the_details_and_in_the_words(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "rate_limit", "retry_after": 7}])
    error = fail(make("gemini", proxy.url))
    assert error.details["error"]["details"][-1]["retryDelay"] == "7s"
    assert (error.message or "").endswith("\nPlease retry in 7s.")
    proxy.swap(faults=[{"fault": "error", "status": 503, "retry_after": 7}])
    error = fail(make("vertex", proxy.url))
    assert error.details["error"]["details"][-1]["retryDelay"] == "7s"
    assert "retry in" not in (error.message or "")


@pytest.mark.parametrize(
    ("status", "attempts"), [(400, 1), (401, 1), (404, 1), (429, 3), (500, 3), (502, 3), (503, 3), (504, 3), (529, 1)]
)
def test_with_retries_allowed_the_sdk_retries_what_it_always_retries(
    proxy: EmulatedProxy, status: int, attempts: int
) -> None:
    proxy.swap(faults=[{"fault": "error", "status": status, "retry_after": 30}])
    before = len(proxy.records.all)
    retry = types.HttpRetryOptions(attempts=3, initial_delay=0.001, max_delay=0.002, jitter=0)
    fail(make("gemini", proxy.url, retry_options=retry))
    assert len(proxy.records.all) - before == attempts


def test_two_failures_and_a_success_are_one_call(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"script": [{"fault": "error", "reason": "overloaded", "times": 2}, {"fault": "pass"}]}])
    retry = types.HttpRetryOptions(attempts=3, initial_delay=0.001, max_delay=0.002, jitter=0)
    client = make("vertex", proxy.url, retry_options=retry)
    assert client.models.generate_content(model=MODEL, contents="Say hello.").text


def test_the_asynchronous_client_raises_the_same(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": "rate_limit"}])

    async def attempt() -> errors.APIError:
        client = make("gemini", proxy.url)
        with pytest.raises(errors.APIError) as caught:
            await client.aio.models.generate_content(model=MODEL, contents="Say hello.")
        await client.aio.aclose()
        return caught.value

    check(asyncio.run(attempt()), GEMINI[Reason.RATE_LIMIT])


def test_an_error_in_a_stream_has_its_status(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "stream_error", "events": 2}])
    chunks: list[Any] = []
    client = make("gemini", proxy.url)
    with pytest.raises(errors.ServerError) as caught:
        chunks.extend(client.models.generate_content_stream(model=MODEL, contents="Say hello."))
    assert len(chunks) == 2
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    assert "overloaded" in (caught.value.message or "")
    proxy.swap(faults=[{"fault": "stream_error", "status": 429, "message": "Enough."}])
    client = make("vertex", proxy.url)
    with pytest.raises(errors.ClientError, match="Enough"):
        list(client.models.generate_content_stream(model=MODEL, contents="Say hello."))


# --- Claude


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_claudes_errors_are_anthropics_or_googles(proxy: EmulatedProxy, reason: Reason, is_streaming: bool) -> None:
    name, status, kind, words = CLAUDES[reason]
    proxy.swap(faults=[{"fault": "error", "reason": str(reason)}])
    before = len(proxy.records.all)
    with Hasty(proxy.url) as client, pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**HELLO, stream=is_streaming)
    error = caught.value
    assert (type(error).__name__, error.status_code, error.type) == (name, status, kind)
    is_retried = status == 429 or status >= 500
    assert len(proxy.records.all) - before == (3 if is_retried else 1)
    body = error.response.json()
    if kind is None:
        assert isinstance(body, list) == is_streaming  # without alt=sse a stream's error stands in an array
        said = (body[0] if is_streaming else body)["error"]
        assert said["code"] == status
        assert error.request_id is None
    else:
        said = body["error"]
        assert body["request_id"] == error.request_id == error.response.headers["request-id"]
        assert (error.request_id or "").startswith("req_vrtx_011C")
    assert words in said["message"]


@pytest.mark.parametrize("reason", [Reason.RATE_LIMIT, Reason.OVERLOADED])
def test_claudes_client_waits_as_long_as_it_is_told(proxy: EmulatedProxy, reason: Reason) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": str(reason), "retry_after": 4}])
    with Hasty(proxy.url) as client, pytest.raises(anthropic.APIStatusError):
        client.messages.create(**HELLO)
    assert client.waits == [4.0, 4.0]


def test_an_error_in_claudes_stream_is_anthropics(proxy: EmulatedProxy) -> None:
    proxy.swap(faults=[{"fault": "stream_error", "events": 3}])
    with Hasty(proxy.url) as client, pytest.raises(anthropic.APIStatusError) as caught:
        list(client.messages.create(**HELLO, stream=True))
    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")
    assert caught.value.body["request_id"].startswith("req_vrtx_")  # type: ignore[index]


# --- the proxy's own limit


def test_the_proxys_own_limit_is_a_quota_that_is_exceeded(emulated: EmulatedProxies) -> None:
    limited = emulated.proxy("vertex_ai", rate_limit={"rpm": 1, "shows_quota": True})
    client = make("gemini", limited.url)
    assert client.models.generate_content(model=MODEL, contents="Say hello.").text
    error = fail(client)
    check(error, _REQUESTS._replace(words="limit: 1, model: gemini-2.5-flash"))
    wait_s = int(error.details["error"]["details"][-1]["retryDelay"].removesuffix("s"))
    assert 1 <= wait_s <= 60
    with Hasty(limited.url, max_retries=1) as claude, pytest.raises(anthropic.RateLimitError, match="Quota exceeded"):
        claude.messages.create(**HELLO)
    assert all(1 <= wait <= 60 for wait in claude.waits)
    assert len(claude.waits) == 1


# --- the OpenAI-compatible routes


@pytest.mark.parametrize(
    ("reason", "name", "words"),
    [
        (Reason.RATE_LIMIT, "RateLimitError", "You exceeded your current quota"),
        (Reason.INVALID_KEY, "BadRequestError", "API key not valid"),
        (Reason.OVERLOADED, "InternalServerError", "The model is overloaded"),
        (Reason.MODEL_NOT_FOUND, "NotFoundError", "is not found"),
    ],
)
def test_the_openai_sdk_raises_what_google_says(proxy: EmulatedProxy, reason: Reason, name: str, words: str) -> None:
    proxy.swap(faults=[{"fault": "error", "reason": str(reason)}])
    with (
        openai.OpenAI(base_url=proxy.url + "/v1beta/openai/", api_key="AIza-test", max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say hello."}])
    assert type(caught.value).__name__ == name
    assert words in caught.value.response.json()[0]["error"]["message"]


# --- JavaScript


@pytest.mark.parametrize("style", STYLES)
def test_the_javascript_sdk_raises_what_google_says(style: str, emulated: EmulatedProxies) -> None:
    header = "x-case"
    rules = [{"fault": "error", "reason": str(reason), "match": {"header": {header: str(reason)}}} for reason in Reason]
    rules.append({"fault": "error", "status": 502, "match": {"header": {header: "page"}}})
    rules.append({"fault": "stream_error", "events": 1, "match": {"header": {header: "streaming"}}})
    proxy = emulated.proxy("vertex_ai", faults=rules)
    modules = ROOT / "tests" / "wire" / "node_modules"
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "gemini_errors.mjs"), proxy.url, style, *Reason],
        env={**os.environ, "SDK_NODE_MODULES": os.environ.get("SDK_NODE_MODULES", str(modules))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    assert len(proxy.records.all) == len(found)  # nothing is retried
    page = found.pop("page")
    assert (page["class"], page["status"]) == ("ApiError", 502)
    assert "Error 502" in page["message"]
    streaming = found.pop("streaming")
    assert (streaming["class"], streaming["status"], streaming["chunks"]) == ("ApiError", 503, 1)
    assert set(found) == {str(reason) for reason in Reason}
    for reason, expected in REASONS[style].items():
        seen = found[reason]
        assert (seen["class"], seen["status"]) == ("ApiError", expected.code), reason
        told = json.loads(seen["message"])["error"]
        assert (told["status"], told["code"]) == (expected.status, expected.code), reason
        assert expected.words in told["message"], reason
