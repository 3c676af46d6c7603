"""The REST API of canned replies: who may, in which forms, and what is said of errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from proxies.models import Proxy, ProxyRuntime

pytestmark = pytest.mark.django_db
REPLIES = [{"match": {"model": "gpt-*"}, "reply": {"json": {"b": 1, "a": 2}}}]


@pytest.fixture
def proxy(make_proxy: Callable[..., Proxy], owner: User) -> Proxy:
    return make_proxy("mine", owner, upstream="emulated", emulation={"replies": REPLIES})


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def url(proxy: Proxy) -> str:
    return f"/api/v1/proxies/{proxy.pk}/replies"


def put(client: Client, proxy: Proxy, body: str | bytes, content_type: str = "application/json", **headers: str) -> Any:
    return client.put(url(proxy), body, content_type=content_type, headers=headers)


def test_the_owner_sees_the_list_as_it_was_written(proxy: Proxy, owner: User) -> None:
    reply = signed_in(owner).get(url(proxy))
    assert reply.status_code == 200
    assert json.dumps(reply.json()) == json.dumps(REPLIES)


def test_for_others_there_is_no_such_proxy(proxy: Proxy, make_proxy: Callable[..., Proxy]) -> None:
    stranger = signed_in(User.objects.create_user("bob@example.com"))
    staff = signed_in(User.objects.create_user("staff@example.com", is_staff=True))
    expected = {"error": {"code": "not_found", "message": "There is no such proxy.", "fields": {}}}
    for other in (proxy, make_proxy("nobody's"), Proxy(pk=10_000)):
        for reply in (stranger.get(url(other)), put(stranger, other, "[]"), staff.get(url(other))):
            assert (reply.status_code, reply.json()) == (404, expected)
    assert Proxy.objects.get(pk=proxy.pk).emulation_replies == REPLIES


def test_one_must_have_signed_in(client: Client, proxy: Proxy) -> None:
    for reply in (client.get(url(proxy)), put(client, proxy, "[]")):
        assert reply.status_code == 401
        assert reply.json() == {"error": {"code": "not_signed_in", "message": "Sign in first.", "fields": {}}}


def test_a_change_needs_the_token_against_forgery(proxy: Proxy, owner: User) -> None:
    client = signed_in(owner, enforce_csrf_checks=True)
    reply = put(client, proxy, "[]")
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_allowed")
    client.cookies["csrftoken"] = "a" * 32
    assert put(client, proxy, "[]", **{"x-csrftoken": "a" * 32}).status_code == 200


def test_a_list_in_json_or_yaml_takes_the_place_of_the_old_one(proxy: Proxy, owner: User) -> None:
    client = signed_in(owner)
    reply = put(client, proxy, '[{"reply": {"text": "one"}}]')
    assert reply.json() == {
        "generation": 2,
        "applied": "stopped",
        "reason": "",
        "replies": [{"reply": {"text": "one"}}],
    }
    reply = put(client, proxy, "- reply:\n    text: |\n      two\n", "application/yaml")
    assert reply.json()["replies"] == [{"reply": {"text": "two\n"}}]
    assert Proxy.objects.get().emulation_replies == [{"reply": {"text": "two\n"}}]
    assert Proxy.objects.get().generation == 3


def test_a_change_says_when_it_is_live(proxy: Proxy, owner: User, observed: Callable[..., ProxyRuntime]) -> None:
    Proxy.objects.update(desired_state="running")
    observed(proxy, "running", applied_generation=2)
    assert put(signed_in(owner), proxy, "[]").json() == {
        "generation": 2,
        "applied": "live",
        "reason": "",
        "replies": [],
    }


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("[", "malformed", "This is neither JSON nor YAML"),
        ("", "invalid", "Send a list; [] for none."),
        ("null", "invalid", "Send a list; [] for none."),
        ("{}", "invalid", "Input should be a valid list."),
        (
            '[{"reply": {"error": {"status": 5}}}]',
            "invalid",
            "entry 1, reply.error.status: Input should be greater than",
        ),
        (b"\xff", "malformed", "The text is not valid UTF-8."),
        ("x" * 2_100_000, "too_large", "The text takes 2100000 bytes"),
        ("x" * 3_000_000, "too_large", "The body is longer than 2097152 bytes."),
    ],
)
def test_what_is_refused_is_named_and_changes_nothing(
    proxy: Proxy, owner: User, body: str | bytes, code: str, words: str
) -> None:
    reply = put(signed_in(owner), proxy, body)
    assert reply.status_code == (413 if code == "too_large" else 400)
    error = reply.json()["error"]
    assert error["code"] == code
    assert error["fields"]["emulation.replies"].startswith(words)
    assert error["message"].startswith("emulation.replies: ")
    assert Proxy.objects.get().emulation_replies == REPLIES


def test_the_documentation_names_both_forms_of_a_list(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    body = paths["/api/v1/proxies/{proxy_id}/replies"]["put"]["requestBody"]
    assert body["content"].keys() == {"application/json", "application/yaml"}
