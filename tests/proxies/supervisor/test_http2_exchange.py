"""HTTP/2 streams: flow control both ways, and every way to end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import h2.errors
import h2.settings
import pytest

from .h2_client import GET, POST, H2Client
from .serving import answer, read_body, serving


def test_each_send_is_on_the_wire_before_the_next() -> None:
    go = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Transfer-Encoding", b"chunked")]})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.to_thread(go.wait)
        await send({"type": "http.response.body", "body": b"second"})

    with serving(app) as served, H2Client(served) as client:
        stream = client.ask()
        client.until(lambda: stream in client.bodies)
        assert client.bodies[stream] == [b"first"]
        assert "transfer-encoding" not in client.heads[stream]
        go.set()
        assert client.reply(stream) == b"firstsecond"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 204)])
def test_bodiless_replies_keep_their_headers(method: str, status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"1234")] if status != 204 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"ignored"})

    with serving(app) as served, H2Client(served) as client:
        stream = client.ask([(":method", method), *GET[1:]])
        assert client.reply(stream) == b""
        assert client.heads[stream].get("content-length") == (None if status == 204 else "1234")


def test_three_megabytes_arrive_in_bounded_memory_and_come_back() -> None:
    peaks: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            await asyncio.sleep(0)
            peaks.append(scope["extensions"]["rubberduck"].buffered)
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        await answer(send, body)

    body = bytes(range(256)) * 12 * 1024
    with serving(app) as served, H2Client(served) as client:
        for _ in range(2):
            assert client.reply(client.ask(POST, body)) == body
    assert max(peaks) <= 256 * 1024


def test_stream_the_app_does_not_read_holds_up_no_other() -> None:
    go = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/stuck":
            served.seen.append(scope["extensions"]["rubberduck"])
            await asyncio.to_thread(go.wait)
        body = await read_body(receive)
        await answer(send, b"%d" % len(body or b""))

    with serving(app) as served, H2Client(served) as client:
        stuck = []
        for _ in range(6):
            stream = client.engine.get_next_available_stream_id()
            client.engine.send_headers(stream, [*POST[:3], (":path", "/stuck")])
            client.until(lambda: client.engine.remote_settings.initial_window_size == 256 * 1024)
            client.send(stream, b"x" * (256 * 1024), ends=False)
            stuck.append(stream)
        assert client.reply(client.ask(POST, b"y" * 1_000_000)) == b"1000000"
        assert max(one.buffered for one in served.seen) == 256 * 1024
        go.set()
        for stream in stuck:
            client.engine.end_stream(stream)
            client.flush()
            assert client.reply(stream) == b"262144"


def test_slow_client_holds_the_app_back() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(50):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            sent.append(10_000)
        await send({"type": "http.response.body"})

    with serving(app) as served, H2Client(served) as client:
        client.acknowledges = False
        stream = client.ask()
        client.until(lambda: sum(map(len, client.bodies.get(stream, []))) == 65535)
        assert sum(sent) == 60_000
        client.acknowledges = True
        client.engine.acknowledge_received_data(65535, stream)
        client.flush()
        assert len(client.reply(stream)) == 500_000


def test_window_opened_by_settings_lets_the_reply_go_on() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"x" * 1000)

    with serving(app) as served, H2Client(served, window=10) as client:
        stream = client.ask()
        client.until(lambda: client.bodies.get(stream) == [b"x" * 10])
        client.engine.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 5000})
        client.flush()
        assert len(client.reply(stream)) == 1000


def test_cancel_is_noticed_while_the_window_is_shut() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"x" * 1_000_000)

    with serving(app) as served, H2Client(served) as client:
        client.acknowledges = False
        stream = client.ask()
        client.until(lambda: sum(map(len, client.bodies.get(stream, []))) == 65535)
        client.engine.reset_stream(stream)
        client.flush()
        assert served.wait_for(lambda: served.server.in_flight == 0)


def test_client_that_keeps_its_window_shut_for_too_long_has_left() -> None:
    told: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"]["rubberduck"].on_left = lambda: told.append(True)
        await answer(send, b"x" * 1_000_000)

    with serving(app, send_stall_s=0.2) as served, H2Client(served) as client:
        client.acknowledges = False
        stream = client.ask()
        client.until(lambda: stream in client.resets)
        assert served.wait_for(lambda: served.server.in_flight == 0)
    assert told == [True]


@pytest.mark.parametrize("how", ["cut", "reset", "fail", "return", "short", "long"])
def test_unfinished_reply_is_a_stream_error(how: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"x" * 50, "more_body": True})
        if how == "fail":
            raise ValueError("on purpose")
        if how in ("cut", "reset"):
            getattr(scope["extensions"]["rubberduck"], how)()
            await send({"type": "http.response.body", "body": b"unheard"})
        if how == "short":
            await send({"type": "http.response.body"})
        if how == "long":
            await send({"type": "http.response.body", "body": b"x" * 51})

    with serving(app) as served, H2Client(served) as client:
        for _ in range(2):  # the connection lives on
            stream = client.ask()
            client.until(lambda stream=stream: stream in client.resets)
            assert client.resets[stream] == h2.errors.ErrorCodes.INTERNAL_ERROR
            assert client.bodies[stream] == [b"x" * 50]
            assert stream not in client.ended


def test_app_that_says_nothing_is_a_500() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        return

    with serving(app) as served, H2Client(served) as client:
        stream = client.ask()
        assert client.reply(stream) == b"Internal Server Error"
        assert client.heads[stream][":status"] == "500"


def test_early_reply_ends_the_upload_politely() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"forbidden", status=403)

    with serving(app) as served, H2Client(served) as client:
        stream = client.engine.get_next_available_stream_id()
        client.engine.send_headers(stream, POST)
        client.engine.send_data(stream, b"some")
        client.flush()
        client.until(lambda: stream in client.resets)
        assert (client.heads[stream][":status"], client.bodies[stream]) == ("403", [b"forbidden"])
        assert client.resets[stream] == h2.errors.ErrorCodes.NO_ERROR
        following = client.ask()
        client.reply(following)
        assert client.heads[following][":status"] == "403"


def test_silent_body_times_out() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await read_body(receive) is None
        assert scope["extensions"]["rubberduck"].body_timed_out
        await answer(send, b"too slow", status=408)

    with serving(app, body_idle_s=0.05) as served, H2Client(served) as client:
        stream = client.engine.get_next_available_stream_id()
        client.engine.send_headers(stream, POST)
        client.flush()
        client.until(lambda: stream in client.ended)
        assert client.heads[stream][":status"] == "408"
