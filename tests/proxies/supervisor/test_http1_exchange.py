"""HTTP/1 on raw sockets, the way out: framing, headers, every way to end, clients that read slowly."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
import time
from typing import Any

import pytest

from .serving import GET, NEXT, answer, mirror, read_body, serving

POST = b"POST / HTTP/1.1\r\nHost: h\r\n"

# --- what goes out


async def reply_with(send: Any, status: int, headers: Any, *bodies: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for body in bodies:
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})


def test_reply_headers_go_out_as_given() -> None:
    headers = [
        (b"X-Request-ID", b"1"),
        (b"x-dup", b"a"),
        (b"x-dup", b"b"),
        (b"Content-Length", b"2"),
        (b"Bytes", b"\xe9"),
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply_with(send, 299, headers, b"ok")

    with serving(app) as served, served.client() as client:
        reply = client.send(GET).reply()
    assert reply.head.startswith(b"HTTP/1.1 299")
    assert reply.headers[:-1] == headers
    assert re.fullmatch(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", reply.header(b"date") or b"")


def test_date_of_the_app_wins() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply_with(send, 200, [(b"Date", b"then"), (b"content-length", b"0")])

    with serving(app) as served, served.client() as client:
        reply = client.send(GET).reply()
    assert [value for name, value in reply.headers if name.lower() == b"date"] == [b"then"]


def test_each_send_is_one_chunk() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"transfer-encoding", b"chunked")]})
        for body in (b"a", b"", b"bc" * 40_000):
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"last"})

    with serving(app) as served, served.client() as client:
        reply = client.send(GET).reply()
        assert reply.chunks == [b"a", b"bc" * 40_000, b"last"]
        assert reply.head.count(b"chunked") == 1
        assert client.send(GET).reply().status == 200


def test_reply_head_goes_out_before_the_body_exists() -> None:
    go = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.to_thread(go.wait)
        await send({"type": "http.response.body", "body": b"x"})

    with serving(app) as served, served.client() as client:
        assert client.send(GET).head().status == 200
        go.set()
        assert client.until(b"0\r\n\r\n") == b"1\r\nx\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "status", "headers"),
    [
        ("HEAD", 200, [(b"content-length", b"1234")]),
        ("HEAD", 200, []),
        ("GET", 304, [(b"content-length", b"1234")]),
        ("GET", 204, []),
    ],
)
def test_bodiless_replies_keep_their_headers_and_the_connection(method: str, status: int, headers: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply_with(send, status, headers, b"ignored")

    with serving(app) as served, served.client() as client:
        for _ in range(2):
            reply = client.send(method.encode() + b" / HTTP/1.1\r\nHost: h\r\n\r\n").reply(method)
            assert reply.status == status
            assert [pair for pair in reply.headers if pair[0] != b"date"] == headers


def test_http10_client_gets_a_plain_body_and_the_end() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply_with(send, 200, [], scope["http_version"].encode(), b"+")

    with serving(app) as served, served.client() as client:
        reply = client.send(b"GET / HTTP/1.0\r\n\r\n").reply()
    assert (reply.body, reply.header(b"transfer-encoding"), reply.header(b"connection")) == (b"1.0+", None, b"close")


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x", b"a\nb", b"a\rb", b"a\0b"])
def test_reply_header_cannot_smuggle_a_line(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply_with(send, 200, [(b"x", value)], b"body")

    with serving(app) as served, served.client() as client:
        reply = client.send(GET).reply()
    assert reply.status == 500
    assert "The app failed" in caplog.text


@pytest.mark.parametrize("first", [b"Connection: close\r\n", b"connection: Close, x\r\n"])
def test_client_that_asks_for_the_end_gets_it(first: bytes) -> None:
    with serving(mirror) as served, served.client() as client:
        reply = client.send(b"GET / HTTP/1.1\r\nHost: h\r\n" + first + b"\r\n" + NEXT).reply()
        assert (reply.status, reply.header(b"connection")) == (200, b"close")
        assert client.ends()


def test_close_of_the_app_ends_the_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"x", headers=[(b"Connection", b"close")])

    with serving(app) as served, served.client() as client:
        reply = client.send(GET).reply()
        assert [value for name, value in reply.headers if name.lower() == b"connection"] == [b"close"]
        assert client.ends()


# --- endings


@pytest.mark.parametrize("how", ["close", "half-close", "reset"])
@pytest.mark.parametrize("pipelined", [b"", NEXT * 3], ids=["alone", "pipelined"])
def test_client_that_leaves_is_noticed_at_once(how: str, pipelined: bytes) -> None:
    waiting, left = threading.Event(), threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await read_body(receive) == b""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        waiting.set()
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.body", "body": b"unheard", "more_body": True})
        left.set()

    with serving(app) as served, served.client() as client:
        client.send(GET + pipelined)
        assert waiting.wait(5)
        if how == "half-close":
            client.sock.shutdown(socket.SHUT_WR)
        elif how == "reset":
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sock.close()
        else:
            client.sock.close()
        assert left.wait(5)
        assert served.wait_for(lambda: served.server.in_flight == 0 and not served.server.connections)


def ending_app(how: str, framing: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        headers = [(b"content-length", b"100000")] if framing == "length" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
        if how == "fail":
            raise ValueError("on purpose")
        if how == "cut":
            scope["extensions"]["rubberduck"].cut()
        if how == "short":
            await send({"type": "http.response.body"})
        if how == "long":
            await send({"type": "http.response.body", "body": b"x" * 50_001})

    return app


@pytest.mark.parametrize(
    ("how", "framing", "complains"),
    [
        ("cut", "chunked", False),
        ("cut", "length", False),
        ("fail", "chunked", True),
        ("fail", "length", True),
        ("return", "chunked", True),
        ("return", "length", True),
        ("short", "length", True),
        ("long", "length", True),
    ],
)
def test_unfinished_reply_is_cut_after_what_was_written(
    how: str, framing: str, complains: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(ending_app(how, framing)) as served, served.client() as client:
        head = client.send(GET).head()
        rest = client.rest()
        if framing == "chunked":
            assert head.header(b"transfer-encoding") == b"chunked"
            assert rest == b"c350\r\n" + b"x" * 50_000 + b"\r\n"
        else:
            assert rest == b"x" * 50_000
    assert bool(caplog.text) == complains


@pytest.mark.parametrize("how", ["cut", "fail", "return"])
def test_unfinished_reply_without_framing_ends_in_a_reset(how: str) -> None:
    with serving(ending_app(how, "none")) as served, served.client() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.rest()


@pytest.mark.parametrize("is_started", [False, True])
def test_reset_is_a_real_one_and_nobody_complains(is_started: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        if is_started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        scope["extensions"]["rubberduck"].reset()
        await send({"type": "http.response.body", "body": b"unheard"})

    with serving(app) as served, served.client() as client:
        client.send(GET)
        with pytest.raises(ConnectionResetError):
            client.rest()
    assert caplog.text == ""


def test_cut_before_the_head_is_an_empty_end(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"]["rubberduck"].cut()

    with serving(app) as served, served.client() as client:
        assert client.send(GET).ends()
    assert caplog.text == ""


@pytest.mark.parametrize("how", ["raise", "return"])
def test_app_that_says_nothing_is_a_500(how: str, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if how == "raise":
            raise ValueError("on purpose")

    with serving(app) as served, served.client() as client:
        assert client.send(GET).reply().status == 500
        assert client.send(GET).reply().status == 500
    assert "app" in caplog.text


@pytest.mark.parametrize("size", [100, 60_000, 5_000_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_early_reply_can_be_read_by_a_client_still_sending(size: int, framing: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"forbidden", status=403)

    with serving(app) as served, served.client() as client:
        head = POST + (
            b"Content-Length: %d\r\n\r\n" % size if framing == "length" else b"Transfer-Encoding: chunked\r\n\r\n"
        )
        client.send(head + b"1\r\n")
        reply = client.reply()
        client.send(b"x" * size)
        assert (reply.status, reply.body, reply.header(b"connection")) == (403, b"forbidden", b"close")
        assert client.ends()


def test_early_reply_to_a_client_that_sends_first_and_reads_later() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"forbidden", status=403)

    with serving(app) as served, served.client() as client:
        client.send(POST + b"Content-Length: 5000000\r\n\r\n" + b"x" * 5_000_000)
        assert client.reply().status == 403
        assert client.ends()


def test_body_that_has_arrived_unread_keeps_the_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"forbidden", status=403)

    with serving(app) as served, served.client() as client:
        for _ in range(2):
            reply = client.send(POST + b"Content-Length: 5\r\n\r\nhello").reply()
            assert (reply.status, reply.header(b"connection")) == (403, None)


def test_lingering_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxies.supervisor.http1.LINGER_S", 0.1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"forbidden", status=403)

    with serving(app) as served, served.client() as client:
        assert client.send(POST + b"Content-Length: 5\r\n\r\n").reply().status == 403
        assert served.wait_for(lambda: not served.server.connections)


# --- slow clients


def test_slow_client_holds_the_app_back() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(800):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            sent.append(65536)
        await send({"type": "http.response.body"})

    with serving(app) as served, served.client(SO_RCVBUF=65536) as client:
        assert client.send(GET).head().status == 200
        got, worst = 0, 0
        while size := int(client.until(b"\r\n"), 16):
            got += len(client.take(size))
            client.take(2)
            worst = max(worst, sum(sent) - got)
        assert got == 800 * 65536
    # What the kernel holds for both sides (a few MB on loopback), the 64 KiB mark and one chunk: not 50 MB.
    assert worst < 12 * 1024 * 1024


async def _send_for_ever(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not scope["extensions"]["rubberduck"].is_gone:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


def test_client_that_takes_nothing_for_too_long_has_left() -> None:
    told: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"]["rubberduck"].on_left = lambda: told.append(True)
        await _send_for_ever(scope, receive, send)

    with serving(app, send_stall_s=0.2) as served, served.client(SO_RCVBUF=65536) as client:
        client.send(GET)
        assert served.wait_for(lambda: not served.server.connections and not served.server.exchanges)
    assert told == [True]


def test_client_that_reads_slowly_is_not_taken_for_gone() -> None:
    with serving(_send_for_ever, send_stall_s=1.0) as served, served.client(SO_RCVBUF=65536) as client:
        client.send(GET).head()
        for _ in range(20):  # twice the limit, a little at a time
            time.sleep(0.1)
            client.take(400_000)
        assert served.server.in_flight == 1


def test_client_that_never_reads_stops_the_app_and_can_still_leave() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not scope["extensions"]["rubberduck"].is_gone:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            sent.append(65536)

    with serving(app) as served:
        with served.client(SO_RCVBUF=65536) as client:
            client.send(GET)

            def is_blocked() -> bool:
                return any(c.flow.write_paused for c in served.server.connections)  # type: ignore[union-attr]

            assert served.wait_for(is_blocked)
            before = len(sent)
            assert served.run(lambda: asyncio.sleep(0.1, True))
            assert len(sent) - before <= 4
        assert served.wait_for(lambda: served.server.in_flight == 0)
