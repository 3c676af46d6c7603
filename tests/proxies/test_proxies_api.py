"""The REST API of proxies: make, list, read, change, copy, delete, and by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from proxies.models import Proxy, ProxyRuntime

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob() -> Client:
    return signed_in(User.objects.create_user("bob@example.com"))


@pytest.fixture
def staff() -> Client:
    return signed_in(User.objects.create_user("staff@example.com", is_staff=True))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
    text = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
    return client.generic(method, f"/api/v1{path}", text, content_type=content_type if text else "")


def make(client: Client, **fields: Any) -> dict[str, Any]:
    reply = send(client, "POST", "/proxies", {"name": "mine", "provider": "openai", **fields})
    assert reply.status_code == 201, reply.content
    made: dict[str, Any] = reply.json()
    return made


def names(client: Client, **question: Any) -> list[str]:
    reply = client.get("/api/v1/proxies", question)
    assert reply.status_code == 200, reply.content
    return [item["name"] for item in reply.json()["items"]]


# --- make


def test_a_proxy_is_made_with_nested_fields_and_gets_a_port(ada: Client, owner: User) -> None:
    made = make(ada, tags=["ci"], cache={"mode": "replay"}, limits={"rpm": 60}, faults={"rules": [{"fault": "hang"}]})
    proxy = Proxy.objects.get()
    assert (proxy.owner, proxy.cache_mode, proxy.limits_rpm) == (owner, "replay", 60)
    assert (made["id"], made["port"]) == (proxy.pk, proxy.port)
    assert (made["generation"], made["applied"], made["state"], made["desired_state"]) == (
        1, "stopped", "stopped", "stopped",
    )  # fmt: skip
    assert made["cache"]["mode"] == "replay"
    assert made["faults"] == {"rules": [{"fault": "hang"}], "seed": 0, "enabled": True, "per_request": False}
    assert made["base_url"] == f"http://127.0.0.1:{proxy.port}"
    assert made["shown_model"]
    assert ada.get(f"/api/v1/proxies/{proxy.pk}").json() == {
        name: value for name, value in made.items() if name != "applied"
    }


def test_yaml_makes_a_proxy_too(ada: Client) -> None:
    reply = send(ada, "POST", "/proxies", "name: mine\nprovider: anthropic\ncache: {mode: 'off'}", "application/yaml")
    assert (reply.status_code, reply.json()["cache"]["mode"]) == (201, "off")


def test_a_proxy_made_running_says_why_it_does_not_run(ada: Client) -> None:
    made = make(ada, desired_state="running")
    assert made["desired_state"] == "running"
    assert (made["reason_code"], made["applied"]) == ("no_supervisor", "failed")
    assert "supervisor is not running" in made["reason"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"provider": "openai"}, "name", "This field is required."),
        ({"name": "mine"}, "provider", "This field is required."),
        ({"name": "a", "provider": "x"}, "provider", "There is no such provider"),
        ({"name": "a", "provider": "azure_openai"}, "upstream", "Azure"),
        ({"name": "a", "provider": "openai", "cache": {"mode": "x"}}, "cache.mode", "Input should be"),
        ({"name": "a", "provider": "openai", "cache": {"mood": 1}}, "cache.mood", "There is no such field."),
        ({"name": "a", "provider": "openai", "colour": 1}, "colour", "There is no such field."),
        ({"name": "a", "provider": "openai", "desired_state": "up"}, "desired_state", "Use one of running"),
        ({"name": "a", "provider": "openai", "desired_state": []}, "desired_state", "Use one of running"),
        ({"name": "a", "provider": "openai", "upstream": "http://169.254.169.254"}, "upstream", "169.254.169.254 is"),
        ([], "body", "Send an object"),
        ("{", "body", "This is neither JSON nor YAML"),
        ("1: 2", "body", "Send an object whose members have texts for names."),
    ],
)
def test_what_is_refused_is_named_and_makes_nothing(ada: Client, body: Any, field: str, words: str) -> None:
    reply = send(ada, "POST", "/proxies", body)
    assert reply.status_code == 400
    assert words in reply.json()["error"]["fields"][field]
    assert not Proxy.objects.exists()


def test_only_staff_refers_to_credentials(ada: Client, staff: Client) -> None:
    fields = {"name": "aws", "provider": "bedrock", "credential": "profile:work"}
    reply = send(ada, "POST", "/proxies", fields)
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_allowed")
    assert list(reply.json()["error"]["fields"]) == ["credential"]
    assert send(staff, "POST", "/proxies", fields).json()["credential"] == "profile:work"


def test_the_name_of_a_taken_ports_proxy_is_for_its_owner_alone(
    ada: Client, bob: Client, make_proxy: Callable[..., Proxy]
) -> None:
    port = make(ada, name="secret-project")["port"]
    other = make_proxy("nobodys-project")
    reply = send(bob, "POST", "/proxies", {"name": "b", "provider": "openai", "port": port})
    assert reply.json()["error"]["fields"] == {"port": f"Port {port} belongs to another proxy."}
    reply = send(bob, "POST", "/proxies", {"name": "b", "provider": "openai", "port": other.port})
    assert reply.json()["error"]["fields"] == {"port": f"Port {other.port} belongs to another proxy."}
    reply = send(ada, "POST", "/proxies", {"name": "b", "provider": "openai", "port": port})
    assert "'secret-project'" in reply.json()["error"]["fields"]["port"]


# --- list


def test_the_list_holds_ones_own_alone(
    ada: Client, bob: Client, staff: Client, make_proxy: Callable[..., Proxy]
) -> None:
    make(ada, name="of ada")
    make_proxy("of nobody")
    assert names(ada) == ["of ada"]
    assert names(bob) == names(staff) == []


def test_search_and_filters_narrow_the_list_down(
    ada: Client, observed: Callable[..., ProxyRuntime], make_proxy: Callable[..., Proxy]
) -> None:
    make(ada, name="Alpha", tags=["ci", "eu"])
    make(ada, name="beta", provider="anthropic", description="for the ALPHABET")
    gamma = make(ada, name="gamma", upstream="https://llm.example.com")
    assert names(ada, search="alpha") == ["Alpha", "beta"]
    assert names(ada, search="LLM.example") == ["gamma"]
    assert names(ada, search=str(gamma["port"])) == ["gamma"]
    assert names(ada, search="alpha", provider="openai") == ["Alpha"]
    assert names(ada, tag="eu") == ["Alpha"]
    assert names(ada, tag="e") == []
    observed(Proxy.objects.get(name="gamma"), "failed", reason="The port is taken.")
    assert names(ada, state="failed") == ["gamma"]
    assert names(ada, state="stopped") == ["Alpha", "beta"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["A", "b", "c"]),
        ("-name", ["c", "b", "A"]),
        ("port", ["c", "A", "b"]),
        ("-port", ["b", "A", "c"]),
        ("provider", ["b", "A", "c"]),
        ("-provider", ["c", "A", "b"]),
        ("created_at", ["b", "c", "A"]),
        ("-created_at", ["A", "c", "b"]),
        ("updated_at", ["c", "A", "b"]),
        ("-state", ["b", "A", "c"]),
    ],
)
def test_every_order_is_kept_from_page_to_page(ada: Client, sort: str, expected: list[str]) -> None:
    b = make(ada, name="b", provider="anthropic", port=18003)
    make(ada, name="c", port=18001, provider="vertex_ai")
    make(ada, name="A", port=18002)
    send(ada, "PATCH", f"/proxies/{b['id']}", {"description": "later"})
    if sort == "-state":
        expected = [item.name for item in Proxy.objects.order_by("-pk")]  # all are stopped: the id decides
    seen: list[str] = []
    cursor = ""
    while True:
        page = ada.get("/api/v1/proxies", {"sort": sort, "limit": 1, "cursor": cursor}).json()
        assert page["total"] == 3
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == expected


def test_a_page_goes_on_where_it_was_although_the_list_changes(ada: Client) -> None:
    ids = {name: make(ada, name=name)["id"] for name in "abde"}
    cursor = ada.get("/api/v1/proxies", {"limit": 2}).json()["next_cursor"]
    send(ada, "DELETE", f"/proxies/{ids['b']}")
    make(ada, name="c")
    make(ada, name="0")
    assert names(ada, cursor=cursor) == ["c", "d", "e"]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"cursor": "WyJuYW1lIiwxLDJd"}, "cursor"),
        ({"sort": "colour"}, "sort"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"state": "asleep"}, "state"),
        ({"search": "a\0b"}, "search"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(ada: Client, question: dict[str, Any], field: str) -> None:
    reply = ada.get("/api/v1/proxies", question)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid")
    assert list(reply.json()["error"]["fields"]) == [field]


def test_a_cursor_of_another_order_is_refused(ada: Client) -> None:
    make(ada, name="a")
    make(ada, name="b")
    cursor = ada.get("/api/v1/proxies", {"limit": 1}).json()["next_cursor"]
    assert ada.get("/api/v1/proxies", {"sort": "-name", "cursor": cursor}).status_code == 400


# --- change, delete


def test_a_change_touches_what_is_sent_alone(ada: Client) -> None:
    made = make(ada, cache={"mode": "replay", "ttl_s": 60}, limits={"rpm": 5})
    reply = send(ada, "PATCH", f"/proxies/{made['id']}", {"cache": {"ttl_s": None}, "description": "new"})
    changed = reply.json()
    assert (reply.status_code, changed["generation"], changed["applied"]) == (200, 2, "stopped")
    assert changed["cache"] == {**made["cache"], "ttl_s": None}
    assert (changed["limits"]["rpm"], changed["description"]) == (5, "new")


def test_what_was_read_may_be_sent_back_and_changes_nothing(ada: Client) -> None:
    made = make(ada, tags=["x"], faults={"rules": [{"fault": "error", "status": 500}]})
    reply = send(ada, "PATCH", f"/proxies/{made['id']}", made)
    assert (reply.status_code, reply.json()["generation"]) == (200, 1)
    assert send(ada, "PUT", "/proxies/by-name/mine", made).json()["generation"] == 1


def test_a_change_to_a_running_proxy_answers_when_it_is_live(
    ada: Client, observed: Callable[..., ProxyRuntime]
) -> None:
    made = make(ada)
    proxy = Proxy.objects.get()
    Proxy.objects.update(desired_state="running")
    observed(proxy, "running", applied_generation=2, in_flight=3)
    changed = send(ada, "PATCH", f"/proxies/{made['id']}", {"description": "x"}).json()
    assert (changed["generation"], changed["applied_generation"], changed["applied"]) == (2, 2, "live")
    assert (changed["state"], changed["in_flight"]) == ("running", 3)


def test_a_refused_change_changes_nothing(ada: Client) -> None:
    made = make(ada)
    reply = send(ada, "PATCH", f"/proxies/{made['id']}", {"description": "x", "limits": {"rpm": 0}})
    assert list(reply.json()["error"]["fields"]) == ["limits.rpm"]
    assert Proxy.objects.get().description == ""


def test_a_deleted_proxy_is_gone(ada: Client) -> None:
    made = make(ada)
    reply = send(ada, "DELETE", f"/proxies/{made['id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert send(ada, "DELETE", f"/proxies/{made['id']}").status_code == 404


@pytest.mark.parametrize("proxy_id", [0, 2**63, 10**30])
def test_a_number_that_no_proxy_has_is_not_found(ada: Client, proxy_id: int) -> None:
    assert ada.get(f"/api/v1/proxies/{proxy_id}").status_code == 404


# --- copy


def test_a_copy_has_another_name_and_port(ada: Client) -> None:
    made = make(ada, tags=["x"], cache={"mode": "replay"}, desired_state="running")
    first = send(ada, "POST", f"/proxies/{made['id']}/clone")
    assert (first.status_code, first.json()["name"]) == (201, "mine copy")
    second = send(ada, "POST", f"/proxies/{made['id']}/clone", {"cache": {"mode": "off"}}).json()
    assert (second["name"], second["tags"], second["cache"]["mode"]) == ("mine copy 2", ["x"], "off")
    assert second["desired_state"] == "stopped"
    assert len({made["port"], first.json()["port"], second["port"]}) == 3
    named = send(ada, "POST", f"/proxies/{made['id']}/clone", {"name": "other", "port": 18010}).json()
    assert (named["name"], named["port"]) == ("other", 18010)


def test_the_name_of_a_copy_fits(ada: Client) -> None:
    made = make(ada, name="x" * 100)
    assert send(ada, "POST", f"/proxies/{made['id']}/clone").json()["name"] == "x" * 95 + " copy"


def test_a_copy_of_a_proxy_with_a_credential_is_for_staff(ada: Client) -> None:
    made = make(ada, provider="bedrock")
    Proxy.objects.update(credential="profile:work")
    assert send(ada, "POST", f"/proxies/{made['id']}/clone").status_code == 403
    assert send(ada, "POST", f"/proxies/{made['id']}/clone", {"credential": None}).json()["credential"] == ""


# --- by name


def test_by_name_makes_once_and_then_changes(ada: Client) -> None:
    body = {"provider": "openai", "tags": ["a"], "cache": {"mode": "replay"}}
    first = send(ada, "PUT", "/proxies/by-name/my%20proxy", body)
    assert (first.status_code, first.json()["name"]) == (201, "my proxy")
    again = send(ada, "PUT", "/proxies/by-name/my%20proxy", body)
    assert (again.status_code, again.json()["generation"], again.json()["port"]) == (200, 1, first.json()["port"])
    changed = send(ada, "PUT", "/proxies/by-name/my%20proxy", {"provider": "openai"}).json()
    assert (changed["tags"], changed["cache"]["mode"], changed["generation"]) == ([], "on", 2)
    assert changed["port"] == first.json()["port"]
    assert ada.get("/api/v1/proxies/by-name/MY%20PROXY").json()["id"] == changed["id"]


def test_by_name_takes_null_for_what_it_decides_itself(ada: Client) -> None:
    body = {"name": None, "provider": "openai", "port": None, "desired_state": None, "cache": None}
    first = send(ada, "PUT", "/proxies/by-name/mine", body)
    again = send(ada, "PUT", "/proxies/by-name/mine", body)
    assert (first.status_code, again.status_code, again.json()["generation"]) == (201, 200, 1)
    assert first.json()["port"] == again.json()["port"]


def test_by_name_leaves_credential_and_desired_state(ada: Client) -> None:
    make(ada, name="aws", provider="bedrock", desired_state="running")
    Proxy.objects.update(credential="profile:work")
    reply = send(ada, "PUT", "/proxies/by-name/aws", {"provider": "bedrock", "description": "x"})
    assert (reply.status_code, reply.json()["credential"], reply.json()["desired_state"]) == (
        200, "profile:work", "running",
    )  # fmt: skip
    stopped = send(ada, "PUT", "/proxies/by-name/aws", {"provider": "bedrock", "desired_state": "stopped"})
    assert stopped.json()["desired_state"] == "stopped"


def test_by_name_is_ones_own_name(ada: Client, bob: Client, staff: Client) -> None:
    make(ada, description="hers")
    for other in (bob, staff):
        assert other.get("/api/v1/proxies/by-name/mine").status_code == 404
    assert send(bob, "PUT", "/proxies/by-name/mine", {"provider": "openai"}).status_code == 201
    assert Proxy.objects.get(owner__email="ada@example.com").description == "hers"


def test_a_name_with_a_slash_is_reached(ada: Client) -> None:
    assert send(ada, "PUT", "/proxies/by-name/a%2Fb", {"provider": "openai"}).json()["name"] == "a/b"
    assert ada.get("/api/v1/proxies/by-name/a%2Fb").json()["name"] == "a/b"


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("mine", {"name": "yours", "provider": "openai"}, "name"),
        ("mine", {}, "provider"),
        ("a%00b", {"provider": "openai"}, "name"),
        ("x" * 101, {"provider": "openai"}, "name"),
        ("%20", {"provider": "openai"}, "name"),
    ],
)
def test_a_wrong_description_by_name_is_refused(ada: Client, name: str, body: Any, field: str) -> None:
    reply = send(ada, "PUT", f"/proxies/by-name/{name}", body)
    assert (reply.status_code, list(reply.json()["error"]["fields"])) == (400, [field])
    assert not Proxy.objects.exists()


def test_a_name_that_cannot_be_is_not_found(ada: Client) -> None:
    assert ada.get("/api/v1/proxies/by-name/a%00b").status_code == 404
