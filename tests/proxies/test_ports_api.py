"""The REST API of ports."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from proxies.models import Proxy

pytestmark = pytest.mark.django_db


def test_the_next_free_port_is_the_one_a_proxy_gets(ada: Client, make_proxy: Callable[..., Proxy]) -> None:
    port = ada.get("/api/v1/ports/next").json()["port"]
    assert make_proxy("mine").port == port
    assert ada.get("/api/v1/ports/next?bind=127.0.0.1").json()["port"] > port


def test_no_port_left_is_said(ada: Client, make_proxy: Callable[..., Proxy], settings: Settings) -> None:
    port = make_proxy("mine").port
    settings.PROXY_PORTS = (port, port)
    reply = ada.get("/api/v1/ports/next")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "no_free_port")


def test_a_port_is_free_or_says_who_has_it(ada: Client, make_proxy: Callable[..., Proxy], settings: Settings) -> None:
    free = ada.get("/api/v1/ports/next").json()["port"]
    assert ada.get(f"/api/v1/ports/{free}").json() == {"port": free, "is_available": True, "reason": ""}
    other = make_proxy("somebody's").port
    found = ada.get(f"/api/v1/ports/{other}").json()
    assert (found["is_available"], found["reason"]) == (False, f"Port {other} belongs to another proxy.")
    assert "web interface" in ada.get(f"/api/v1/ports/{settings.WEB_BIND[1]}").json()["reason"]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert "in use by another program" in ada.get(f"/api/v1/ports/{port}").json()["reason"]


@pytest.mark.parametrize("place", ["ports/0", "ports/65536", "ports/next?bind=example.com", "ports/8001?bind=1.2.3"])
def test_what_is_no_port_or_address_is_refused(ada: Client, place: str) -> None:
    reply = ada.get(f"/api/v1/{place}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid")
    assert list(reply.json()["error"]["fields"]) == ["bind" if "bind" in place else "port"]
