"""Errors of the API have one shape, wherever they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.errors import DomainError
from accounts.models import User
from proxies import proxies_api
from rubberduck.api_errors import ERROR_SCHEMA, MEANINGS, STATUS, ErrorCode

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("ada@example.com"))
    return client


def error_of(reply: Any) -> dict[str, Any]:
    assert reply["Content-Type"] == "application/json; charset=utf-8"
    body = json.loads(reply.content)
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message", "fields"}
    assert body["error"]["message"]
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/proxies/", "/api/v1/proxies/abc", "/api/v2", "/api/"])
def test_an_unknown_route_is_not_found(ada: Client, path: str) -> None:
    reply = ada.get(path)
    assert (reply.status_code, error_of(reply)["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_a_route_does_not_take_is_told_with_those_that_it_takes(ada: Client, method: str) -> None:
    reply = ada.generic(method, "/api/v1/proxies")
    assert (reply.status_code, error_of(reply)["code"]) == (405, "method_not_allowed")
    assert sorted(reply["Allow"].split(", ")) == ["GET", "POST"]
    assert reply["Content-Length"] == str(len(reply.content))


def test_pages_keep_their_own_errors(client: Client) -> None:
    assert client.get("/nothing")["Content-Type"].startswith("text/html")
    assert client.get("/apiary")["Content-Type"].startswith("text/html")


def test_a_foreign_host_is_refused_in_the_shape_too(client: Client) -> None:
    reply = client.get("/api/v1/providers", headers={"host": "evil.example.com"})
    assert (reply.status_code, error_of(reply)["code"]) == (400, "malformed")


def test_who_has_not_signed_in_is_told_so(client: Client) -> None:
    reply = client.get("/api/v1/proxies")
    assert (reply.status_code, error_of(reply)["code"]) == (401, "not_signed_in")
    reply = client.get("/api/v1/proxies", headers={"authorization": "Bearer rdk_nonsense"})
    assert (reply.status_code, error_of(reply)["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("path", ["proxies", "tokens"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "image/png"])
def test_a_body_of_another_kind_is_refused(ada: Client, content_type: str, path: str) -> None:
    reply = ada.generic("POST", f"/api/v1/{path}", '{"name": "a", "provider": "openai"}', content_type=content_type)
    assert (reply.status_code, error_of(reply)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["proxies", "tokens"])
def test_a_body_that_cannot_be_read_is_malformed(ada: Client, path: str) -> None:
    reply = ada.post(f"/api/v1/{path}", '{"name": ', content_type="application/json")
    assert (reply.status_code, error_of(reply)["code"]) == (400, "malformed")


@pytest.mark.parametrize("path", ["proxies", "tokens"])
def test_a_body_that_is_too_large_is_refused(ada: Client, path: str) -> None:
    reply = ada.post(f"/api/v1/{path}", "x" * 3_000_000, content_type="application/json")
    assert (reply.status_code, error_of(reply)["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["proxies", "tokens"])
def test_a_body_may_be_yaml_and_is_an_object_that_names_each_member_once(ada: Client, path: str) -> None:
    for text in ("- name: a", "name: a\nname: b", "1: 2", "null", "# nothing"):
        reply = ada.generic("POST", f"/api/v1/{path}", text, content_type="application/yaml")
        assert (reply.status_code, error_of(reply)["code"]) == (400, "malformed")
    reply = ada.generic("POST", f"/api/v1/{path}", "name: from yaml\n", content_type="application/yaml")
    assert reply.status_code == 201 if path == "tokens" else list(error_of(reply)["fields"]) == ["provider"]


def test_the_fields_of_other_bodies_are_named_too(ada: Client) -> None:
    reply = ada.post("/api/v1/tokens", {"scope": "everything", "colour": 1}, content_type="application/json")
    error = error_of(reply)
    assert (reply.status_code, error["code"]) == (400, "invalid")
    assert error["fields"] == {
        "name": "This field is required.",
        "scope": "Input should be 'read' or 'write'.",
        "colour": "There is no such field.",
    }


def test_an_entry_of_a_list_is_named_by_its_number(ada: Client) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    reply = ada.patch("/api/v1/settings", {"global_block": ["10.0.0.1", 7]}, content_type="application/json")
    assert (reply.status_code, error_of(reply)["fields"]) == (
        400, {"global_block": "entry 2: Input should be a valid string."},
    )  # fmt: skip


def test_a_forged_request_is_refused_in_the_shape(ada: Client) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = ada.cookies
    for method, path in (("POST", "proxies"), ("DELETE", "tokens/1"), ("PATCH", "me")):
        reply = browser.generic(method, f"/api/v1/{path}", "{}", content_type="application/json")
        assert (reply.status_code, error_of(reply)["code"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (RuntimeError("SECRET"), 500, "internal_error"),
        (OperationalError("SECRET"), 503, "unavailable"),
    ],
)
def test_a_crash_says_nothing_of_itself_but_on_the_console(
    ada: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    status: int,
    code: str,
) -> None:
    def crash(*args: Any, **options: Any) -> None:
        raise raised

    monkeypatch.setattr(proxies_api, "proxies_of", crash)
    reply = ada.get("/api/v1/proxies")
    assert (reply.status_code, error_of(reply)["code"]) == (status, code)
    assert "SECRET" not in reply.content.decode()
    assert "SECRET" in caplog.text


def kinds(kind: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from kinds(inner)


def test_every_code_of_the_services_is_a_documented_one() -> None:
    assert {kind.code for kind in kinds()} <= set(ErrorCode)
    assert ERROR_SCHEMA["properties"]["error"]["properties"]["code"]["enum"] == list(ErrorCode)
    assert all(STATUS.get(code, 400) == status for status, (code, _) in MEANINGS.items())


def test_every_operation_declares_the_errors_it_can_answer_with(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            statuses = set(operation["responses"])
            assert {"400", "503"} <= statuses, (path, method)
            assert ("security" not in operation) or {"401", "403"} <= statuses
            assert ("{" not in path) or "404" in statuses
            assert ("requestBody" not in operation) or {"413", "415"} <= statuses
            for status, reply in operation["responses"].items():
                if int(status) >= 400:
                    content = reply["content"]["application/json"]["schema"]
                    assert content == {"$ref": "#/components/schemas/Error"}
