"""The REST API of faults, limits and access lists: who may, in which forms, and what is said of errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from model_bakery import baker

from accounts.models import User
from logs.models import RequestLog
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import all_faults
from proxies.models import Proxy, ProxyRuntime

pytestmark = pytest.mark.django_db
RULES = [{"status": 429, "fault": "error", "rate": 0.5}, {"script": [{"fault": "pass", "times": 2}, {"fault": "hang"}]}]
LIMITS = {
    "rpm": 60,
    "tpm": None,
    "per": "client",
    "over_limit": "hold",
    "hold_s": 2.5,
    "counts_hits": False,
    "quota_headers": True,
}
STOPPED = {"generation": 2, "applied": "stopped", "reason": ""}
GROUPS = ("faults", "limits", "access")


@pytest.fixture
def proxy(make_proxy: Callable[..., Proxy], owner: User) -> Proxy:
    return make_proxy("mine", owner)


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def url(proxy: Proxy, group: str) -> str:
    return f"/api/v1/proxies/{proxy.pk}/{group}"


def put(client: Client, proxy: Proxy, group: str, body: Any, content_type: str = "application/json") -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.put(url(proxy, group), text, content_type=content_type)


def test_faults_are_set_whole_and_come_back_as_they_were_written(ada: Client, proxy: Proxy) -> None:
    assert ada.get(url(proxy, "faults")).json() == {
        "rules": [], "seed": 0, "enabled": True, "per_request": False, "decisions": 0,
    }  # fmt: skip
    fields = {"rules": RULES, "seed": 2**63 - 1, "enabled": False, "per_request": True}
    reply = put(ada, proxy, "faults", fields)
    assert (reply.status_code, reply.json()) == (200, {**fields, "decisions": 0, **STOPPED})
    seen = ada.get(url(proxy, "faults")).json()
    assert json.dumps(seen["rules"]) == json.dumps(RULES)
    assert put(ada, proxy, "faults", seen).json() == {**seen, **STOPPED}
    assert Proxy.objects.get().generation == 2
    assert put(ada, proxy, "faults", {}).json()["enabled"] is True
    assert Proxy.objects.get().faults_rules == []


def test_yaml_is_as_good_as_json(ada: Client, proxy: Proxy) -> None:
    text = "seed: 7\nrules:\n  - {fault: error, status: 503, when: {window: 22:00-06:00}}\n"
    reply = put(ada, proxy, "faults", text, "application/yaml")
    assert reply.json()["rules"] == [{"fault": "error", "status": 503, "when": {"window": "22:00-06:00"}}]
    assert put(ada, proxy, "access", "block: [10.0.0.1]", "application/yaml").json()["block"] == ["10.0.0.1"]


def test_a_list_is_a_list_of_rules(ada: Client, proxy: Proxy) -> None:
    url = f"/api/v1/proxies/{proxy.pk}/faults"
    answer = ada.put(url, "- {fault: close}", content_type="application/yaml")
    assert (answer.status_code, answer.json()["rules"]) == (200, [{"fault": "close"}])


def test_decisions_are_counted_until_a_reset(ada: Client, proxy: Proxy) -> None:
    for number in (1, 2, 3):
        baker.make(RequestLog, proxy_id=proxy.pk, started_at=timezone.now(), decision=number)
    assert ada.get(url(proxy, "faults")).json()["decisions"] == 3
    reply = ada.post(url(proxy, "faults/reset"))
    assert (reply.status_code, reply.json()["decisions"], reply.json()["applied"]) == (200, 0, "stopped")
    proxy.refresh_from_db()
    assert proxy.faults_reset_at is not None


def test_limits_and_access_lists_are_set_whole(ada: Client, proxy: Proxy) -> None:
    assert put(ada, proxy, "limits", LIMITS).json() == {**LIMITS, **STOPPED}
    assert ada.get(url(proxy, "limits")).json() == LIMITS
    assert put(ada, proxy, "limits", {"tpm": 5}).json()["rpm"] is None
    lists = {"allow": ["10.0.0.0/8"], "block": ["10.9.*.*"]}
    assert put(ada, proxy, "access", lists).json() == {**lists, **STOPPED, "generation": 4}
    assert ada.get(url(proxy, "access")).json() == lists
    assert put(ada, proxy, "access", {"allow": []}).json()["block"] == []


def test_a_change_says_when_it_is_live(ada: Client, proxy: Proxy, observed: Callable[..., ProxyRuntime]) -> None:
    Proxy.objects.update(desired_state="running")
    observed(proxy, "running", applied_generation=9)
    for group in GROUPS:
        assert put(ada, proxy, group, {}).json()["applied"] == "live"
    assert ada.post(url(proxy, "faults/reset")).json()["applied"] == "live"


@pytest.mark.parametrize("group", GROUPS)
def test_for_others_there_is_no_such_proxy_and_one_must_have_signed_in(
    client: Client, proxy: Proxy, group: str
) -> None:
    stranger = signed_in(User.objects.create_user("bob@example.com"))
    staff = signed_in(User.objects.create_user("staff@example.com", is_staff=True))
    reset = url(proxy, "faults/reset")
    for who, status in ((client, 401), (stranger, 404), (staff, 404)):
        replies = (who.get(url(proxy, group)), put(who, proxy, group, {}), who.post(reset))
        assert [reply.status_code for reply in replies] == [status] * 3
    forger = signed_in(User.objects.get(email="ada@example.com"), enforce_csrf_checks=True)
    assert put(forger, proxy, group, {}).status_code == 403
    assert forger.post(reset).status_code == 403


@pytest.mark.parametrize(
    ("group", "body", "field", "words"),
    [
        ("faults", "[", "faults", "This is neither JSON nor YAML"),
        ("faults", "", "faults", "Send an object with rules, seed, enabled, per_request."),
        ("faults", "7", "faults", "Send an object with rules, seed, enabled, per_request."),
        ("faults", {"rule": []}, "faults.rule", "There is no such field."),
        ("faults", {"rules": [{"fault": "eror"}]}, "faults.rules", "entry 1, fault: eror: there is no such fault; did"),
        ("faults", {"rules": RULES[:1] * 3}, "faults.rules", "entries 1, 2, 3"),
        ("faults", {"seed": -1}, "faults.seed", "Input should be greater than or equal to 0."),
        ("faults", {"per_request": 1}, "faults.per_request", "Input should be a valid boolean."),
        ("limits", {"rpm": 0}, "limits.rpm", "Input should be greater than or equal to 1."),
        ("limits", {"over_limit": "hold"}, "limits.hold_s", "Say how many seconds a request is held at most."),
        ("access", {"block": ["10.0.0.1", "x"]}, "access.block", "line 2: 'x' is not an IP address"),
        ("access", {"allow": ["10.0.0.1"] * 50_001}, "access.allow", "The list has 50001 entries; 50000 is the most."),
        ("access", "x" * 3_000_000, "access", "The body is longer than 2097152 bytes."),
    ],
)
def test_what_is_refused_is_named_and_changes_nothing(
    ada: Client, proxy: Proxy, group: str, body: Any, field: str, words: str
) -> None:
    reply = put(ada, proxy, group, body)
    assert reply.status_code == (413 if "longer than" in words else 400)
    assert list(reply.json()["error"]["fields"]) == [field]
    assert reply.json()["error"]["fields"][field].startswith(words)
    assert Proxy.objects.get().generation == 1


def test_the_catalog_describes_what_there_is_to_choose_from(client: Client, ada: Client) -> None:
    assert client.get("/api/v1/catalog").status_code == 401
    found = ada.get("/api/v1/catalog").json()
    faults = {fault["kind"]: fault for fault in found["faults"]}
    assert list(faults) == list(all_faults())
    status = next(setting for setting in faults["error"]["settings"] if setting["name"] == "status")
    assert (status["type"], status["ge"], status["le"], status["is_nullable"]) == ("integer", 400, 599, True)
    assert [preset["name"] for preset in found["presets"]] == list(PRESETS)
    assert found["presets"][0]["rules"] == list(PRESETS["openai-rate-limit-storm"].rules)
    assert "quota" in found["reasons"]
    assert "converse" in " ".join(found["operations"]["bedrock"]).lower()
    assert len(found["rule"]["oneOf"]) == len(faults) + 1


def test_the_documentation_tells_the_faults_apart(client: Client) -> None:
    described = client.get("/api/v1/openapi.json").json()
    body = described["paths"]["/api/v1/proxies/{proxy_id}/faults"]["put"]["requestBody"]
    assert body["content"].keys() == {"application/json", "application/yaml"}
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/FaultSettings"}
    components = described["components"]["schemas"]
    rules = components["FaultSettings"]["oneOf"][0]["properties"]["rules"]["anyOf"][0]
    assert rules["items"] == {"$ref": "#/components/schemas/FaultRule"}
    kinds = [one["properties"]["fault"]["const"] for one in components["FaultRule"]["oneOf"][:-1]]
    assert kinds == list(all_faults())
    limits = described["paths"]["/api/v1/proxies/{proxy_id}/limits"]["put"]["requestBody"]
    assert limits["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/LimitSettings"}
    per = components["LimitSettings"]["properties"]["per"]["anyOf"][0]
    assert per["enum"] == ["proxy", "client", "credential"]
