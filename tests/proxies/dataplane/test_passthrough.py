"""What the upstream sees is what the client sent, and the other way round: targets, headers and bodies, byte for
byte."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib

import brotli
import httpx
import pytest
import zstandard

from tests.proxies.dataplane.proxying import (
    CHAT,
    DONE,
    SSE_HEAD,
    UVLOOP,
    chat,
    chunked,
    completion,
    ok,
    proxying,
    request,
)

LOOP_FACTORIES = UVLOOP
PLAIN = ok(b"{}")


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/files/file%2Dabc%2Fcontent",
        "/odd//double///slashes/",
        "/a/../b/./c",
        "/..%2f..%2fetc",
        "/%E4%BD%A0%20x/%00/%zz%",
        "/semi;colon=1,comma/@:!$&'()*+,;=",
        "/q?a=1&a=2&b=%2F%2f+%20&c",
        '/q??x=?/&y={}|^`[]"',
        "/v1/unknown/model:id@2026?key=value",
        "/q?" + "x" * 20_000,
    ],
)
async def test_an_unknown_target_arrives_byte_for_byte(target: str) -> None:
    async with proxying() as proxy:
        proxy.upstream.always(PLAIN)
        got = await proxy.ask(request("GET", target))
        assert got.status == 200
        assert proxy.upstream.asked[0].target == target.encode()
        assert proxy.records[0]["path"] == target.partition("?")[0][:2000]


async def test_the_query_of_a_known_operation_is_untouched_and_not_logged() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(ok(completion()))
        await proxy.ask(request(target=CHAT + "?b=%2F&a=1&a=2&key=sk-planted", body=b"{}"))
        assert proxy.upstream.asked[0].target == CHAT.encode() + b"?b=%2F&a=1&a=2&key=sk-planted"
        assert b"planted" not in proxy.sink.lines[0]


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
@pytest.mark.parametrize(("prefix", "expected"), [("", CHAT), ("/v1", CHAT), ("/team/v1", "/team" + CHAT)])
async def test_both_base_url_habits_reach_the_same_upstream_path(path: str, prefix: str, expected: str) -> None:
    async with proxying(prefix=prefix) as proxy:
        proxy.upstream.always(ok(completion()))
        await proxy.ask(request(target=path, body=b'{"model":"m"}'))
        assert proxy.upstream.asked[0].target == expected.encode()
        assert proxy.records[0]["operation"] == "chat.completions"


async def test_headers_go_up_in_order_with_case_and_duplicates() -> None:
    sent = [
        ("X-Odd-CASE", "1"),
        ("x-odd-case", "2"),
        ("Authorization", "Bearer sk-1"),
        ("Accept", "*/*"),
        ("aCCept", "text/html;q=0.1, */*"),
        ("Cookie", "a=b; c=d"),
        ("X-Empty", ""),
        ("X-Latin", "caf\xe9 \t inside"),
        ("User-Agent", "SDK/1.0 (x; y)"),
        ("Accept-Encoding", "gzip;q=0.5, br"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("Via", "1.1 other"),
    ]
    async with proxying() as proxy:
        proxy.upstream.always(PLAIN)
        await proxy.ask(request("GET", "/v1/anything", headers=sent))
        up = proxy.upstream.asked[0].headers
        expected = [(name.encode(), value.encode("latin-1")) for name, value in sent]
        assert up[0] == (b"Host", f"127.0.0.1:{proxy.upstream.port}".encode())
        assert [(name, value) for name, value in up[1:]] == expected


async def test_hop_by_hop_headers_and_those_named_by_any_connection_field_stay_here() -> None:
    dropped = [
        ("Connection", "keep-alive, X-Private"),
        ("connection", "X-Other , close-not"),
        ("X-Private", "1"),
        ("X-OTHER", "2"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic abc"),
        ("Proxy-Authenticate", "Basic"),
        ("TE", "trailers"),
        ("Trailer", "X-T"),
        ("X-RubberDuck-Anything", "at all"),
    ]
    async with proxying() as proxy:
        proxy.upstream.always(PLAIN)
        await proxy.ask(request("GET", "/x", headers=[*dropped, ("X-Kept", "yes")]))
        assert [name for name, _ in proxy.upstream.asked[0].headers] == [b"Host", b"X-Kept"]


async def test_reply_headers_come_back_in_order_with_case_and_duplicates_but_hop_by_hop_ones() -> None:
    reply = (
        b"HTTP/1.1 200 Fine\r\nX-First: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\nX-Request-ID: up-1\r\n"
        b"Date: Mon, 01 Jan 2024 00:00:00 GMT\r\nCache-Control: no-store\r\nX-RateLimit-Remaining-Tokens: 5\r\n"
        b"Keep-Alive: timeout=5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: h\r\nX-Rubberduck-Cache: forged\r\n"
        b"Proxy-Authenticate: Basic\r\nX-Latin: caf\xe9\r\nContent-Length: 2\r\nX-Last: z\r\n\r\n{}"
    )
    async with proxying() as proxy:
        proxy.upstream.always(reply)
        got = await proxy.ask(request("GET", "/x"))
        own = [name for name, _ in got.headers if name.startswith(b"x-rubberduck-")]
        assert [field for field in got.headers if not field[0].startswith(b"x-rubberduck-")] == [
            (b"X-First", b"1"),
            (b"Set-Cookie", b"a=1"),
            (b"set-cookie", b"b=2; Path=/"),
            (b"X-Request-ID", b"up-1"),
            (b"Date", b"Mon, 01 Jan 2024 00:00:00 GMT"),
            (b"Cache-Control", b"no-store"),
            (b"X-RateLimit-Remaining-Tokens", b"5"),
            (b"X-Latin", b"caf\xe9"),
            (b"Content-Length", b"2"),
            (b"X-Last", b"z"),
        ]
        assert own == [b"x-rubberduck-request-id", b"x-rubberduck-outcome", b"x-rubberduck-cache"]
        assert got.cache == b"bypass"
        assert got.value(b"x-rubberduck-request-id") == proxy.records[0]["id"].encode()


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "QUERY"]
)
async def test_every_method_arrives_as_it_is(method: str) -> None:
    body = b"some body" if method in ("POST", "PUT", "PATCH", "DELETE", "QUERY") else b""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if method == "HEAD" else b"{}")
    async with proxying() as proxy:
        proxy.upstream.always(reply)
        got = await proxy.ask(request(method, "/v1/x", body))
        asked = proxy.upstream.asked[0]
        assert (asked.method, asked.body, got.status) == (method.encode(), body, 200)
        assert proxy.records[0]["method"] == method


async def test_options_for_the_whole_server_arrives() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(b"HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n")
        got = await proxy.ask(request("OPTIONS", "*"))
        assert (got.status, got.value(b"allow")) == (204, b"GET")
        assert proxy.upstream.asked[0].target == b"*"


async def test_an_absolute_target_leads_to_the_upstream_and_nowhere_else() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(PLAIN)
        assert (await proxy.ask(request("GET", "http://169.254.169.254/v1/x?y"))).status == 200
        asked = proxy.upstream.asked[0]
        assert asked.target == b"/v1/x?y"
        assert asked.values(b"host") == [f"127.0.0.1:{proxy.upstream.port}".encode()]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b' {\n\t"model" :"m" , "messages":[ ],"b":1,"a":2,"x":1.0e2,"u":"\\u00e9\xc3\xa9"}\r\n', "application/json"),
        (b'{"model":"m","model":"n"}', "application/json; charset=utf-8"),
        (b"not json at all \x00\xff", "application/json"),
        (gzip.compress(b'{"model":"m"}', mtime=0), "application/json"),
        (
            b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--B--\r\n',
            "multipart/form-data; boundary=B",
        ),
        (noise(200_000), "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("target", [CHAT, "/v1/files", "/else"])
async def test_a_body_arrives_byte_for_byte(body: bytes, content_type: str, target: str) -> None:
    headers = [("Content-Encoding", "gzip")] if body.startswith(b"\x1f\x8b") else []
    async with proxying() as proxy:
        proxy.upstream.always(ok(completion()))
        raw = request("POST", target, body, [("Content-Type", content_type), *headers], content_type=None)
        assert (await proxy.ask(raw)).status == 200
        asked = proxy.upstream.asked[0]
        assert asked.body == body
        assert asked.values(b"content-length") == [b"%d" % len(body)]
        assert asked.values(b"content-type") == [content_type.encode()]
        assert asked.values(b"content-encoding") == [value.encode() for _, value in headers]
        assert proxy.records[0]["request_bytes"] == len(body)


async def test_multipart_with_files_arrives_as_sent_and_hits_when_sent_again_with_another_boundary() -> None:
    file = noise(100_000)

    def form(boundary: bytes) -> bytes:
        return (
            b'--%b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
            b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
            b"Content-Type: audio/wav\r\n\r\n%b\r\n--%b--\r\n" % (boundary, boundary, file, boundary)
        )

    async with proxying() as proxy:
        proxy.upstream.always(ok(b'{"text":"hi"}'))
        for boundary, cache in ((b"one", b"miss"), (b"other", b"hit")):
            kind = [("Content-Type", f"multipart/form-data; boundary={boundary.decode()}")]
            raw = request("POST", "/v1/audio/transcriptions", form(boundary), kind, content_type=None)
            got = await proxy.ask(raw)
            assert (got.cache, got.body) == (cache, b'{"text":"hi"}')
        assert [asked.body for asked in proxy.upstream.asked] == [form(b"one")]
        assert [record["model"] for record in proxy.records] == ["whisper-1", "whisper-1"]


@pytest.mark.parametrize("target", [CHAT, "/v1/files"])
async def test_a_chunked_upload_arrives_whole(target: str) -> None:
    pieces = [b'{"model":', b'"m","x":"', b"y" * 100_000, b'"}']
    async with proxying() as proxy:
        proxy.upstream.always(ok(completion()))
        head = f"POST {target} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        head += "Content-Type: application/json\r\nTrailer: X-T\r\n\r\n"
        client = await proxy.send(head.encode())
        for piece in pieces:
            await client.send(chunked(piece))
        await client.send(b"0\r\nX-T: trailing\r\n\r\n")
        assert (await client.reply()).status == 200
        asked = proxy.upstream.asked[0]
        assert asked.body == b"".join(pieces)
        assert asked.values(b"trailer") == asked.values(b"x-t") == []
        assert len(asked.values(b"content-length")) + len(asked.values(b"transfer-encoding")) == 1
        assert (proxy.records[0]["model"], proxy.records[0]["request_bytes"]) == ("m", len(asked.body))


async def test_an_upload_nobody_must_read_streams_on_as_it_arrives() -> None:
    body = noise(3_000_000)
    raw = request("POST", "/v1/files", body, content_type="application/octet-stream")
    async with proxying() as proxy:
        proxy.upstream.is_manual = True
        client = await proxy.send(raw[: 1000 - len(body)])
        peer = await proxy.upstream.caller()
        head = await peer.read_until(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/files HTTP/1.1\r\n")
        assert await peer.read_exactly(1000) == body[:1000]
        sending = asyncio.create_task(client.send(body[1000:]))
        assert await peer.read_exactly(len(body) - 1000) == body[1000:]
        await sending
        await peer.send(PLAIN)
        assert (await client.reply()).status == 200
        assert proxy.records[0]["request_bytes"] == len(body)


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_five_megabytes_travel_both_ways(is_chunked: bool) -> None:
    up, down = noise(5_000_000), noise(5_000_001)
    coding = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % len(down)
    framed = chunked(down[:2_000_000]) + chunked(down[2_000_000:]) + b"0\r\n\r\n" if is_chunked else down
    async with proxying() as proxy:
        proxy.upstream.always(b"HTTP/1.1 200 OK\r\n" + coding + b"\r\n\r\n" + framed)
        client = await proxy.client()
        sending = asyncio.create_task(client.send(request("POST", "/v1/files", up)))
        got = await client.reply()
        await sending
        assert got.body == down
        assert proxy.upstream.asked[0].body == up
        record = proxy.records[0]
        assert (record["request_bytes"], record["reply_bytes"]) == (len(up), len(down))


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
        b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://other.example/v1/x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 4\r\n\r\nhere",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/9\r\nContent-Length: 4\r\n\r\nhalf",
        b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_statuses_pass_as_they_are_and_the_connection_serves_on(reply: bytes, method: str) -> None:
    head, _, body = reply.partition(b"\r\n\r\n")
    fields = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
    async with proxying() as proxy:
        proxy.upstream.always(reply)
        client = await proxy.client()
        for _ in range(2):
            got = await client.ask(
                request(method, "/v1/x", headers=[] if method == "GET" else [("Content-Length", "0")])
            )
            assert (got.status, got.body) == (int(head[9:12]), body)
            for name, value in fields:
                assert got.values(name.lower()) == [value]
        assert [record["status"] for record in proxy.records] == [int(head[9:12])] * 2


async def test_head_gets_the_upstreams_length_and_no_body() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX-A: b\r\n\r\n")
        client = await proxy.client()
        for _ in range(2):
            got = await client.ask(request("HEAD", "/v1/models"))
            assert (got.status, got.value(b"content-length"), got.value(b"x-a")) == (200, b"1234", b"b")
        assert [record["reply_bytes"] for record in proxy.records] == [0, 0]


async def test_interim_replies_of_the_upstream_are_swallowed() -> None:
    async with proxying() as proxy:
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        proxy.upstream.always(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + PLAIN)
        assert (await proxy.ask(chat())).body == b"{}"


@pytest.mark.parametrize("is_cacheable", [True, False])
async def test_expect_is_answered_here_and_not_forwarded(is_cacheable: bool) -> None:
    body = b'{"model":"m"}'
    raw = request("POST", CHAT if is_cacheable else "/v1/files", body, [("Expect", "100-continue")])
    async with proxying() as proxy:
        proxy.upstream.always(ok(completion()))
        client = await proxy.send(raw[: -len(body)])
        assert await client.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(body)
        assert (await client.reply()).status == 200
        assert proxy.upstream.asked[0].values(b"expect") == []


def encoded(coding: str, data: bytes) -> bytes:
    return {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": brotli.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }[coding](data)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_an_encoded_reply_passes_raw_and_replays_raw_or_decoded_as_the_client_can(
    coding: str, is_stream: bool
) -> None:
    plain = DONE if is_stream else completion(1, filler="x" * 5000)
    raw = encoded(coding, plain)
    if is_stream:
        cut = len(raw) // 2
        reply = SSE_HEAD[:-2] + b"Content-Encoding: %b\r\n\r\n" % coding.encode()
        reply += chunked(raw[:cut]) + chunked(raw[cut:]) + b"0\r\n\r\n"
    else:
        reply = ok(raw, f"Content-Encoding: {coding}")
    async with proxying() as proxy:
        proxy.upstream.always(reply)
        asks = {"stream": is_stream}
        first = await proxy.ask(chat(headers=[("Accept-Encoding", coding)], **asks))
        same = await proxy.ask(chat(headers=[("Accept-Encoding", f"identity;q=0.1, {coding}")], **asks))
        identity = await proxy.ask(chat(headers=[("Accept-Encoding", "identity")], **asks))
        silent = await proxy.ask(chat(**asks))
        assert [got.cache for got in (first, same, identity, silent)] == [b"miss", b"hit", b"hit", b"hit"]
        assert first.body == same.body == raw
        assert first.value(b"content-encoding") == same.value(b"content-encoding") == coding.encode()
        for got in (identity, silent):
            assert (got.body, got.value(b"content-encoding")) == (plain, None)
        assert [record["input_tokens"] for record in proxy.records] == [3, 3, 3, 3]


async def test_an_unencoded_upload_url_leads_back_to_the_proxy_the_client_knows() -> None:
    async with proxying("vertex_ai") as proxy:
        url = f"http://127.0.0.1:{proxy.upstream.port}/upload/v1beta/files?upload_id=u%2F1&upload_protocol=resumable"
        proxy.upstream.always(ok(b"{}", f"X-Goog-Upload-URL: {url}", "X-Goog-Upload-Status: active"))
        raw = request("POST", "/upload/v1beta/files", b"{}", [("X-Goog-Upload-Command", "start")])
        got = await proxy.ask(raw)
        expected = b"http://proxy.test:8001/upload/v1beta/files?upload_id=u%2F1&upload_protocol=resumable"
        assert got.value(b"x-goog-upload-url") == expected
        assert got.value(b"x-goog-upload-status") == b"active"


async def test_the_stock_httpx_client_reads_what_the_proxy_passes_on() -> None:
    async with proxying() as proxy:
        proxy.upstream.always(ok(encoded("gzip", completion()), "Content-Encoding: gzip"))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{proxy.port}") as client:
            replies = [await client.post(CHAT, json={"model": "m"}) for _ in range(2)]
        assert [reply.content for reply in replies] == [completion()] * 2
        assert [reply.headers["x-rubberduck-cache"] for reply in replies] == ["miss", "hit"]
