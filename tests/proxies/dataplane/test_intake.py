"""Requests on their way in: limits on bodies, declared and chunked, and bodies that stop arriving."""

from __future__ import annotations

import asyncio

import pytest

from proxies.dataplane.config import BodyLimits
from tests.proxies.dataplane.proxying import CHAT, LAST_CHUNK, UVLOOP, chunked, completion, ok, proxying, request
from tests.proxies.supervisor.h2_client import H2Client
from tests.proxies.supervisor.serving import RawClient

LOOP_FACTORIES = UVLOOP
LIMITS = BodyLimits(hash_bytes=1000, max_bytes=5000)


def head(target: str, *fields: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: h", "Content-Type: application/json", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("target", [CHAT, "/v1/files", "/unknown"])
async def test_a_declared_length_past_the_cap_is_refused_before_the_body(target: str) -> None:
    async with proxying(limits=LIMITS) as proxy:
        client = await proxy.send(head(target, "Content-Length: 5001"))
        got = await client.reply()
        assert (got.status, got.value(b"connection")) == (413, b"close")
        assert "5000 bytes" in got.json["error"]["message"]
        record = proxy.records[0]
        assert (record["outcome"], record["error_kind"], record["request_bytes"]) == ("error", "body_too_large", 0)
        assert proxy.upstream.peers == []


@pytest.mark.parametrize("target", [CHAT, "/v1/files", "/unknown"])
async def test_a_chunked_body_past_the_cap_is_refused_and_the_upstream_let_go(target: str) -> None:
    async with proxying(limits=LIMITS) as proxy:
        client = await proxy.send(head(target, "Transfer-Encoding: chunked"))
        sending = asyncio.create_task(client.send(chunked(b"x" * 900) * 7 + LAST_CHUNK))
        got = await client.reply()
        await sending
        assert (got.status, got.json["error"]["message"].startswith("The request body is larger")) == (413, True)
        record = await proxy.record()
        assert (record["outcome"], record["error_kind"]) == ("error", "body_too_large")
        assert proxy.upstream.asked == []


async def test_a_body_at_the_cap_passes() -> None:
    async with proxying(limits=LIMITS) as proxy:
        proxy.upstream.always(ok(completion()))
        assert (await proxy.ask(request("POST", "/v1/files", bytes(5000)))).status == 200
        chunks = head(CHAT, "Transfer-Encoding: chunked") + chunked(b"x" * 2500) * 2 + LAST_CHUNK
        assert (await proxy.ask(chunks)).status == 200
        assert [len(asked.body) for asked in proxy.upstream.asked] == [5000, 5000]


@pytest.mark.parametrize("target", [CHAT, "/v1/files"])
@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked"])
async def test_a_body_that_stops_arriving_is_a_408(target: str, framing: str) -> None:
    async with proxying(limits_of_server={"body_idle_s": 0.1}) as proxy:
        client = await proxy.send(head(target, framing) + (b"5\r\nhello\r\n" if "chunked" in framing else b"hello"))
        got = await client.reply()
        assert (got.status, got.json["error"]["code"]) == (408, "request_timeout")
        record = await proxy.record()
        assert (record["outcome"], record["error_kind"], record["request_bytes"]) == ("error", "body_timeout", 5)
        assert await client.rest() == b""


async def test_a_client_that_leaves_in_its_body_is_recorded_as_gone() -> None:
    async with proxying() as proxy:
        client = await proxy.send(head(CHAT, "Content-Length: 500") + b"hello")
        await asyncio.sleep(0.02)
        client.close()
        record = await proxy.record()
        assert (record["outcome"], record["status"], record["request_bytes"]) == ("client_left", None, 5)
        assert proxy.upstream.peers == []


async def test_a_body_too_large_to_sign_is_refused_with_the_way_out() -> None:
    fields = ("X-Aws-Access-Key-Id: AKIDEXAMPLE", "X-Aws-Secret-Access-Key: s")
    for framing, body in (
        ("Content-Length: 2000", b""),
        ("Transfer-Encoding: chunked", chunked(bytes(2000)) + LAST_CHUNK),
    ):
        async with proxying("bedrock", upstream=None, region="eu-west-1", limits=LIMITS) as proxy:
            client = await proxy.send(head("/model/m/invoke", framing, *fields) + body)
            got = await client.reply()
            assert (got.status, "cannot be re-signed" in str(got.json)) == (413, True)
            assert b"AKIDEXAMPLE" not in proxy.sink.lines[0]


async def test_secrets_meant_for_the_proxy_never_go_up() -> None:
    secrets = [("X-Aws-Access-Key-Id", "AKIDEXAMPLE"), ("X-Aws-Secret-Access-Key", "planted"), ("X-Kept", "1")]
    async with proxying("bedrock") as proxy:
        proxy.upstream.always(ok(b"{}"))
        headers = [("Authorization", "Bearer key"), *secrets]
        await proxy.ask(request(target="/model/m/converse", body=b"{}", headers=headers))
        asked = proxy.upstream.asked[0]
        assert (b"planted" in asked.head, asked.values(b"x-kept"), asked.values(b"authorization")) == (
            False,
            [b"1"],
            [b"Bearer key"],
        )


async def test_a_location_that_cannot_be_derived_is_said_so() -> None:
    async with proxying("vertex_ai", upstream=None) as proxy:
        got = await proxy.ask(
            request(target="/v1/projects/p/locations/UP_PER/publishers/google/models/m:generateContent", body=b"{}")
        )
        assert got.status == 400
        assert proxy.records[0]["error_kind"] == "no_upstream"
        assert proxy.upstream.peers == []


async def test_the_model_of_a_json_body_is_known_even_where_nothing_is_cached() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(ok(b"{}"))
        await proxy.ask(request("POST", "/v1/fine_tuning/jobs", b'{"model":"gpt-x"}'))
        assert (proxy.records[0]["model"], proxy.records[0]["cache"]) == ("gpt-x", "bypass")


async def test_duplicates_of_a_meaningful_header_are_told_apart() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        for kinds in (["text/plain", "application/json"], ["application/json"]):
            raw = request(body=b'{"model":"m"}', headers=[("Content-Type", kind) for kind in kinds], content_type=None)
            assert (await proxy.ask(raw)).cache == b"miss"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_bodiless_http2_request_goes_up_without_a_body(method: str) -> None:
    async with proxying() as proxy:
        proxy.upstream.always(ok(b'{"ok":true}'))
        asks = [(":method", method), (":scheme", "http"), (":authority", "h:1"), (":path", "/unknown?q=1")]
        assert await asyncio.to_thread(over_http2, proxy.port, asks, None) == b'{"ok":true}'
        asked = proxy.upstream.asked[0]
        assert (asked.method, asked.target, asked.body) == (method.encode(), b"/unknown?q=1", b"")
        assert asked.values(b"transfer-encoding") == asked.values(b"content-length") == []


async def test_an_http2_upload_without_a_length_arrives_whole() -> None:
    body = bytes(range(256)) * 2000
    async with proxying() as proxy:
        proxy.upstream.always(ok(b"{}"))
        asks = [(":method", "POST"), (":scheme", "http"), (":authority", "h:1"), (":path", "/v1/files")]
        assert await asyncio.to_thread(over_http2, proxy.port, asks, body) == b"{}"
        assert proxy.upstream.asked[0].body == body
        assert proxy.records[0]["request_bytes"] == len(body)


class OnPort:
    """As much of a server as the HTTP/2 client asks for."""

    def __init__(self, port: int) -> None:
        self.port = port

    def client(self) -> RawClient:
        return RawClient(self.port)


def over_http2(port: int, headers: list[tuple[str, str]], body: bytes | None) -> bytes:
    with H2Client(OnPort(port)) as client:  # type: ignore[arg-type]
        return client.reply(client.ask(headers, body))
