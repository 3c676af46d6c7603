"""The server as a whole: start, drain, stop, warm-up, and what it costs when nobody asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from proxies.supervisor.server import ProxyServer, ServerLimits, _drop_newcomers, warm_up

from .h2_client import H2Client
from .serving import GET, RawClient, Served, answer, mirror, mirrored, read_body, serving


async def prompt(scope: Any, receive: Any, send: Any) -> None:
    await read_body(receive)
    await answer(send, b"ok")


def test_limits_are_what_the_handbook_says() -> None:
    limits = ServerLimits()
    assert (limits.head_bytes, limits.head_s, limits.body_idle_s, limits.keep_alive_s) == (65536, 10.0, 60.0, 75.0)
    assert (limits.backlog, limits.drain_s) == (4096, 30.0)


def test_building_a_server_needs_no_loop_no_thread_and_no_descriptor() -> None:
    before = set(os.listdir("/proc/self/fd")), set(os.listdir("/proc/self/task"))
    ProxyServer(prompt)
    assert set(os.listdir("/proc/self/fd")) <= before[0]
    assert set(os.listdir("/proc/self/task")) <= before[1]


def test_in_flight_counts_exchanges_being_answered() -> None:
    go = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(go.wait)
        await answer(send, b"ok")

    with serving(app) as served, served.client() as one, served.client() as other, H2Client(served) as third:
        one.send(GET)
        other.send(GET)
        stream = third.ask()
        assert served.wait_for(lambda: served.server.in_flight == 3)
        go.set()
        assert (one.reply().body, other.reply().body, third.reply(stream)) == (b"ok", b"ok", b"ok")
        assert served.wait_for(lambda: served.server.in_flight == 0)


def test_the_backlog_is_ours_and_not_the_default() -> None:
    with serving(prompt, backlog=3) as served:
        listener = served.server._listener
        assert listener is not None
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    # Source: tcp_get_info() of Linux: tcpi_sacked of a listening socket is its backlog.
    assert struct.unpack_from("I", info, 28) == (3,)


class Caller(threading.Thread):
    """A busy client: asks over and over, reconnects when told `connection: close`, stops at the first refusal."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.answered = 0
        self.lost: list[str] = []

    def run(self) -> None:
        while True:
            client = RawClient.__new__(RawClient)
            client.buffer = b""
            client.sock = socket.socket()
            client.sock.settimeout(0.3)
            try:
                client.sock.connect(("127.0.0.1", self.port))
            except OSError:  # refused or turned away: not accepted, so nothing is owed
                client.sock.close()
                return
            client.sock.settimeout(20)
            with client:
                while True:
                    try:
                        reply = client.send(GET).reply()
                    except (OSError, EOFError) as error:
                        self.lost.append(repr(error))
                        return
                    self.answered += 1
                    if reply.header(b"connection") == b"close":
                        break


@pytest.mark.parametrize("delay_s", [0.0, 0.03])
def test_drain_under_load_loses_no_accepted_request(delay_s: float) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(delay_s)
        await answer(send, b"ok")

    with serving(app) as served:
        callers = [Caller(served.port) for _ in range(32)]
        for caller in callers:
            caller.start()
        assert served.wait_for(lambda: all(caller.answered > 2 for caller in callers))
        assert served.run(served.server.drain) == 0
        for caller in callers:
            caller.join(20)
        assert [caller.lost for caller in callers] == [[]] * 32
        assert not any(caller.is_alive() for caller in callers)
        assert not served.server.connections


def test_clients_in_the_backlog_are_answered_by_a_drain() -> None:
    """The loop is held up while they connect and ask, so that most are accepted when the drain has begun."""
    with serving(prompt) as served:
        released = threading.Event()
        with contextlib.ExitStack() as stack:
            stack.callback(released.set)
            served.loop.call_soon_threadsafe(released.wait)
            clients = [stack.enter_context(served.client()) for _ in range(50)]
            draining = served.start(served.server.drain)
            for client in clients:
                client.send(GET)
            released.set()
            assert [client.reply().body for client in clients] == [b"ok"] * 50
            assert draining.result(20) == 0


def test_listener_turns_newcomers_away_and_keeps_those_who_are_connected() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as early:
            _drop_newcomers(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(listener.getsockname(), timeout=0.2)
            accepted, _ = listener.accept()
            with accepted:
                early.sendall(b"there")
                assert accepted.recv(100) == b"there"
                accepted.sendall(b"back")
                assert early.recv(100) == b"back"
                early.close()
                assert accepted.recv(100) == b""


def test_nobody_connects_after_a_drain() -> None:
    with serving(prompt) as served:
        assert served.run(served.server.drain) == 0
        with pytest.raises(ConnectionRefusedError):
            served.client()


def test_draining_reply_says_close_and_idle_connections_go_after_a_second() -> None:
    with serving(prompt) as served, served.client() as idle, served.client() as late, H2Client(served) as h2_idle:
        for client in (idle, late):
            assert client.send(GET).reply().header(b"connection") is None
        stream = h2_idle.ask()
        h2_idle.reply(stream)
        draining = served.start(served.server.drain)
        assert served.wait_for(lambda: served.server.is_draining)
        assert late.send(GET).reply().header(b"connection") == b"close"
        assert late.ends()
        assert idle.ends()
        h2_idle.until_closed()
        assert h2_idle.goaways[0] == (0, 2**31 - 1)
        assert h2_idle.goaways[-1] == (0, stream)
        assert draining.result(20) == 0


def test_pipelined_requests_are_all_answered_by_a_drain() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)
        await mirror(scope, receive, send)

    with serving(app) as served, served.client() as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % i for i in range(5)))
        assert served.wait_for(lambda: served.server.in_flight == 1)
        draining = served.start(served.server.drain)
        assert [mirrored(client)["path"] for _ in range(5)] == [f"/{i}" for i in range(5)]
        assert client.ends()
        assert draining.result(20) == 0


