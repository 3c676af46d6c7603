"""Azure OpenAI's errors: the gateway's, the models', and what differs between the two styles."""

from __future__ import annotations

from typing import Any, Literal

import orjson
import pytest

from providers.base import ErrorReply
from providers.faults.azure_openai import FAULTS
from providers.faults.base import Asked, Quota, Reason
from providers.registry import get_provider
from providers.wire import sse
from tests.providers.emulated.asking import Asker
from tests.providers.faults.openai_replies import REQUEST_ID, asked, frames

ASKER = Asker("azure_openai")
DEPLOYMENT = "/openai/deployments/ducks/chat/completions?api-version=2024-10-21"
V1 = "/openai/v1/chat/completions"
RESPONSES = "/openai/v1/responses"
ASKED = asked(ASKER, DEPLOYMENT, model="gpt-4o")


def told(reply: ErrorReply) -> dict[str, Any]:
    error: dict[str, Any] = orjson.loads(reply.body)["error"]
    return error


# status, code and words of the message. Source: learn.microsoft.com reference, public issue reports.
GENUINE: dict[Reason, tuple[int, str, str]] = {
    Reason.RATE_LIMIT: (
        429,
        "429",
        "have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry",
    ),
    Reason.THROTTLING: (429, "429", "after 6 seconds."),
    Reason.TOKEN_LIMIT: (429, "429", "have exceeded token rate limit of your current OpenAI S0 pricing tier."),
    Reason.OVERLOADED: (503, "ServiceUnavailable", "temporarily unable to process"),
    Reason.SERVER_ERROR: (500, "InternalServerError", "Internal server error"),
    Reason.UNAVAILABLE: (503, "503", "Service temporarily unavailable"),
    Reason.TIMEOUT: (408, "Timeout", "The operation was timeout."),
    Reason.INVALID_KEY: (401, "401", "Access denied due to invalid subscription key or wrong API endpoint."),
    Reason.PERMISSION_DENIED: (401, "PermissionDenied", "lacks the required data action"),
    Reason.MODEL_NOT_FOUND: (404, "DeploymentNotFound", "The API deployment for this resource does not exist."),
    Reason.CONTEXT_LENGTH: (400, "context_length_exceeded", "maximum context length is 128000 tokens"),
    Reason.CONTENT_FILTER: (400, "content_filter", "Azure OpenAI's content management policy"),
    Reason.INVALID_REQUEST: (400, "BadRequest", "invalid"),
    Reason.REQUEST_TOO_LARGE: (413, "RequestEntityTooLarge", "too large"),
}


@pytest.mark.parametrize("reason", GENUINE)
def test_every_reason_has_its_genuine_reply(reason: Reason) -> None:
    status, code, words = GENUINE[reason]
    reply = FAULTS.error(ASKED, reason=reason)
    error = told(reply)
    assert (reply.status, error["code"]) == (status, code)
    assert words in error["message"]
    head = dict(reply.headers)
    assert head[b"content-type"] == b"application/json"
    assert head[b"apim-request-id"] == head[b"x-request-id"] == REQUEST_ID.encode()
    assert head[b"x-ms-region"] == b"East US 2"
    assert head[b"x-ms-deployment-name"] == b"ducks"
    assert (b"retry-after" in head) == (status == 429)
    assert (b"azureml-model-session" in head) == (status in (400, 408, 429, 500, 503))


def test_every_reason_is_among_them() -> None:
    assert set(Reason) - set(GENUINE) == {Reason.QUOTA}


def test_a_used_up_quota_is_the_gateways_refusal() -> None:
    reply = FAULTS.error(ASKED, reason=Reason.QUOTA)
    assert reply.status == 403
    assert orjson.loads(reply.body) == {
        "statusCode": 403,
        "message": "Out of call volume quota. Quota will be replenished in 3.12:00:00.",
    }
    assert told(FAULTS.error(ASKED, reason=Reason.QUOTA, code="own"))["code"] == "own"


def test_the_content_filter_says_what_it_found() -> None:
    error = told(FAULTS.error(ASKED, reason=Reason.CONTENT_FILTER))
    assert (error["param"], error["type"], error["status"]) == ("prompt", None, 400)
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert error["innererror"]["content_filter_result"]["jailbreak"] == {"filtered": True, "detected": True}


