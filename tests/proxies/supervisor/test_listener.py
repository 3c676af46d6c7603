"""Listening sockets and the words for what stands in their way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from proxies.supervisor.listener import BindError, holder_of, listen


def _port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_clients_connect_to_what_listens(bind: str) -> None:
    with listen(bind, 0) as listener, socket.create_connection(("127.0.0.1", _port_of(listener))):
        assert not listener.getblocking()


@pytest.mark.parametrize("bind", ["::1", "[::1]", "::"])
def test_ipv6_addresses_are_listened_on(bind: str) -> None:
    with listen(bind, 0) as listener, socket.create_connection(("::1", _port_of(listener))) as client:
        assert client.family is socket.AF_INET6


def test_the_unspecified_ipv6_address_takes_ipv4_clients_too() -> None:
    with listen("::", 0) as listener, socket.create_connection(("127.0.0.1", _port_of(listener))) as client:
        assert client.getpeername()[0] == "127.0.0.1"


def test_a_taken_port_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = _port_of(holder)
        with pytest.raises(BindError) as caught:
            listen("127.0.0.1", port)
    assert caught.value.code == "port_taken"
    name = caught.value.words.rpartition(", ")[2]
    assert caught.value.words == f"port {port} on 127.0.0.1 is in use by another program (pid {os.getpid()}, {name}"


def test_a_conflict_that_shows_only_on_listen_is_a_conflict() -> None:
    with socket.socket() as bound:  # bound with SO_REUSEADDR and listening only later: both binds succeed
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        with pytest.raises(BindError) as caught:
            listen("127.0.0.1", _port_of(bound), with_holder=False)
    assert caught.value.words.endswith("is in use by another program")


def test_a_port_is_free_again_at_once_after_its_connections_were_cut() -> None:
    first = listen("127.0.0.1", 0)
    port = _port_of(first)
    with socket.create_connection(("127.0.0.1", port)):
        accepted, _ = first.accept()
        accepted.close()  # our side closes first: the port lingers in TIME_WAIT
    first.close()
    with listen("127.0.0.1", port) as second:
        assert _port_of(second) == port


@pytest.mark.parametrize(
    ("bind", "words"),
    [
        ("example.com", "'example.com' is not an IP address to listen on"),
        ("", "'' is not an IP address to listen on"),
        ("192.0.2.1", "192.0.2.1 is not an address of this machine"),
    ],
)
def test_a_bad_address_is_said_in_words(bind: str, words: str) -> None:
    with pytest.raises(BindError) as caught:
        listen(bind, 0)
    assert (caught.value.code, caught.value.words) == ("bad_address", words)


def test_a_port_out_of_range_is_said_in_words() -> None:
    with pytest.raises(BindError, match=r"cannot listen on port 70000 on 127\.0\.0\.1: ") as caught:
        listen("127.0.0.1", 70000)
    assert caught.value.code == "bad_address"


def test_a_port_below_1024_without_the_right_to_it_is_said_in_words() -> None:
    # In a process of its own that gives up its rights, because this one may be root.
    code = """
import os
from proxies.supervisor.listener import BindError, listen
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    listen("127.0.0.1", 81)
except BindError as error:
    print(error.code, error.words, sep="|")
"""
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    assert lowest > 81, "this machine lets everybody have port 81"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "not_permitted|not permitted to listen on port 81 on 127.0.0.1: ports below 1024 need more rights"
    )


def test_nobody_holds_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = _port_of(sock)
    assert holder_of(port) is None