def test_half_sent_request_is_waited_for() -> None:
    with serving(prompt) as served, served.client() as client:
        client.send(GET[:10])
        assert served.wait_for(lambda: any(c._in_head for c in served.server.connections))  # type: ignore[union-attr]
        draining = served.start(served.server.drain)
        assert served.wait_for(lambda: served.server._listener is None)
        assert client.send(GET[10:]).reply().body == b"ok"
        assert draining.result(20) == 0


def endless(served: list[Served]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while not scope["extensions"]["rubberduck"].is_gone:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
                await asyncio.sleep(0.01)
        finally:
            served[0].seen.append("ended")

    return app


def test_drain_cuts_what_is_left_at_the_limit_and_says_how_much() -> None:
    notes: list[Served] = []
    with serving(endless(notes)) as served, served.client() as one, served.client() as other:
        notes.append(served)
        for client in (one, other):
            assert client.send(GET).head().status == 200
        assert served.run(lambda: served.server.drain(0.3)) == 2
        assert served.seen == ["ended", "ended"]
        for client in (one, other):
            try:
                rest = client.rest()
            except ConnectionResetError:
                rest = b""
            assert not rest.endswith(b"0\r\n\r\n")


def test_reply_the_client_does_not_take_counts_as_cut() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"x" * 20_000_000)

    with serving(app) as served, served.client(SO_RCVBUF=65536) as client:
        client.send(GET)
        assert served.wait_for(lambda: served.server.in_flight == 0 and bool(served.server.connections))
        assert served.run(lambda: served.server.drain(0.3)) == 1


def test_stop_cuts_everything_now() -> None:
    notes: list[Served] = []
    with serving(endless(notes)) as served, served.client() as client, H2Client(served) as h2_client:
        notes.append(served)
        assert client.send(GET).head().status == 200
        stream = h2_client.ask()
        h2_client.until(lambda: stream in h2_client.heads)
        served.run(served.server.stop)
        assert served.seen == ["ended", "ended"]
        assert (served.server.in_flight, served.server.connections) == (0, set())
        with pytest.raises(ConnectionRefusedError):
            served.client()


def test_stop_is_not_held_up_by_a_silent_app() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    with serving(app) as served, served.client() as client:
        client.send(GET)
        assert served.wait_for(lambda: served.server.in_flight == 1)
        served.run(served.server.stop)
        assert served.server.in_flight == 0


IDLE = """
import asyncio, re, socket, sys
import uvloop
from proxies.supervisor.server import ProxyServer

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})

def switches():
    return sum(map(int, re.findall(r"ctxt_switches:\\s+(\\d+)", open("/proc/self/status").read())))

async def main():
    server = ProxyServer(app)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(listener)
    # One request first: nothing of it may leave a timer behind.
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(b"GET / HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n")
        client.setblocking(False)
        while await asyncio.get_running_loop().sock_recv(client, 1000):
            pass
    print(listener.getsockname()[1], flush=True)
    await asyncio.Event().wait()

uvloop.run(main())
"""


def context_switches(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)


def sleeps_for(pid: int, seconds: float) -> bool:
    """Whether a process, once it has settled, does not wake for that long."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        before = context_switches(pid)
        time.sleep(seconds)
        if context_switches(pid) == before:
            return True
    return False


def test_idle_server_never_wakes() -> None:
    process = subprocess.Popen([sys.executable, "-c", IDLE], stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            assert sleeps_for(process.pid, 1.5)
            # An open connection costs nothing either until its keep-alive ends.
            with RawClient(port) as client:
                assert client.send(GET).reply().status == 200
                assert sleeps_for(process.pid, 1.0)
        finally:
            process.kill()


def test_warm_up_asks_the_app_once_and_leaves_nothing_behind() -> None:
    asked: list[tuple[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append((scope["method"], scope["path"]))
        await prompt(scope, receive, send)

    before = set(os.listdir("/proc/self/fd")), set(os.listdir("/proc/self/task"))
    warm_up(app)
    assert asked == [("GET", "/")]
    assert set(os.listdir("/proc/self/fd")) <= before[0]
    assert set(os.listdir("/proc/self/task")) <= before[1]


def test_warm_up_says_what_was_left_behind() -> None:
    left: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        left.append(os.open("/dev/null", os.O_RDONLY))
        await prompt(scope, receive, send)

    with pytest.raises(RuntimeError, match="/dev/null"):
        warm_up(app)
    os.close(left[0])