def test_a_refusal_of_the_models_own_is_openais() -> None:
    error = told(FAULTS.error(ASKED, reason=Reason.CONTEXT_LENGTH))
    assert (error["type"], error["param"]) == ("invalid_request_error", "messages")


JWT = b"Bearer eyJ0eXAi.eyJhdWQi.c2ln"


@pytest.mark.parametrize(
    ("target", "headers", "code"),
    [
        (DEPLOYMENT, {b"api-key": b"key"}, "401"),
        (DEPLOYMENT, {b"api-key": b"key", b"authorization": JWT}, "401"),
        (DEPLOYMENT, {b"authorization": b"Bearer token"}, "Unauthorized"),
        (DEPLOYMENT, {}, "401"),
        (V1, {b"authorization": b"Bearer key"}, "401"),
        (V1, {b"authorization": JWT}, "Unauthorized"),
        (V1, {b"api-key": b"key"}, "401"),
    ],
)
def test_a_key_is_refused_otherwise_than_a_token(target: str, headers: dict[bytes, bytes], code: str) -> None:
    request = asked(ASKER, target, headers=headers)
    for reply in (FAULTS.error(request, reason=Reason.INVALID_KEY), FAULTS.error(request, status=401)):
        assert (reply.status, told(reply)["code"]) == (401, code)


@pytest.mark.parametrize("status", [status for status in range(400, 600) if status not in (502, 504)])
def test_every_status_has_a_reply_in_azures_shape(status: int) -> None:
    reply = FAULTS.error(ASKED, status=status)
    assert reply.status == status
    error = told(reply)
    assert list(error) == ["code", "message"]
    assert error["message"]


@pytest.mark.parametrize("status", [502, 504])
def test_the_gateway_in_front_answers_with_a_page(status: int) -> None:
    reply = FAULTS.error(ASKED, status=status)
    assert dict(reply.headers)[b"content-type"] == b"text/html"
    assert reply.body.startswith(b"<html>")
    assert b"Microsoft-Azure-Application-Gateway" in reply.body
    assert told(FAULTS.error(ASKED, status=status, message="mine"))["message"] == "mine"


@pytest.mark.parametrize("reason", Reason)
def test_status_message_and_code_replace_the_usual_ones(reason: Reason) -> None:
    reply = FAULTS.error(ASKED, reason=reason, status=418, message="mine", code="own")
    error = told(reply)
    assert (reply.status, error["message"], error["code"]) == (418, "mine", "own")


@pytest.mark.parametrize("wait_s", [0, 0.05, 1, 37, 86_400])
@pytest.mark.parametrize("reason", [Reason.RATE_LIMIT, Reason.TOKEN_LIMIT])
@pytest.mark.parametrize("target", [DEPLOYMENT, V1])
def test_the_wait_is_the_same_in_words_and_headers(reason: Reason, wait_s: float, target: str) -> None:
    unit = b"tokens" if reason is Reason.TOKEN_LIMIT else b"requests"
    reply = FAULTS.error(asked(ASKER, target, model="gpt-4o"), reason=reason, retry_after_s=wait_s)
    head = dict(reply.headers)
    whole = head[b"retry-after"].decode()
    assert 0 <= int(whole) - wait_s < 1
    assert int(head[b"retry-after-ms"]) == wait_s * 1000
    assert head[b"x-ratelimit-reset-" + unit] == whole.encode()
    assert head[b"x-ratelimit-remaining-" + unit] == b"0"
    assert f"Please retry after {whole} seconds." in told(reply)["message"]
    assert head[b"policy-id"] == (b"DeploymentRatelimit-Token" if unit == b"tokens" else b"DeploymentRatelimit-Call")


