from __future__ import annotations

import orjson
import pytest

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.google_errors import (
    bad_request,
    error_reply,
    html_not_found,
    is_gemini,
    is_openai,
    is_sse,
    json_reply,
    not_emulated,
    refuse,
)
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import whole


def request(path: str, query: bytes = b"") -> EmulatedRequest:
    call = PROVIDER.match("POST", path.encode())
    return EmulatedRequest("POST", call, query, {}, b"", 1.0, "01997a00-0000-7000-8000-000000000001")


GENERATE = "/v1beta/models/m:generateContent"
STREAM = "/v1beta/models/m:streamGenerateContent"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/v1beta/models/m:generateContent", True),
        (b"/v1/models/m:generateContent", True),
        (b"/upload/v1beta/files", True),
        (b"/v1beta1/publishers/google/models", False),
        (b"/v1/projects/p/locations/l/cachedContents", False),
        (b"/v1beta1/models/m:generateContent", False),
    ],
)
def test_the_two_services_are_told_apart_by_the_path(path: bytes, expected: bool) -> None:
    assert is_gemini(path) is expected


def test_openai_routes_are_known() -> None:
    assert is_openai(b"/v1beta/openai/chat/completions")
    assert is_openai(b"/v1/projects/p/locations/l/endpoints/openapi/chat/completions")
    assert not is_openai(b"/v1/projects/openai/locations/l/endpoints/1:generateContent")


@pytest.mark.parametrize(
    ("query", "expected"),
    [(b"alt=sse", True), (b"key=x&alt=sse", True), (b"%24alt=sse", True), (b"alt=json", False), (b"salt=sse", False)],
)
def test_server_sent_events_are_asked_for_in_the_query(query: bytes, expected: bool) -> None:
    assert is_sse(query) is expected


@pytest.mark.parametrize(
    ("path", "query", "is_wrapped"),
    [
        (GENERATE, b"", False),
        (STREAM, b"alt=sse", False),
        (STREAM, b"", True),
        ("/v1beta/openai/chat/completions", b"", True),
    ],
)
def test_streams_without_events_and_openai_routes_wrap_errors_in_an_array(
    path: str, query: bytes, is_wrapped: bool
) -> None:
    body = orjson.loads(whole(error_reply(request(path, query), 400, "No.")))
    assert body == ([_ERROR] if is_wrapped else _ERROR)


_ERROR = {"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}


def test_each_service_has_its_own_words_for_too_many_requests() -> None:
    gemini = orjson.loads(whole(error_reply(request(GENERATE), 429)))["error"]["message"]
    vertex = orjson.loads(whole(error_reply(request("/v1/publishers/google/models/m:generateContent"), 429)))
    assert gemini.startswith("You exceeded your current quota")
    assert vertex["error"]["message"].startswith("Resource exhausted. Please try again later.")


def test_interactions_have_errors_of_their_own() -> None:
    path = "/v1beta/interactions"
    assert orjson.loads(whole(error_reply(request(path), 400, "No."))) == {
        "error": {"message": "No.", "code": "invalid_request"}
    }
    assert orjson.loads(whole(error_reply(request(path), 404, "No.")))["error"]["code"] == "not_found"
    assert orjson.loads(whole(error_reply(request(path), 403, "No.")))["error"]["code"] == 403


def test_violations_are_listed_with_their_fields() -> None:
    error = orjson.loads(whole(bad_request(request(GENERATE), [("a.b", "One."), ("", "Two.")]).reply))["error"]
    assert error["message"] == "One.\nTwo."
    assert error["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "a.b", "description": "One."}, {"description": "Two."}],
        }
    ]


def test_a_refusal_carries_its_status_and_name() -> None:
    reply = refuse(request(GENERATE), "There.", 409, name="ALREADY_EXISTS").reply
    assert reply.status == 409
    assert orjson.loads(whole(reply))["error"]["status"] == "ALREADY_EXISTS"


def test_what_is_not_emulated_is_named() -> None:
    assert b"generate_content" in whole(not_emulated(request(GENERATE)).reply)
    assert b"POST on this path" in whole(not_emulated(request("/v9")).reply)


def test_success_is_printed_indented() -> None:
    assert whole(json_reply(request(GENERATE), {"a": 1})) == b'{\n  "a": 1\n}'


def test_the_page_for_unknown_addresses_names_the_path() -> None:
    assert b"<code>/v9</code>" in whole(html_not_found(request("/v9")))
