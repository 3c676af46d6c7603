"""The REST API of a proxy's two sides: snippets, and the way to the upstream."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.test import Client
from pytest_django import Settings

from accounts.models import SiteSettings, User
from proxies.models import Proxy

pytestmark = pytest.mark.django_db


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def check(client: Client, proxy: Proxy) -> Any:
    reply = client.post(f"/api/v1/proxies/{proxy.pk}/upstream-check")
    assert reply.status_code == 200, reply.content
    return reply.json()


def test_snippets_are_written_for_this_very_proxy(ada: Client, owner: User, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy("mine", owner, model="my-model")
    found = ada.get(f"/api/v1/proxies/{proxy.pk}/snippets").json()
    assert (found["base_url"], found["model"]) == (f"http://127.0.0.1:{proxy.port}", "my-model")
    assert all(f":{proxy.port}" in snippet["code"] for snippet in found["snippets"])
    assert any("my-model" in snippet["code"] for snippet in found["snippets"])


def test_an_upstream_that_listens_is_reached(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy], listener: socket.socket
) -> None:
    upstream = f"http://127.0.0.1:{listener.getsockname()[1]}"
    found = check(ada, make_proxy("mine", owner, upstream=upstream))
    assert (found["is_ok"], found["stage"], found["upstream"], found["tls"]) == (True, "done", upstream, "")
    listener.settimeout(5)
    connection, _ = listener.accept()
    with connection:
        assert _rest(connection) == b""  # nothing was asked


def _rest(connection: socket.socket) -> bytes:
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


def test_one_that_does_not_is_not(ada: Client, owner: User, make_proxy: Callable[..., Proxy]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = check(ada, make_proxy("mine", owner, upstream=f"http://127.0.0.1:{port}"))
    assert (found["is_ok"], found["stage"]) == (False, "connect")
    assert found["message"] == f"The upstream 127.0.0.1:{port} cannot be reached: connection refused."


def test_a_name_that_does_not_resolve_is_said(ada: Client, owner: User, make_proxy: Callable[..., Proxy]) -> None:
    found = check(ada, make_proxy("mine", owner, upstream="https://nothing.invalid"))
    assert (found["is_ok"], found["stage"]) == (False, "resolve")
    assert "its name does not resolve" in found["message"]


def test_the_address_policy_holds_at_the_moment_of_the_test(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy], listener: socket.socket
) -> None:
    proxy = make_proxy("mine", owner, upstream=f"http://localhost:{listener.getsockname()[1]}")
    SiteSettings.objects.update_or_create(pk=1, defaults={"allow_private_upstreams": False})
    found = check(ada, proxy)
    assert (found["is_ok"], found["stage"]) == (False, "policy")
    assert "private upstreams are switched off" in found["message"]
    listener.settimeout(0.05)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_an_emulated_upstream_needs_no_connection(ada: Client, owner: User, make_proxy: Callable[..., Proxy]) -> None:
    found = check(ada, make_proxy("mine", owner, upstream="emulated"))
    assert (found["is_ok"], found["stage"]) == (True, "none")


def test_an_upstream_told_by_each_request_cannot_be_tried(
    ada: Client, owner: User, make_proxy: Callable[..., Proxy]
) -> None:
    found = check(ada, make_proxy("mine", owner, provider="bedrock"))
    assert (found["is_ok"], found["stage"]) == (None, "none")


@pytest.mark.parametrize("is_trusted", [True, False])
def test_tls_is_agreed_on_with_trusted_certificates_alone(
    ada: Client,
    owner: User,
    make_proxy: Callable[..., Proxy],
    listener: socket.socket,
    settings: Settings,
    tmp_path: Path,
    is_trusted: bool,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings.UPSTREAM_CA_FILE = tmp_path / "ca.pem" if is_trusted else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as session:
                session.recv(1)
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    found = check(ada, make_proxy("mine", owner, upstream=f"https://localhost:{listener.getsockname()[1]}"))
    thread.join()
    assert (found["is_ok"], found["stage"]) == ((True, "done") if is_trusted else (False, "tls"))
    assert found["tls"] == ("TLSv1.3" if is_trusted else "")