def test_a_limit_names_operation_and_version() -> None:
    def said(target: str) -> str:
        return str(told(FAULTS.error(asked(ASKER, target, model="gpt-4o"), reason=Reason.RATE_LIMIT))["message"])

    assert "the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have" in said(DEPLOYMENT)
    embeddings = "/openai/deployments/ducks/embeddings?api-version=2024-06-01"
    assert "the Embeddings_Create Operation under Azure OpenAI API version 2024-06-01 have" in said(embeddings)
    assert said(V1).startswith("Your requests to gpt-4o for gpt-4o in East US 2 have exceeded the call rate limit for")
    assert "under Azure OpenAI API version preview." in said(V1 + "?api-version=preview")


@pytest.mark.parametrize("exceeded", ["requests", "tokens"])
def test_a_request_over_the_proxys_own_limit_hears_the_limits_numbers(exceeded: Literal["requests", "tokens"]) -> None:
    reply = FAULTS.limited(ASKED, Quota(3, 0, 20.0, 1000, 10, 58.2), exceeded, 19.2)
    head = dict(reply.headers)
    assert (reply.status, told(reply)["code"]) == (429, "429")
    assert "Please retry after 20 seconds." in told(reply)["message"]
    assert (head[b"retry-after"], head[b"retry-after-ms"]) == (b"20", b"19200")
    assert (head[b"x-ratelimit-limit-requests"], head[b"x-ratelimit-remaining-tokens"]) == (b"3", b"10")
    limits = {name for name in head if name.startswith(b"x-ratelimit")}
    assert limits <= get_provider("azure_openai").unsafe_reply_headers  # no recording repeats them


def test_quota_headers_have_no_reset_while_there_is_something_left() -> None:
    assert dict(FAULTS.quota_headers(Quota(1500, 1499, 0.04, 150_000, 149_976, 0.01), 0.0)) == {
        b"x-ratelimit-limit-requests": b"1500",
        b"x-ratelimit-remaining-requests": b"1499",
        b"x-ratelimit-limit-tokens": b"150000",
        b"x-ratelimit-remaining-tokens": b"149976",
    }
    assert FAULTS.quota_headers(Quota(), 0.0) == []


# --- streams


def stream_error(request: Asked, **choice: Any) -> tuple[str, dict[str, Any]]:
    (event,) = sse.events(FAULTS.stream_error(request, b"text/event-stream", **choice))
    return event.name, orjson.loads(event.data)


@pytest.mark.parametrize("reason", GENUINE)
def test_an_error_in_a_stream_is_the_error_of_a_reply(reason: Reason) -> None:
    name, data = stream_error(ASKED, reason=reason)
    assert name == ""
    if reason is not Reason.SERVER_ERROR:
        assert data == {"error": told(FAULTS.error(ASKED, reason=reason))}


@pytest.mark.parametrize("choice", [{}, {"status": 500}, {"reason": Reason.SERVER_ERROR}])
def test_a_model_that_fails_in_its_stream_says_it_in_openais_words(choice: dict[str, Any]) -> None:
    _, data = stream_error(ASKED, **choice)
    assert (data["error"]["type"], data["error"]["code"]) == ("server_error", None)
    assert f"(Please include the request ID {REQUEST_ID} in your email.)" in data["error"]["message"]
    assert stream_error(ASKED, message="mine", **choice)[1]["error"]["message"] == "mine"


def test_responses_tell_errors_by_name() -> None:
    name, data = stream_error(asked(ASKER, RESPONSES, model="gpt-4o"), reason=Reason.RATE_LIMIT)
    assert name == data["type"] == "error"
    assert data["error"]["code"] == "429"
    assert set(data["error"]) == {"type", "code", "message", "param"}
    assert stream_error(asked(ASKER, RESPONSES), reason=Reason.QUOTA)[1]["error"]["code"] == "403"


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (DEPLOYMENT, {"messages": [{"role": "user", "content": "Say hello."}]}),
        (V1, {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello."}]}),
        (RESPONSES, {"model": "gpt-4o", "input": "Say hello."}),
    ],
)
def test_the_last_event_of_every_stream_ends_it_and_no_other(target: str, body: dict[str, Any]) -> None:
    request = asked(ASKER, target)
    *before, last = frames(ASKER, target, body)
    assert FAULTS.is_terminator(request, last)
    assert [event for event in before if FAULTS.is_terminator(request, event)] == []
