from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import Message, MessageTokensCount
from pydantic import TypeAdapter

from providers.base import BodyFacts
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.google_asking import LOCATION, message_of

ASKER = Asker("vertex_ai")
CLAUDE = f"{LOCATION}/publishers/anthropic/models/claude-sonnet-4-5@20250929"
BODY = {
    "anthropic_version": "vertex-2023-10-16",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Say hello."}],
}


def test_raw_predict_is_a_message() -> None:
    reply = ASKER.send("POST", f"{CLAUDE}:rawPredict", BODY)
    message = TypeAdapter(Message).validate_json(whole(reply))
    assert message.model == "claude-sonnet-4-5-20250929"
    assert message.id.startswith("msg_vrtx_")
    assert (header(reply, "request-id") or "").startswith("req_vrtx_")
    assert header(reply, "server") == "scaffolding on HTTPServer2"


@pytest.mark.parametrize(
    ("verb", "more", "streams"),
    [
        ("streamRawPredict", {}, True),
        ("streamRawPredict", {"stream": True}, True),
        ("streamRawPredict", {"stream": False}, False),
        ("rawPredict", {"stream": True}, True),
        ("rawPredict", {}, False),
    ],
)
def test_the_path_and_the_body_say_whether_it_streams(verb: str, more: dict[str, Any], streams: bool) -> None:
    reply = ASKER.send("POST", f"{CLAUDE}:{verb}", BODY | more)
    assert reply.status == 200
    assert (header(reply, "content-type") == "text/event-stream") is streams
    assert whole(reply).startswith(b"event: message_start" if streams else b"{")


def test_counted_tokens_are_the_usage() -> None:
    path = f"{LOCATION}/publishers/anthropic/models/count-tokens:rawPredict"
    body = {name: value for name, value in BODY.items() if name != "max_tokens"}
    counted = TypeAdapter(MessageTokensCount).validate_json(
        whole(ASKER.send("POST", path, body | {"model": "claude-sonnet-4-5@20250929"}))
    )
    message = ASKER.json("POST", f"{CLAUDE}:rawPredict", BODY)
    assert counted.input_tokens == message["usage"]["input_tokens"] > 0
    refused = orjson.loads(whole(ASKER.send("POST", path, body)))
    assert refused["error"]["message"] == "model: Field required"


@pytest.mark.parametrize("verb", ["rawPredict", "streamRawPredict"])
def test_usage_is_what_the_log_reads(verb: str) -> None:
    reply = ASKER.send("POST", f"{CLAUDE}:{verb}", BODY)
    call = PROVIDER.match("POST", f"{CLAUDE}:{verb}".encode())
    reader = PROVIDER.usage_reader(call, BodyFacts(is_streaming=verb != "rawPredict"), 200, reply.headers)
    assert reader is not None
    reader.feed(whole(reply))
    usage = reader.finish()
    assert reader.is_whole
    assert (usage.input_tokens or 0) > 0
    assert (usage.output_tokens or 0) > 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({**BODY, "anthropic_version": None}, "anthropic_version: Field required"),
        ({**BODY, "anthropic_version": "2023-06-01"}, "anthropic_version: Input should be"),
        ({**BODY, "model": "claude"}, "model: Extra inputs are not permitted"),
        ({"anthropic_version": "vertex-2023-10-16", "messages": BODY["messages"]}, "max_tokens: Field required"),
        ([], "Input should be an object"),
    ],
)
def test_refusals_are_anthropics(body: Any, message: str) -> None:
    reply = ASKER.send("POST", f"{CLAUDE}:rawPredict", body)
    assert reply.status == 400
    error = orjson.loads(whole(reply))
    assert error["type"] == "error"
    assert error["error"]["type"] == "invalid_request_error"
    assert error["error"]["message"].startswith(message)
    assert error["request_id"].startswith("req_vrtx_")


def test_a_strict_proxy_knows_anthropics_models() -> None:
    strict = Asker("vertex_ai", is_strict=True)
    assert strict.send("POST", f"{CLAUDE}:rawPredict", BODY).status == 200
    refused = strict.send("POST", f"{LOCATION}/publishers/anthropic/models/claude-99:rawPredict", BODY)
    assert message_of(refused, 404).startswith("Publisher Model `publishers/anthropic/models/claude-99` was not found")
