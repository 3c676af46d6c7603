"""The transport that answers by itself: what it hands to the emulator, how it paces the reply, and what it leaves to
the network."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from providers.base import EMULATED
from providers.registry import get_provider
from proxies.dataplane import emulated_transport
from proxies.dataplane.config import EmulationConfig, ProxyConfig
from proxies.dataplane.emulated_transport import EmulatedTransport, Pace
from proxies.dataplane.reply_body import TransportResponse
from proxies.dataplane.transport import TransportRequest

CHAT = b"/v1/chat/completions"
KEY = (b"Authorization", b"Bearer sk-test")


class Network(httpx.AsyncBaseTransport):
    """The other side: remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return httpx.Response(204)


class Chunks(httpx.AsyncByteStream):
    """A request body that arrives in parts."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def config(**emulation: Any) -> ProxyConfig:
    provider = get_provider("openai")
    return ProxyConfig(1, "x", provider, "127.0.0.1", 8001, upstream=EMULATED, emulation=EmulationConfig(**emulation))


def chat(**members: Any) -> bytes:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}], **members}
    return orjson.dumps(body)


def request(
    body: bytes | httpx.AsyncByteStream, target: bytes = CHAT, headers: tuple[tuple[bytes, bytes], ...] = (KEY,)
) -> TransportRequest:
    stream = httpx.ByteStream(body) if isinstance(body, bytes) else body
    url = httpx.URL(scheme="emulated", host="emulated", port=80, path="/")
    given = [(b"Host", b"emulated"), (b"Content-Type", b"application/json"), *headers]
    fields = {name.lower(): value for name, value in given} | {b"host": b"proxy.test:8001"}
    extensions: dict[str, Any] = {"target": target, "timeout": {}, "client_fields": fields}
    extensions["request_id"] = "01997a00-0000-7000-8000-000000000001"
    return TransportRequest("POST", url, given, stream, extensions)


async def answer(transport: EmulatedTransport, asked: TransportRequest) -> TransportResponse:
    response = await transport.handle_async_request(asked)
    assert isinstance(response, TransportResponse)
    return response


async def body_of(response: httpx.Response) -> bytes:
    whole: bytes | None = getattr(response.stream, "body_complete", None)
    if whole is not None:
        return whole
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return b"".join([chunk async for chunk in response.stream])


async def test_a_whole_reply_is_there_with_its_head_and_says_its_length() -> None:
    response = await answer(EmulatedTransport(config(), Network()), request(chat()))
    body = await body_of(response)
    assert response.status_code == 200
    assert orjson.loads(body)["object"] == "chat.completion"
    assert response.headers["content-length"] == str(len(body))
    assert response.extensions["is_repeatable"] is True


async def test_a_streamed_reply_comes_frame_by_frame_without_a_length() -> None:
    response = await answer(EmulatedTransport(config(), Network()), request(chat(stream=True)))
    assert isinstance(response.stream, httpx.AsyncByteStream)
    chunks = [chunk async for chunk in response.stream]
    assert "content-length" not in response.headers
    assert len(chunks) > 3
    assert all(chunk.endswith(b"\n\n") for chunk in chunks)
    assert chunks[-1] == b"data: [DONE]\n\n"


async def test_what_is_not_for_the_emulated_upstream_goes_to_the_network() -> None:
    network = Network()
    transport = EmulatedTransport(config(), network)
    response = await transport.handle_async_request(httpx.Request("GET", "http://127.0.0.1:1/x"))
    await transport.handle_async_request(httpx.Request("GET", "http://emulated/x"))
    assert response.status_code == 204
    assert network.asked == ["http://127.0.0.1:1/x", "http://emulated/x"]


async def test_a_body_that_arrives_in_parts_is_read_as_a_whole() -> None:
    body = chat()
    transport = EmulatedTransport(config(), Network())
    parts = await answer(transport, request(Chunks(body[:10], body[10:])))
    whole = await answer(transport, request(body))
    assert await body_of(parts) == await body_of(whole)


async def test_a_body_too_long_to_keep_is_refused_as_the_provider_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated_transport, "MAX_BODY_BYTES", 100)
    response = await answer(EmulatedTransport(config(), Network()), request(Chunks(b"x" * 60, b"x" * 60)))
    assert response.status_code == 413
    assert "message" in orjson.loads(await body_of(response))["error"]


async def test_the_clients_headers_arrive_and_a_missing_credential_is_noticed() -> None:
    transport = EmulatedTransport(config(), Network())
    assert (await answer(transport, request(chat()))).status_code == 200
    assert (await answer(transport, request(chat(), headers=()))).status_code == 401


async def test_new_settings_hold_for_the_next_request_and_memories_stay() -> None:
    transport = EmulatedTransport(config(), Network())
    stored = orjson.loads(await body_of(await answer(transport, request(chat(store=True)))))["id"]
    odd = request(chat(model="no-such-model"))
    assert (await answer(transport, odd)).status_code == 200
    transport.swap(config(is_strict=True))
    assert (await answer(transport, odd)).status_code == 404
    kept = request(b"", f"/v1/chat/completions/{stored}".encode())
    kept.method = "GET"
    assert (await answer(transport, kept)).status_code == 200


async def test_a_request_that_comes_again_gets_the_same_body_in_a_head_of_its_own() -> None:
    transport = EmulatedTransport(config(), Network())
    responses = []
    for number in range(4):
        asked = request(chat())
        asked.extensions["request_id"] = f"01997a00-0000-7000-8000-{number:012x}"
        responses.append(await answer(transport, asked))
    bodies = [await body_of(response) for response in responses]
    assert bodies[0] == bodies[1] == bodies[3]
    assert bodies[2] is bodies[3]  # kept, not made
    assert len({response.headers["x-request-id"] for response in responses}) == 4
    assert {response.headers["content-length"] for response in responses} == {str(len(bodies[0]))}


async def test_a_reply_that_is_given_again_is_paced_like_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr(emulated_transport.asyncio, "sleep", sleep)
    monkeypatch.setattr(emulated_transport, "monotonic", lambda: 100.0)
    transport = EmulatedTransport(config(ttft_s=2.0, tokens_per_s=10), Network())
    for _ in range(4):
        await body_of(await answer(transport, request(chat(stream=True))))
    assert len(slept) % 4 == 0
    share = len(slept) // 4
    assert slept[:share] == slept[share : 2 * share] == slept[-share:]


def test_pace_counts_the_time_of_tokens_from_the_beginning() -> None:
    pace = Pace(EmulationConfig(tokens_per_s=50), b"")
    pace.add(0.5)
    for _ in range(10):
        pace.add_tokens(1)
    assert pace.due_s == pytest.approx(0.7)


def test_without_a_pace_tokens_take_no_time() -> None:
    pace = Pace(EmulationConfig(), b"")
    pace.add_tokens(1000)
    assert pace.due_s == 0


def test_jitter_varies_every_wait_within_its_share_and_the_same_for_the_same_request() -> None:
    def waits(seed: bytes) -> list[float]:
        pace = Pace(EmulationConfig(tokens_per_s=10, jitter=0.5), seed)
        found = []
        for _ in range(50):
            before = pace.due_s
            pace.add_tokens(1)
            found.append(pace.due_s - before)
        return found

    assert all(0.05 - 1e-9 <= wait <= 0.15 + 1e-9 for wait in waits(b"one"))
    assert len(set(waits(b"one"))) > 40
    assert waits(b"one") == waits(b"one") != waits(b"two")


async def test_a_reply_takes_the_time_of_its_first_token_and_of_all_its_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr(emulated_transport.asyncio, "sleep", sleep)
    monkeypatch.setattr(emulated_transport, "monotonic", lambda: 100.0)
    transport = EmulatedTransport(config(ttft_s=2.0, tokens_per_s=10), Network())
    usage = orjson.loads(await body_of(await answer(transport, request(chat()))))["usage"]
    assert slept == [pytest.approx(2.0 + usage["completion_tokens"] / 10)]
    slept.clear()
    streamed = await answer(transport, request(chat(stream=True)))
    assert slept == [2.0]
    await body_of(streamed)
    assert slept == sorted(slept)
    assert slept[-1] == pytest.approx(2.0 + usage["completion_tokens"] / 10)


async def test_an_error_does_not_wait_for_a_first_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(delay_s: float) -> None:
        raise AssertionError(f"slept {delay_s} s")

    monkeypatch.setattr(emulated_transport.asyncio, "sleep", sleep)
    transport = EmulatedTransport(dataclasses.replace(config(ttft_s=9.0)), Network())
    assert (await answer(transport, request(b"{"))).status_code == 400
