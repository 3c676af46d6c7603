"""The REST API of starting and stopping."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from proxies import lifecycle_api
from proxies.errors import NotFound
from proxies.lifecycle import proxy_want
from proxies.models import DesiredState, Proxy, ProxyRuntime

pytestmark = pytest.mark.django_db


def want(client: Client, proxy: Proxy, state: Any, wait_s: float = 0) -> Any:
    path = f"/api/v1/proxies/{proxy.pk}/desired-state?wait_s={wait_s}"
    return client.put(path, json.dumps({"desired_state": state}), content_type="application/json")


def want_all(client: Client, body: Any) -> Any:
    return client.post("/api/v1/proxies/desired-states?wait_s=0", json.dumps(body), content_type="application/json")


def test_a_start_is_written_and_what_is_observed_is_told(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy], observed: Callable[..., ProxyRuntime]
) -> None:
    proxy = make_proxy("mine", owner)
    observed(proxy, "running")
    reply = want(ada, proxy, "running")
    assert reply.status_code == 200
    assert (reply.json()["desired_state"], reply.json()["state"], reply.json()["applied"]) == (
        "running", "running", "live",
    )  # fmt: skip
    assert Proxy.objects.get().desired_state == "running"


@pytest.mark.parametrize("state", ["stopped", "killed"])
def test_a_stop_says_that_it_drains(
    ada: Client,
    owner: User,
    make_proxy: Callable[..., Proxy],
    observed: Callable[..., ProxyRuntime],
    state: str,
) -> None:
    proxy = make_proxy("mine", owner)
    Proxy.objects.update(desired_state="running")
    observed(proxy, "draining")
    reply = want(ada, proxy, state).json()
    assert (reply["desired_state"], reply["state"], reply["applied"]) == (state, "draining", "draining")
    observed(proxy, "stopped")
    assert want(ada, proxy, state).json()["applied"] == "stopped"


def test_the_same_twice_writes_once(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy], observed: Callable[..., ProxyRuntime]
) -> None:
    proxy = make_proxy("mine", owner)
    observed(proxy, "starting")
    want(ada, proxy, "running")
    before = Proxy.objects.get().updated_at
    assert want(ada, proxy, "running").json()["applied"] == "applying"
    assert Proxy.objects.get().updated_at == before


def test_a_failed_proxy_is_tried_again(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy], observed: Callable[..., ProxyRuntime]
) -> None:
    proxy = make_proxy("mine", owner)
    Proxy.objects.update(desired_state="running")
    observed(proxy, "failed", reason="Port 1 is taken.", reason_code="port_taken")
    reply = want(ada, proxy, "running").json()
    assert (reply["generation"], reply["reason_code"], reply["applied"]) == (2, "port_taken", "applying")
    observed(proxy, "failed", reason="Port 1 is taken.", reason_code="port_taken")
    listed = ada.get(f"/api/v1/proxies/{proxy.pk}").json()
    assert (listed["state"], listed["reason"]) == ("failed", "Port 1 is taken.")


@pytest.mark.parametrize("body", [{}, {"desired_state": "up"}, {"desired_state": None}, {"desired_state": ["running"]}])
def test_an_unknown_state_is_refused(ada: Client, owner: User, make_proxy: Callable[..., Proxy], body: Any) -> None:
    proxy = make_proxy("mine", owner)
    path = f"/api/v1/proxies/{proxy.pk}/desired-state"
    reply = ada.put(path, json.dumps(body), content_type="application/json")
    assert (reply.status_code, list(reply.json()["error"]["fields"])) == (400, ["desired_state"])


def test_several_start_at_once(ada: Client, owner: User, make_proxy: Callable[..., Proxy]) -> None:
    proxies = [make_proxy(name, owner) for name in ("b", "a")]
    reply = want_all(ada, {"ids": [proxy.pk for proxy in proxies], "desired_state": "running"})
    items = reply.json()["items"]
    assert [item["id"] for item in items] == [proxies[1].pk, proxies[0].pk]
    assert {item["reason_code"] for item in items} == {"no_supervisor"}
    assert set(Proxy.objects.values_list("desired_state", flat=True)) == {"running"}


def test_all_or_none_start(ada: Client, owner: User, make_proxy: Callable[..., Proxy]) -> None:
    mine, other = make_proxy("mine", owner), make_proxy("other", User.objects.create_user("bob@example.com"))
    reply = want_all(ada, {"ids": [mine.pk, other.pk], "desired_state": "running"})
    assert (reply.status_code, reply.json()["error"]["fields"]) == (404, {"ids": str(other.pk)})
    assert set(Proxy.objects.values_list("desired_state", flat=True)) == {"stopped"}


def test_all_or_none_start_when_one_goes_in_between(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_proxy("a", owner), make_proxy("b", owner)

    def late(*, proxy: Proxy, state: DesiredState) -> Proxy:
        if proxy == second:
            raise NotFound("The proxy 'b' is gone.")
        return proxy_want(proxy=proxy, state=state)

    monkeypatch.setattr(lifecycle_api, "proxy_want", late)
    reply = want_all(ada, {"ids": [first.pk, second.pk], "desired_state": "running"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    assert Proxy.objects.get(pk=first.pk).desired_state == "stopped"


@pytest.mark.parametrize("ids", [None, [], "1", [0], [True], [1.5], [2**63], list(range(1, 202))])
def test_ids_that_are_none_are_refused(ada: Client, ids: Any) -> None:
    reply = want_all(ada, {"ids": ids, "desired_state": "running"})
    assert (reply.status_code, list(reply.json()["error"]["fields"])) == (400, ["ids"])


def test_an_unknown_member_is_refused(ada: Client) -> None:
    reply = want_all(ada, {"ids": [1], "desired_state": "running", "kill": True})
    assert reply.json()["error"]["fields"] == {"kill": "There is no such field."}
