"""HTTP/1 on raw sockets, the way in: targets, headers, bodies, limits, refusals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from typing import Any

import pytest

from proxies.supervisor.http1 import PREFACE

from .serving import GET, NEXT, answer, mirror, mirrored, read_body, serving

# --- what reaches the app


@pytest.mark.parametrize(
    ("target", "raw_path", "path", "query"),
    [
        (b"/a%3Ab%2Fc", "/a%3Ab%2Fc", "/a:b/c", ""),
        (b"//a//../b/.", "//a//../b/.", "//a//../b/.", ""),
        (b"/p?x=%2F&y=?&&", "/p", "/p", "x=%2F&y=?&&"),
        (b"/p?", "/p", "/p", ""),
        (b"/%F0%9F%A6%86", "/%F0%9F%A6%86", "/\N{DUCK}", ""),
        (b"/a|b'(c)~\"<>^`{}", "/a|b'(c)~\"<>^`{}", "/a|b'(c)~\"<>^`{}", ""),
        (b"http://real:8080//a%3Ab?q=%2F", "//a%3Ab", "//a:b", "q=%2F"),
        (b"http://real?q", "/", "/", "q"),
        (b"http://real", "/", "/", ""),
    ],
)
def test_target_reaches_the_app_as_it_was_sent(target: bytes, raw_path: str, path: str, query: str) -> None:
    with serving(mirror) as served, served.client() as client:
        seen = mirrored(client.send(b"GET " + target + b" HTTP/1.1\r\nHost: real\r\n\r\n"))
    assert (seen["raw_path"], seen["path"], seen["query"]) == (raw_path, path, query)
    assert ["host", "real"] in seen["headers"]
    assert seen["authority"] == (target.decode().split("/")[2].split("?")[0] if target[:1] == b"h" else None)


def test_options_asterisk_reaches_the_app() -> None:
    with serving(mirror) as served, served.client() as client:
        seen = mirrored(client.send(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"))
    assert (seen["method"], seen["raw_path"], seen["path"]) == ("OPTIONS", "*", "*")


def test_header_names_are_lowered_for_the_app_and_kept_beside() -> None:
    with serving(mirror) as served, served.client() as client:
        client.send(
            b"GET / HTTP/1.1\r\nHoST: h\r\nX-Amz-Date: 1\r\nx-dup: a\r\nX-DUP: b \r\nEmpty:\r\nBytes: \xe9\r\n\r\n"
        )
        seen = mirrored(client)
    assert seen["headers"] == [
        ["host", "h"], ["x-amz-date", "1"], ["x-dup", "a"], ["x-dup", "b"], ["empty", ""], ["bytes", "\xe9"],
    ]  # fmt: skip
    assert [name for name, _ in seen["raw_headers"]] == ["HoST", "X-Amz-Date", "x-dup", "X-DUP", "Empty", "Bytes"]


def test_chunked_body_arrives_whole_and_trailers_are_dropped() -> None:
    with serving(mirror) as served, served.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h \r\nTransfer-Encoding: CHUNKED \r\n\r\n")
        client.send(b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\nHost: evil\r\n\r\n" + NEXT)
        seen, following = mirrored(client), mirrored(client)
    assert seen["body"] == "hello world"
    assert seen["headers"] == [["host", "h"], ["transfer-encoding", "CHUNKED"]]
    assert following["path"] == "/next"


def test_five_megabytes_arrive_in_bounded_memory() -> None:
    size = 5 * 1024 * 1024
    peaks: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        connection = scope["extensions"]["rubberduck"]
        total, more = 0, True
        while more:
            await asyncio.sleep(0)  # the sender is quicker than the app
            peaks.append(connection.buffered)
            message = await receive()
            total += len(message["body"])
            more = message["more_body"]
        await answer(send, b"%d" % total)

    with serving(app) as served, served.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
        client.send(b"x" * size)
        assert client.reply().body == b"%d" % size
        assert client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx").reply().body == b"1"
    # One read of the event loop (256 KiB) beyond the mark at which reading stops (64 KiB).
    assert max(peaks) <= (256 + 64) * 1024


def test_body_the_app_does_not_take_stays_with_the_client() -> None:
    go = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        served.seen.append(scope["extensions"]["rubberduck"])
        await asyncio.to_thread(go.wait)
        body = await read_body(receive)
        await answer(send, b"%d" % len(body or b""))

    with serving(app) as served, served.client(SO_SNDBUF=65536) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n")
        sender = threading.Thread(target=client.send, args=(b"x" * 20_000_000,))
        sender.start()
        assert served.wait_for(lambda: bool(served.seen) and served.seen[0].buffered > 65536)
        sender.join(0.3)
        assert sender.is_alive()
        assert served.seen[0].buffered <= (256 + 64) * 1024
        go.set()
        assert client.reply().body == b"20000000"
        sender.join()


def test_expect_100_is_answered_when_the_app_wants_the_body() -> None:
    with serving(mirror) as served, served.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.head().status == 100
        assert mirrored(client.send(b"hi"))["body"] == "hi"


def test_pipelined_requests_are_answered_in_order() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.02 if scope["path"] == "/0" else 0)
        await mirror(scope, receive, send)

    with serving(app) as served, served.client() as client:
        count = 40  # more than may wait at once
        client.send(
            b"".join(
                b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (i, len(str(i)), str(i).encode())
                for i in range(count)
            )
        )
        seen = [mirrored(client) for _ in range(count)]
    assert [(one["path"], one["body"]) for one in seen] == [(f"/{i}", str(i)) for i in range(count)]


@pytest.mark.parametrize("size", [1, 7, 23, 24, 1000])
def test_requests_may_arrive_in_pieces_of_any_size(size: int) -> None:
    request = b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + NEXT
    with serving(mirror) as served, served.client() as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), size):
            client.send(request[start : start + size])
        first, second = mirrored(client), mirrored(client)
    assert (first["path"], first["body"], second["path"]) == ("/p", "abc", "/next")


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Content-Length: 5\r\n", b"hello"), (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), (b"", b"")],
)
def test_upgrade_request_reaches_the_app_as_plain_http(upgrade: bytes, framing: bytes, body: bytes) -> None:
    with serving(mirror) as served, served.client() as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n" + framing + b"\r\n"
        )
        client.send(body + NEXT)
        reply = client.reply()
        assert json.loads(reply.body)["body"] == ("hello" if body else "")
        assert ["upgrade", upgrade.decode()] in json.loads(reply.body)["headers"]
        assert reply.header(b"connection") == b"close"
        assert client.ends()


def test_first_bytes_that_begin_like_http2_are_still_http1() -> None:
    with serving(mirror) as served, served.client() as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.send(b"P")
        assert served.wait_for(lambda: any(getattr(c, "_peeked", None) for c in served.server.connections))
        client.send(b"OST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        assert mirrored(client)["method"] == "POST"


def test_preface_is_refused_where_http2_is_not_provided() -> None:
    with serving(mirror, provides_http2=False) as served, served.client() as client:
        assert client.send(PREFACE).reply().status == 400
        assert client.ends()


# --- refusals

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GARBAGE = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two hosts in 1.0": b"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
    "host with blank": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "host with path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two equal lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "length list": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "length with plus": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "negative length": HEAD + b"Content-Length: -5\r\n\r\nhello",
    "hex length": HEAD + b"Content-Length: 0x5\r\n\r\nhello",
    "empty length": HEAD + b"Content-Length: \r\n\r\nhello",
    "split length": HEAD + b"Content-Length: 5 0\r\n\r\nhello",
    "huge length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "blank before colon": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "blank before name": HEAD + b" Content-Length: 5\r\n\r\nhello",
    "blank both": HEAD + b" Content-Length : 5\r\n\r\nhello",
    "length and chunked": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked listed twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "identity, chunked": HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "identity": HEAD + b"Transfer-Encoding: identity\r\n\r\n",
    "gzip, chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "empty transfer coding": HEAD + b"Transfer-Encoding: \r\n\r\n0\r\n\r\n",
    "chunked, then identity": HEAD + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "xchunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "quoted chunked": HEAD + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "vertical tab chunked": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "fold": HEAD + b"X: a\r\n b\r\n\r\n",
    "folded chunked": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "folded length": HEAD + b"Content-Length:\r\n 5\r\n\r\nhello",
    "NUL in value": HEAD + b"X: a\0b\r\n\r\n",
    "NUL in name": HEAD + b"X\0: a\r\n\r\n",
    "control in value": HEAD + b"X: a\x01b\r\n\r\n",
    "bare LF in head": HEAD + b"X: a\nY: b\r\n\r\n",
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: h\n\n",
    "bare CR": HEAD + b"X: a\rY: b\r\n\r\n",
    "no colon": HEAD + b"garbage\r\n\r\n",
    "empty name": HEAD + b": v\r\n\r\n",
    "blank in name": HEAD + b"a b: v\r\n\r\n",
    "hex chunk prefix": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "negative chunk": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "signed chunk": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "blank after chunk size": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "huge chunk": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk with LF": CHUNKED + b"5\nhello\n0\n\n",
    "chunk longer than said": CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "chunk without end": CHUNKED + b"5\r\nhello0\r\n\r\n",
    "LF in chunk extension": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "length in trailer": CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n",
    "connect": b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    "connect 1.0": b"CONNECT h:443 HTTP/1.0\r\n\r\n",
    "unknown method": b"FOO / HTTP/1.1\r\nHost: h\r\n\r\n",
    "lower-case method": b"get / HTTP/1.1\r\nHost: h\r\n\r\n",
    "RTSP": b"DESCRIBE / RTSP/1.0\r\nHost: h\r\n\r\n",
    "ICE": b"SOURCE / ICE/1.0\r\nHost: h\r\n\r\n",
    "HTTP 2.0": b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    "HTTP 1.2": b"GET / HTTP/1.2\r\nHost: h\r\n\r\n",
    "HTTP 0.9": b"GET /\r\n\r\n",
    "asterisk": b"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
    "relative target": b"GET a HTTP/1.1\r\nHost: h\r\n\r\n",
    "query for target": b"GET ?a HTTP/1.1\r\nHost: h\r\n\r\n",
    "fragment": b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
    "blank in target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
    "NUL in target": b"GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n",
    "bytes in target": b"GET /a\xff HTTP/1.1\r\nHost: h\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"x" * 160,
    "half preface": PREFACE[:20] + b"\r\nXX\r\n\r\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("garbage", list(GARBAGE.values()), ids=list(GARBAGE))
def test_garbage_gets_400_and_nothing_after_it_is_read(garbage: bytes) -> None:
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await mirror(scope, receive, send)

    with serving(app) as served:
        with served.client() as client:
            reply = client.send(garbage + NEXT).reply()
            assert (reply.status, reply.header(b"connection")) == (400, b"close")
            assert client.ends()
        with served.client() as client:
            assert mirrored(client.send(GET))["path"] == "/"
        # A body may prove broken after its head reached the app; what follows it never gets there.
        assert served.wait_for(lambda: served.server.in_flight == 0)
    assert "/next" not in asked
    assert len(asked) <= 2


def test_garbage_after_a_good_request_waits_for_its_reply() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.02)
        await mirror(scope, receive, send)

    with serving(app) as served, served.client() as client:
        client.send(GET + NEXT + b"garbage\r\n\r\n")
        assert [mirrored(client)["path"], mirrored(client)["path"]] == ["/", "/next"]
        assert client.reply().status == 400
        assert client.ends()


def test_broken_body_of_a_started_reply_cuts_it() -> None:
    left = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        assert await read_body(receive) is None
        left.set()

    with serving(app) as served, served.client() as client:
        client.send(CHUNKED)
        assert client.until(b"x\r\n").endswith(b"\r\n\r\n1\r\nx\r\n")
        client.send(b"zz\r\n")
        assert client.ends()
        assert left.wait(5)


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: %b\r\n\r\n" % (b"x" * 70_000), 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 12_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 500_000, 431),
        (b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"x" * 70_000), 414),
        (b"GET /" + b"x" * 500_000, 414),
        (b"GET /%b HTTP/1.1\r\nHost: h\r\nX: %b\r\n\r\n" % (b"x" * 30_000, b"x" * 40_000), 431),
    ],
    ids=["one long", "many", "endless", "target", "endless target", "sum"],
)
@pytest.mark.parametrize(
    "before", [b"", HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000], ids=["first", "later"]
)
def test_head_over_the_limit_is_refused(request_head: bytes, status: int, before: bytes) -> None:
    with serving(mirror) as served, served.client() as client:
        client.send(before + request_head)
        if before:
            assert len(mirrored(client)["body"]) == 100_000
        reply = client.reply()
        assert (reply.status, reply.header(b"connection")) == (status, b"close")
        assert client.ends()


@pytest.mark.parametrize(
    "before", [b"", HEAD + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000], ids=["first", "later"]
)
def test_head_within_the_limit_is_served(before: bytes) -> None:
    value = b"x" * 60_000
    with serving(mirror) as served, served.client() as client:
        client.send(before + b"GET / HTTP/1.1\r\nHost: h\r\nX: " + value + b"\r\n\r\n" + NEXT)
        if before:
            assert len(mirrored(client)["body"]) == 200_000
        assert ["x", value.decode()] in mirrored(client)["headers"]
        assert mirrored(client)["path"] == "/next"


@pytest.mark.parametrize(
    "flood",
    [b"1;" + b"x" * 400_000, b"0\r\nX: " + b"x" * 400_000, b"0\r\n" + b"X: y\r\n" * 60_000],
    ids=["ext", "one", "many"],
)
def test_endless_framing_is_refused(flood: bytes) -> None:
    with serving(mirror) as served, served.client() as client:
        assert client.send(CHUNKED + flood).reply().status == 400
        assert client.ends()


def test_tiny_chunks_are_not_a_flood() -> None:
    with serving(mirror) as served, served.client() as client:
        client.send(CHUNKED + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")
        assert mirrored(client)["body"] == "x" * 100_000


# --- time limits


@pytest.mark.parametrize("half", [b"G", b"GET / HTTP/1.1\r\nHo", b"PRI * HT", b"GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n"])
def test_half_sent_head_gets_408(half: bytes) -> None:
    with serving(mirror, head_s=0.1) as served, served.client() as client:
        reply = client.send(half).reply()
        assert (reply.status, reply.header(b"connection")) == (408, b"close")
        assert client.ends()


def test_trickled_head_gets_408() -> None:
    with serving(mirror, head_s=0.3) as served, served.client() as client:
        client.send(b"GET / HTTP/1.1\r\n")
        client.sock.settimeout(0.02)
        while not client.buffer:
            client.send(b"X: y\r\n")
            with contextlib.suppress(TimeoutError):
                client._more()
        client.sock.settimeout(20)
        assert client.reply().status == 408


def test_whole_head_disarms_the_head_timer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await mirror(scope, receive, send)

    with serving(app, head_s=0.1) as served, served.client() as client:
        client.send(GET[:9])
        assert served.wait_for(lambda: any(c._in_head for c in served.server.connections))  # type: ignore[union-attr]
        assert mirrored(client.send(GET[9:]))["path"] == "/"
        assert all(c._head_timer is None for c in served.server.connections)  # type: ignore[union-attr]


def test_idle_connection_is_closed_after_keep_alive() -> None:
    with serving(mirror, keep_alive_s=0.1) as served:
        with served.client() as fresh:
            assert fresh.ends()
        with served.client() as used:
            assert mirrored(used.send(GET))["path"] == "/"
            assert used.ends()


def test_busy_connection_outlives_keep_alive() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.3)
        await mirror(scope, receive, send)

    with serving(app, keep_alive_s=0.05) as served, served.client() as client:
        assert mirrored(client.send(GET))["path"] == "/"
        assert client.ends()


def test_silent_body_times_out_and_can_be_answered() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await read_body(receive) is None
        served.seen.append(scope["extensions"]["rubberduck"].body_timed_out)
        await answer(send, b"too slow", status=408)

    with serving(app, body_idle_s=0.1) as served, served.client() as client:
        reply = client.send(HEAD + b"Content-Length: 10\r\n\r\nhalf").reply()
        assert (reply.status, reply.body, reply.header(b"connection")) == (408, b"too slow", b"close")
        assert client.ends()
    assert served.seen == [True]


def test_silent_body_is_answered_for_an_app_that_just_returns() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await read_body(receive) is None

    with serving(app, body_idle_s=0.1) as served, served.client() as client:
        assert client.send(HEAD + b"Content-Length: 10\r\n\r\nhalf").reply().status == 408


def test_waiting_for_the_client_to_leave_never_times_out() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await read_body(receive) == b""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(receive(), 0.3)
        await answer(send, str(scope["extensions"]["rubberduck"].body_timed_out).encode())

    with serving(app, body_idle_s=0.05) as served, served.client() as client:
        assert client.send(GET).reply().body == b"False"
