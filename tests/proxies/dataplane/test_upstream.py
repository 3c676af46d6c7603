"""What a client is told when the upstream cannot be reached, does not speak HTTP, falls silent or answers early."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers.base import Origin
from proxies.dataplane.config import Timeouts
from proxies.dataplane.transport import Transport, TransportLimits, make_ssl_context
from tests.proxies.dataplane.proxying import (
    CHAT,
    UVLOOP,
    Proxying,
    chat,
    completion,
    ok,
    proxying,
    request,
)

LOOP_FACTORIES = UVLOOP


async def fails(proxy: Proxying, status: int, kind: str, *words: str, raw: bytes | None = None) -> None:
    """The next request gets a provider-shaped error of that kind whose message holds the words; so does its record."""
    got = await proxy.ask(raw or chat())
    assert (got.status, got.outcome, got.value(b"content-type")) == (status, b"error", b"application/json")
    assert got.json["error"]["type"] == "server_error"
    record = proxy.records[-1]
    assert (record["outcome"], record["error_kind"], record["status"]) == ("error", kind, status)
    assert record["error"] == got.json["error"]["message"]
    for word in words:
        assert word in record["error"]
    assert len(proxy.memory._recordings) == 0


async def test_a_refused_connection_is_a_502() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with proxying(upstream=Origin("http", "127.0.0.1", port)) as proxy:
        await fails(proxy, 502, "unreachable", f"127.0.0.1:{port}", "connection refused")
        assert proxy.records[0]["attempts"] == 1


async def test_a_name_that_does_not_resolve_is_a_502() -> None:
    async with proxying(upstream=Origin("http", "nowhere.invalid", 80)) as proxy:
        await fails(proxy, 502, "unreachable", "nowhere.invalid", "does not resolve")


@pytest.mark.parametrize("is_reset", [True, False])
async def test_an_upstream_that_closes_without_an_answer_is_a_502(is_reset: bool) -> None:
    async with proxying() as proxy:

        async def hang_up(asked: Any) -> None:
            if is_reset:
                asked.peer.reset()
            else:
                asked.peer.close()

        proxy.upstream.script = hang_up
        await fails(proxy, 502, "no_answer", "closed the connection without an answer")


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Big: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_an_answer_that_is_not_http_is_a_502(garbage: bytes) -> None:
    async with proxying() as proxy:
        proxy.upstream.always(garbage)
        await fails(proxy, 502, "protocol", "did not answer in HTTP")


async def test_silence_before_the_head_is_a_504() -> None:
    async with proxying(timeouts=Timeouts(silence_s=0.1)) as proxy:
        asking = asyncio.create_task(fails(proxy, 504, "timeout", "did not answer in time"))
        asked = await proxy.upstream.next()
        await asking
        assert await asked.peer.at_end()


async def test_a_connection_nobody_accepts_is_a_504() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        try:
            upstream = Origin("http", "127.0.0.1", port)
            async with proxying(upstream=upstream, timeouts=Timeouts(connect_s=0.2)) as proxy:
                await fails(proxy, 504, "timeout", "did not accept a connection in time")
        finally:
            for sock in waiting:
                sock.close()


async def test_an_upstream_with_too_many_connections_is_a_504() -> None:
    limits = TransportLimits(max_connections=1)
    async with proxying(transport_limits=limits, timeouts=Timeouts(connect_s=0.1)) as proxy:
        busy = await proxy.send(chat("busy"))
        asked = await proxy.upstream.next()
        await fails(proxy, 504, "timeout", "too many connections")
        await asked.answer(ok(completion()))
        assert (await busy.reply()).status == 200


@pytest.fixture
async def tls_port(tmp_path: Path) -> AsyncIterator[int]:
    """A TLS server whose certificate nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "untrusted.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("untrusted.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_an_untrusted_certificate_is_a_502_that_says_so(tls_port: int) -> None:
    origin = Origin("https", "127.0.0.1", tls_port)
    async with proxying(upstream=origin, transport=Transport(ssl_context=make_ssl_context())) as proxy:
        await fails(proxy, 502, "tls", "No trusted TLS connection", "certificate verify failed")


async def test_an_upstream_without_tls_where_tls_is_expected_is_a_502() -> None:
    async with proxying() as proxy:
        proxy.upstream.is_manual = True
        proxy.swap(upstream=Origin("https", "127.0.0.1", proxy.upstream.port))
        asking = asyncio.create_task(fails(proxy, 502, "tls", "No trusted TLS connection"))
        peer = await proxy.upstream.caller()
        await peer.recv()
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await asking


async def test_the_message_speaks_the_providers_dialect() -> None:
    for provider, target in (
        ("anthropic", "/v1/messages"),
        ("azure_openai", "/openai/deployments/d/chat/completions?api-version=1"),
        ("bedrock", "/model/m/converse"),
        ("vertex_ai", "/v1beta/models/m:generateContent"),
    ):
        async with proxying(provider) as proxy:
            proxy.upstream.always(b"nonsense\r\n\r\n")
            got = await proxy.ask(request(target=target, body=b"{}", headers=[("Authorization", "Bearer k")]))
            assert got.status == 502
            assert "did not answer in HTTP" in str(got.json)


async def test_an_early_answer_during_an_upload_is_delivered() -> None:
    async with proxying() as proxy:
        proxy.upstream.is_manual = True
        raw = request("POST", "/v1/files", bytes(20_000_000), content_type="application/octet-stream")
        client = await proxy.client()
        sending = asyncio.create_task(client.send(raw))
        peer = await proxy.upstream.caller()
        await peer.read_until(b"\r\n\r\n")
        await peer.send(ok(b'{"error":{"message":"too big"}}', status="413 Too Large"))
        got = await client.reply()
        assert (got.status, got.json["error"]["message"]) == (413, "too big")
        assert got.value(b"connection") == b"close"
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        record = await proxy.record()
        assert (record["outcome"], record["error_kind"], record["status"]) == ("error", "upstream_status", 413)


async def test_a_stale_kept_connection_is_replaced_without_the_client_noticing() -> None:
    async with proxying() as proxy:
        first = await proxy.send(request("GET", "/v1/x"))
        asked = await proxy.upstream.next()
        await asked.answer(ok(b"{}"))
        await first.reply()
        asked.peer.close()
        proxy.upstream.always(ok(b'{"n":2}'))
        assert (await proxy.ask(request("GET", "/v1/x"))).body == b'{"n":2}'


async def test_a_request_that_cannot_be_signed_is_refused_with_the_options() -> None:
    async with proxying("bedrock", upstream=None, region="eu-west-1") as proxy:
        raw = request(target="/model/m/converse", body=b"{}")
        got = await proxy.ask(raw)
        assert got.status == 403
        assert proxy.records[0]["error_kind"] == "no_credentials"
        assert proxy.upstream.peers == []


async def test_the_upstream_is_named_in_the_record_without_path_or_query() -> None:
    async with proxying() as proxy:
        proxy.upstream.count()
        await proxy.ask(request(target=CHAT + "?key=x", body=b"{}"))
        assert proxy.records[0]["endpoint"] == f"http://127.0.0.1:{proxy.upstream.port}"
