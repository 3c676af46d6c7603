"""HTTP/2 with prior knowledge: h2 as a client over raw sockets, and Node's own http2 module."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
from typing import Any

import h2.connection
import h2.errors
import h2.exceptions
import h2.settings
import pytest

from proxies.supervisor.http2 import MAX_RESETS, MAX_STREAMS

from .h2_client import GET, POST, H2Client
from .serving import Served, answer, mirror, read_body, serving


def test_request_reaches_the_app_whole() -> None:
    headers = [(":method", "POST"), (":path", "/a%3Ab//..?q=%2F"), (":scheme", "http"), (":authority", "h:1")]
    with serving(mirror) as served, H2Client(served) as client:
        stream = client.ask([*headers, ("x-amz-date", "1"), ("x-dup", "a"), ("x-dup", "b"), ("cookie", "c")], b"hello")
        seen = json.loads(client.reply(stream))
        assert client.heads[stream][":status"] == "200"
        assert client.heads[stream]["date"].endswith("GMT")
    assert seen == {
        "method": "POST",
        "version": "2",
        "path": "/a:b//..",
        "raw_path": "/a%3Ab//..",
        "query": "q=%2F",
        "headers": [["host", "h:1"], ["x-amz-date", "1"], ["x-dup", "a"], ["x-dup", "b"], ["cookie", "c"]],
        "raw_headers": seen["headers"],
        "authority": "h:1",
        "body": "hello",
    }


def test_preface_may_arrive_byte_by_byte() -> None:
    with serving(mirror) as served, H2Client.__new__(H2Client) as client:
        client.raw = served.client()
        client.raw.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.engine = h2.connection.H2Connection()
        client.engine.initiate_connection()
        client.heads, client.bodies, client.ended, client.resets, client.goaways = {}, {}, set(), {}, []
        client.is_closed, client.acknowledges = False, True
        for byte in client.engine.data_to_send():
            client.raw.send(bytes([byte]))
        assert json.loads(client.reply(client.ask()))["version"] == "2"


def test_hundred_streams_at_once() -> None:
    gate: list[asyncio.Event] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not gate:
            gate.append(asyncio.Event())
        if served.server.in_flight == 100:
            gate[0].set()
        await gate[0].wait()
        await answer(send, scope["raw_path"])

    with serving(app) as served, H2Client(served) as client:
        streams = [client.ask([*GET[:3], (":path", f"/{i}")]) for i in range(100)]
        assert [client.reply(stream) for stream in streams] == [b"/%d" % i for i in range(100)]


def test_cancelled_stream_is_noticed_and_the_others_live() -> None:
    left = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        if scope["path"] == "/":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            assert (await receive())["type"] == "http.disconnect"
            await send({"type": "http.response.body", "body": b"unheard"})
            left.set()
        else:
            await asyncio.to_thread(left.wait)
            await answer(send, b"alive")

    with serving(app) as served, H2Client(served) as client:
        cancelled, other = client.ask(), client.ask([*GET[:3], (":path", "/other")])
        client.until(lambda: cancelled in client.heads)
        client.engine.reset_stream(cancelled, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        assert left.wait(5)
        assert client.reply(other) == b"alive"
        assert client.reply(client.ask([*GET[:3], (":path", "/third")])) == b"alive"


def test_lost_connection_ends_every_exchange() -> None:
    left: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        left.append((await receive())["type"])

    with serving(app) as served:
        with H2Client(served) as client:
            for _ in range(3):
                client.ask()
            assert served.wait_for(lambda: served.server.in_flight == 3)
        assert served.wait_for(lambda: served.server.in_flight == 0 and not served.server.connections)
    assert left == ["http.disconnect"] * 3


@pytest.mark.parametrize(
    "headers",
    [
        [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "/a b")],
        [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "a")],
        [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "*")],
        [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "/a#b")],
        [(":method", "GET"), (":scheme", "http"), (":authority", "h/x"), (":path", "/")],
        [(":method", "FOO"), (":scheme", "http"), (":authority", "h"), (":path", "/")],
        [(":method", "CONNECT"), (":authority", "h:443")],
        [*GET, ("content-length", "5")],
    ],
)
def test_odd_request_gets_400_and_the_connection_lives(headers: Any) -> None:
    with serving(mirror) as served, H2Client(served, validates=False) as client:
        stream = client.ask(headers)
        client.until(lambda: stream in client.ended)
        assert client.heads[stream][":status"] == "400"
        assert json.loads(client.reply(client.ask()))["path"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        [(":method", "GET"), (":scheme", "http"), (":path", "/")],
        [*GET, ("host", "other")],
        [*GET, ("transfer-encoding", "chunked")],
        [*GET, ("connection", "close")],
        [*GET, ("X-Upper", "1")],
        [*GET, ("x", "a\r\nhost: evil")],
        [("x", "1"), *GET],
    ],
)
def test_broken_request_gets_goaway_and_never_reaches_the_app(headers: Any) -> None:
    with serving(mirror) as served:
        with H2Client(served, validates=False) as client:
            client.ask(headers)
            client.until_closed()
            assert client.goaways
            assert client.goaways[0][0] == h2.errors.ErrorCodes.PROTOCOL_ERROR
            assert not client.heads
        with H2Client(served) as client:
            assert json.loads(client.reply(client.ask()))["path"] == "/"


@pytest.mark.parametrize(("extra", "status"), [([("x", "y" * 70_000)], "431"), ([], "414")])
def test_head_over_the_limit_is_refused(extra: Any, status: str) -> None:
    path = "/" + "x" * 70_000 if status == "414" else "/"
    with serving(mirror) as served, H2Client(served) as client:
        stream = client.ask([*GET[:3], (":path", path), *extra])
        client.until(lambda: stream in client.ended)
        assert client.heads[stream][":status"] == status
        assert json.loads(client.reply(client.ask()))["path"] == "/"


def test_head_bomb_ends_the_connection() -> None:
    with serving(mirror) as served, H2Client(served) as client:
        client.ask([*GET, *[(f"x-{i}", "y" * 15_000) for i in range(20)]])
        client.until_closed()
        assert client.goaways[0][0] == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM


def test_continuation_flood_ends_the_connection() -> None:
    with serving(mirror) as served, H2Client(served) as client:
        frame = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82" + b"\x00\x00\x01\x09\x00\x00\x00\x00\x01\x84" * 200
        client.raw.send(frame)
        client.until_closed()
        assert client.goaways


def test_rapid_reset_ends_the_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        await receive()

    with serving(app) as served, H2Client(served) as client:
        with pytest.raises((ConnectionError, h2.exceptions.ProtocolError)):  # noqa: PT012  # wherever it hits
            for _ in range(MAX_RESETS + 50):
                stream = client.ask()
                client.engine.reset_stream(stream)
                client.flush()
                if stream % 50 == 1:
                    client.raw.sock.settimeout(0.05)
                    try:
                        client.read()
                    except TimeoutError:
                        pass
            client.raw.sock.settimeout(10)
            client.until_closed()
            raise ConnectionError
        assert served.wait_for(lambda: served.server.in_flight == 0 and not served.server.connections)


def test_streams_beyond_the_announced_number_are_not_served() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        await receive()

    with serving(app) as served, H2Client(served) as client:
        client.until(lambda: client.engine.remote_settings.max_concurrent_streams == MAX_STREAMS)
        client.engine.remote_settings.acknowledge()
        client.engine.remote_settings.update({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1000})
        client.engine.remote_settings.acknowledge()
        for _ in range(MAX_STREAMS + 1):
            client.ask()
        client.until_closed()
        assert client.goaways


def test_unread_pings_end_the_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"x" * 20_000_000)

    with serving(app) as served, H2Client(served, window=2**31 - 1) as client:
        client.engine.increment_flow_control_window(2**31 - 1 - 65535)
        client.ask()
        assert served.wait_for(lambda: any(getattr(c, "is_write_paused", False) for c in served.server.connections))
        with pytest.raises(ConnectionError):  # noqa: PT012  # wherever it hits
            for _ in range(5000):
                client.engine.ping(b"12345678")
                client.flush()
            client.until_closed()
            raise ConnectionError
        assert served.wait_for(lambda: not served.server.connections)


def test_idle_connection_is_closed_with_goaway() -> None:
    with serving(mirror, keep_alive_s=0.1) as served, H2Client(served) as client:
        stream = client.ask()
        client.reply(stream)
        client.until_closed()
        assert client.goaways == [(0, stream)]


async def paced(scope: Any, receive: Any, send: Any) -> None:
    """Ten events, 20 ms apart."""
    await read_body(receive)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for i in range(10):
        await asyncio.sleep(0.02)
        await send({"type": "http.response.body", "body": b"event %d\n" % i, "more_body": True})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("is_one_read", [True, False])
def test_reply_goes_on_after_the_clients_goaway(is_one_read: bool) -> None:
    with serving(paced) as served, H2Client(served) as client:
        stream = client.engine.get_next_available_stream_id()
        client.engine.send_headers(stream, POST)
        client.engine.send_data(stream, b"{}", end_stream=True)
        if not is_one_read:
            client.flush()
        pending = client.engine.data_to_send()
        # GOAWAY as bytes: the client's own h2 would not let it read on. Last stream 0, no error.
        client.raw.send(pending + b"\x00\x00\x08\x07" + bytes(13))
        assert client.reply(stream) == b"".join(b"event %d\n" % i for i in range(10))
        client.until_closed()


def test_window_updates_are_heeded_after_the_clients_goaway() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"x" * 1_000_000)

    with serving(app) as served, H2Client(served) as client:
        stream = client.ask()
        client.raw.send(b"\x00\x00\x08\x07" + bytes(13))
        assert len(client.reply(stream)) == 1_000_000
        client.until_closed()


NODE = shutil.which("node") or "node"


def node(served: Served, script: str) -> Any:
    """What a script prints as JSON; `session` is an open http2 session."""
    prelude = f"""
        const http2 = require("node:http2");
        const session = http2.connect("http://127.0.0.1:{served.port}");
        session.on("error", (error) => console.error("session", error));
        const ask = (headers, body) => new Promise((resolve) => {{
            const stream = session.request({{":method": "POST", ...headers}});
            const got = {{status: 0, events: [], times: [], error: null, aborted: false}};
            stream.on("response", (head) => (got.status = head[":status"]));
            stream.on("data", (data) => {{ got.events.push(data.toString("latin1")); got.times.push(Date.now()); }});
            stream.on("error", (error) => (got.error = error.code));
            stream.on("aborted", () => (got.aborted = true));
            stream.on("close", () => resolve(got));
            stream.end(body ?? "{{}}");
        }});
        const done = (value) => {{ console.log(JSON.stringify(value)); session.close(); }};
    """
    run = subprocess.run([NODE, "-e", prelude + script], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return json.loads(run.stdout)


def test_node_reads_paced_events_after_its_own_goaway() -> None:
    """As the stock AWS client does: `session.close()` sends GOAWAY as soon as the request is out."""
    with serving(paced) as served:
        got = node(
            served,
            """session.once("connect", () => {
                ask({":path": "/s"}).then(done);
                setImmediate(() => session.close());
            });""",
        )
        assert got["error"] is None
        assert got["events"] == [f"event {i}\n" for i in range(10)]
        assert got["times"][-1] - got["times"][0] >= 100
        assert served.wait_for(lambda: not served.server.connections)


def test_node_reads_paced_events_after_an_explicit_goaway() -> None:
    with serving(paced) as served:
        got = node(
            served,
            """const stream = session.request({":method": "POST", ":path": "/s"});
            const events = [];
            stream.on("data", (data) => events.push(data.toString()));
            stream.on("close", () => { console.log(JSON.stringify(events)); session.destroy(); });
            stream.end("{}");
            session.goaway(http2.constants.NGHTTP2_NO_ERROR);""",
        )
        assert got == [f"event {i}\n" for i in range(10)]


def test_node_runs_fifty_at_once_with_large_bodies() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = await read_body(receive)
        await answer(send, b"%d" % len(body or b""))

    with serving(app) as served:
        got = node(
            served,
            """const sizes = [3000000, 3000000, ...Array(48).fill(1000)];
            Promise.all(sizes.map((size) => ask({":path": "/"}, "x".repeat(size)))).then(
                (all) => done(all.map((one) => one.events.join(""))));""",
        )
    assert got == ["3000000", "3000000", *["1000"] * 48]


def test_node_sees_a_cut_stream_as_an_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        scope["extensions"]["rubberduck"].cut()

    with serving(app) as served:
        got = node(served, 'ask({":path": "/"}).then(done);')
    assert (got["events"], got["error"]) == (["half"], "ERR_HTTP2_STREAM_ERROR")


def test_node_abort_is_noticed() -> None:
    left: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        left.append((await receive())["type"])

    with serving(app) as served:
        node(
            served,
            """const stream = session.request({":path": "/"});
            stream.on("response", () => stream.close(http2.constants.NGHTTP2_CANCEL));
            stream.on("close", () => done("aborted"));""",
        )
        assert served.wait_for(lambda: left == ["http.disconnect"])


def test_node_finishes_its_streams_while_the_server_drains() -> None:
    with serving(paced) as served:
        process = subprocess.Popen(
            [
                NODE,
                "-e",
                f"""const session = require("node:http2").connect("http://127.0.0.1:{served.port}");
                const stream = session.request({{":path": "/"}});
                let body = "";
                stream.on("response", () => console.log("started"));
                stream.on("data", (data) => (body += data));
                stream.on("close", () => {{ console.log(body); session.close(); }});""",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "started\n"
                assert served.run(served.server.drain) == 0
                assert process.stdout.read() == "".join(f"event {i}\n" for i in range(10)) + "\n"
                assert process.wait(20) == 0
            finally:
                process.kill()
