"""Proxies made from whole descriptions, when others do the same in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from proxies import declaring
from proxies.declaring import proxy_clone, proxy_put
from proxies.errors import Invalid, NotAllowed
from proxies.models import Proxy
from proxies.services import proxy_create, proxy_delete, proxy_update

pytestmark = pytest.mark.django_db
FIELDS = {"provider": "openai", "tags": ["a"]}


def test_one_that_another_made_in_between_is_changed(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(**arguments: Any) -> Proxy:
        monkeypatch.setattr(declaring, "proxy_create", proxy_create)
        proxy_create(owner=owner, fields={"name": "mine", "provider": "anthropic", "port": 18001})
        return proxy_create(**arguments)

    monkeypatch.setattr(declaring, "proxy_create", late)
    proxy, is_new = proxy_put(owner=owner, name="mine", fields=FIELDS)
    assert (is_new, proxy.provider, proxy.tags, proxy.port) == (False, "openai", ["a"], 18001)
    assert Proxy.objects.count() == 1


def test_one_that_another_made_with_the_same_port_is_changed_too(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {**FIELDS, "port": 18001}

    def late(**arguments: Any) -> Proxy:
        proxy_create(owner=owner, fields={"name": "mine", **fields})
        raise Invalid(fields={"port": "Port 18001 belongs to another proxy, 'mine'."})  # the name was looked up before

    monkeypatch.setattr(declaring, "proxy_create", late)
    proxy, is_new = proxy_put(owner=owner, name="mine", fields=fields)
    assert (is_new, proxy.port, proxy.generation) == (False, 18001, 1)


def test_one_that_another_deleted_in_between_is_made(
    owner: User, make_proxy: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_proxy("mine", owner)

    def late(**arguments: Any) -> Proxy:
        proxy_delete(proxy=old)
        return proxy_update(**{**arguments, "proxy": Proxy(pk=old.pk, name="mine")})

    monkeypatch.setattr(declaring, "proxy_update", late)
    proxy, is_new = proxy_put(owner=owner, name="mine", fields=FIELDS)
    assert (is_new, proxy.tags, Proxy.objects.count()) == (True, ["a"], 1)


def test_a_refusal_is_not_tried_again(owner: User) -> None:
    with pytest.raises(Invalid) as caught:
        proxy_put(owner=owner, name="mine", fields={"provider": "nobody"})
    assert list(caught.value.fields) == ["provider"]


def test_a_copy_keeps_everything_but_name_and_port(owner: User, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine", owner, tags=["x"], faults={"seed": 7}, description="d")
    copy = proxy_clone(proxy=proxy, owner=owner, changes={"description": None})
    assert (copy.name, copy.tags, copy.faults_seed, copy.description) == ("mine copy", ["x"], 7, "")
    assert copy.port != proxy.port


def test_a_credential_is_copied_by_staff_alone(owner: User, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine", owner, provider="bedrock")
    Proxy.objects.update(credential="profile:work")
    proxy.refresh_from_db()
    with pytest.raises(NotAllowed):
        proxy_clone(proxy=proxy, owner=owner, changes={})
    copy = proxy_clone(proxy=proxy, owner=owner, changes={}, may_reference_credentials=True)
    assert copy.credential == "profile:work"
