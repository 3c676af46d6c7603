"""The stand-in itself: what the drivers do not touch."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import struct

import pytest
from botocore.eventstream import EventStreamBuffer

from tests.wire.standin.client import StandIn


def _chat(prompt: str, **more: object) -> bytes:
    return json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], **more}).encode()


def _send(standin: StandIn, body: bytes, *extra: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", standin.http_port), timeout=10)
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        "Host: x",
        "Authorization: Bearer sk-x",
        f"Content-Length: {len(body)}",
    ]
    connection.sendall("\r\n".join([*head, *extra, "", ""]).encode() + body)
    return connection


def _read_to_end(connection: socket.socket) -> bytes:
    whole = b""
    while piece := connection.recv(65536):
        whole += piece
    return whole


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("api.anthropic.com", "anthropic"),
        ("my-resource.openai.azure.com", "azure_openai"),
        ("bedrock-runtime.eu-west-1.amazonaws.com", "bedrock"),
        ("bedrock.us-east-1.amazonaws.com", "bedrock"),
        ("europe-west4-aiplatform.googleapis.com", "vertex_ai"),
        ("aiplatform.googleapis.com", "vertex_ai"),
        ("aiplatform.eu.rep.googleapis.com", "vertex_ai"),
        ("generativelanguage.googleapis.com", "vertex_ai"),
    ],
)
def test_the_tls_port_plays_each_real_host_under_its_own_name(host: str, provider: str, standin: StandIn) -> None:
    context = ssl.create_default_context(cafile=standin.ca_file)
    with socket.create_connection(("127.0.0.1", standin.tls_port), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname=host) as secure:
            secure.sendall(f"GET /none?{host} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert _read_to_end(secure).startswith(b"HTTP/1.1 4")
    captured = standin.wait_for(lambda captured: captured.target == f"/none?{host}")
    assert (captured.provider, captured.scheme, captured.sni) == (provider, "https", host)


def test_the_certificate_is_good_for_the_named_hosts_only(standin: StandIn) -> None:
    context = ssl.create_default_context(cafile=standin.ca_file)
    raw = socket.create_connection(("127.0.0.1", standin.tls_port), timeout=10)
    with context.wrap_socket(raw, server_hostname="example.com", do_handshake_on_connect=False) as secure:
        with pytest.raises(ssl.SSLCertVerificationError):
            secure.do_handshake()


def test_a_client_that_leaves_a_hanging_call_is_noticed(standin: StandIn) -> None:
    _send(standin, _chat("please hang, leave me")).close()
    captured = standin.wait_for(lambda captured: b"leave me" in captured.body and captured.client_gone_at is not None)
    assert captured.client_gone_at >= captured.received_at
    assert captured.status is None


def test_a_client_that_leaves_in_mid_stream_is_noticed(standin: StandIn) -> None:
    connection = _send(standin, _chat("paced 20ms, leave me streaming", stream=True))
    assert connection.recv(65536)
    connection.close()
    captured = standin.wait_for(
        lambda captured: b"me streaming" in captured.body and captured.client_gone_at is not None
    )
    assert 1 <= len(captured.sent_at) < 8


def test_a_stalled_stream_goes_silent_and_a_reset_one_ends_by_rst(standin: StandIn) -> None:
    with _send(standin, _chat("stall mid-stream", stream=True)) as stalled:
        stalled.settimeout(0.3)
        with pytest.raises(TimeoutError):
            _read_to_end(stalled)
    with _send(standin, _chat("reset mid-stream", stream=True)) as reset, pytest.raises(ConnectionResetError):
        _read_to_end(reset)


def test_a_dying_stream_lacks_its_last_chunk_and_a_dying_body_is_short(standin: StandIn) -> None:
    with _send(standin, _chat("die mid-stream", stream=True)) as connection:
        whole = _read_to_end(connection)
    assert b"data: " in whole
    assert not whole.endswith(b"0\r\n\r\n")
    with _send(standin, _chat("die mid-stream")) as connection:
        head, _, body = _read_to_end(connection).partition(b"\r\n\r\n")
    promised = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < promised


def test_gzip_is_sent_to_those_who_accept_it(standin: StandIn) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", standin.http_port, timeout=10)
    found = []
    for accepted in ("gzip", "identity"):
        headers = {"authorization": "Bearer sk-x", "accept-encoding": accepted}
        connection.request("POST", "/v1/chat/completions", _chat("please gzip, pad 100kB"), headers)
        reply = connection.getresponse()
        body = reply.read()
        found.append((reply.getheader("content-encoding"), body if accepted == "identity" else gzip.decompress(body)))
    connection.close()
    assert [encoding for encoding, _ in found] == ["gzip", None]
    assert all(len(json.loads(body)["choices"][0]["message"]["content"]) > 100_000 for _, body in found)


def test_chunked_uploads_and_head_requests_are_understood(standin: StandIn) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", standin.http_port, timeout=10)
    pieces = iter([_chat("in ")[:20], _chat("in ")[20:]])
    connection.request("POST", "/v1/chat/completions", pieces, {"authorization": "Bearer sk-x"}, encode_chunked=True)
    assert json.loads(connection.getresponse().read())["object"] == "chat.completion"
    connection.request("HEAD", "/v1/models", headers={"authorization": "Bearer sk-x"})
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b"")
    connection.close()


def test_event_stream_frames_carry_the_checksums_of_the_format(standin: StandIn) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", standin.http_port, timeout=10)
    headers = {"authorization": "Bearer bedrock-api-key-standin", "content-type": "application/json"}
    connection.request("POST", "/model/m/converse-stream", b'{"messages":[]}', headers)
    body = connection.getresponse().read()
    connection.close()

    buffer = EventStreamBuffer()
    buffer.add_data(body)
    kinds = [message.headers[":event-type"] for message in buffer]
    assert kinds[0] == "messageStart"
    assert kinds[-1] == "metadata"
    assert struct.unpack("!I", body[:4])[0] < len(body)
