"""The next free port."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from proxies.errors import NoFreePort
from proxies.models import Proxy
from proxies.ports import next_free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine on which a program listens, with two above it that are free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_another_program_has_is_left_out(settings: Settings, taken: int) -> None:
    settings.PROXY_PORTS = (taken, min(taken + 50, 65535))
    assert next_free_port("127.0.0.1") > taken


def test_ports_of_proxies_are_left_out_whether_they_run_or_not(
    settings: Settings, make_proxy: Callable[..., Proxy], taken: int
) -> None:
    settings.PROXY_PORTS = (taken, min(taken + 50, 65535))
    first, second = make_proxy("one").port, make_proxy("two").port
    assert taken < first < second
    assert next_free_port("127.0.0.1", besides=frozenset({second + 1})) > second + 1


def test_the_port_of_the_web_is_left_out(settings: Settings) -> None:
    settings.PROXY_PORTS, settings.WEB_BIND = (8000, 8000), ("127.0.0.1", 8000)
    with pytest.raises(NoFreePort):
        next_free_port("127.0.0.1")


def test_a_full_range_is_said_in_words(settings: Settings, taken: int) -> None:
    settings.PROXY_PORTS = (taken, taken)
    with pytest.raises(NoFreePort) as caught:
        next_free_port("127.0.0.1")
    assert f"Every port from {taken} to {taken} is taken" in caught.value.fields["port"]


def test_an_address_this_machine_lacks_says_nothing_about_ports(settings: Settings) -> None:
    settings.PROXY_PORTS = (8101, 8101)
    assert next_free_port("192.0.2.1") == 8101
