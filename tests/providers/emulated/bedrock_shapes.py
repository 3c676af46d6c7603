"""Bedrock's replies held against the service models that botocore brings, more strictly than its parser does."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
import orjson
from botocore.model import ServiceModel, Shape

from providers.emulated.base import EmulatedReply
from providers.wire.event_stream import FrameSplitter, parse
from tests.providers.emulated.asking import Asker, whole

CLAUDE = "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0"
_PADDING = "p"  # Bedrock's own, in no model


@cache
def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


def faults_of(reply: Any, operation: str, name: str = "bedrock-runtime") -> list[str]:
    """What is wrong with the JSON of a whole reply."""
    shape = service(name).operation_model(operation).output_shape
    return list(_faults(reply, shape, "$"))


def event_faults(event: Mapping[str, Any], operation: str = "ConverseStream") -> list[str]:
    """What is wrong with an event: `{name: JSON}`."""
    (name,) = event
    stream = service("bedrock-runtime").operation_model(operation).get_event_stream_output()
    return list(_faults(event[name], stream.members[name], name))


def _faults(value: Any, shape: Shape, at: str) -> Iterator[str]:
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return
    if kind == "structure":
        if not isinstance(value, dict):
            yield f"{at}: {value!r} is no object"
            return
        yield from [f"{at}: lacks {name}" for name in shape.required_members if name not in value]
        yield from [f"{at}: has {name}" for name in value if name not in shape.members and name != _PADDING]
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            yield f"{at}: sets {sorted(value)}"
        for name, member in shape.members.items():
            if name in value:
                yield from _faults(value[name], member, f"{at}.{name}")
    elif kind == "list":
        for number, entry in enumerate(value):
            yield from _faults(entry, shape.member, f"{at}[{number}]")
    elif kind == "map":
        for name, entry in value.items():
            yield from _faults(entry, shape.value, f"{at}.{name}")
    elif kind == "string":
        if not isinstance(value, str):
            yield f"{at}: {value!r} is no text"
        elif getattr(shape, "enum", None) and value not in shape.enum and value != "INFERENCE_PROFILE":
            yield f"{at}: {value!r} is not in {shape.enum}"  # that one value is newer than the service's model
        elif len(value) > shape.metadata.get("max", len(value)) or len(value) < shape.metadata.get("min", 0):
            yield f"{at}: {value!r} has a length of {len(value)}"
    elif kind in ("integer", "long") and type(value) is not int:
        yield f"{at}: {value!r} is no integer"
    elif kind in ("float", "double") and type(value) not in (int, float):
        yield f"{at}: {value!r} is no number"
    elif kind == "boolean" and type(value) is not bool:
        yield f"{at}: {value!r} is no boolean"


def events_of(reply: EmulatedReply) -> list[dict[str, Any]]:
    """The events of a stream, `{name: JSON}`; FrameError for a wrong checksum."""
    splitter = FrameSplitter()
    frames = [parse(frame) for frame in splitter.feed(whole(reply))]
    assert splitter.pending_bytes == 0
    assert {frame.message_type for frame in frames} == {"event"}
    return [{frame.event_type: orjson.loads(frame.payload)} for frame in frames]


def chunks_of(reply: EmulatedReply) -> list[dict[str, Any]]:
    """The model's own events in a stream of InvokeModel."""
    return [orjson.loads(b64decode(event["chunk"]["bytes"], validate=True)) for event in events_of(reply)]


def assembled(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The reply that ConverseStream's events add up to, as Converse would give it."""
    blocks: dict[int, dict[str, Any]] = {}
    reply: dict[str, Any] = {}
    for event in events:
        ((name, data),) = event.items()
        if name == "contentBlockStart":
            blocks[data["contentBlockIndex"]] = {"toolUse": {**data["start"]["toolUse"], "input": ""}}
        elif name == "contentBlockDelta":
            _grow(blocks.setdefault(data["contentBlockIndex"], {}), data["delta"])
        elif name == "messageStop" or name == "metadata":
            reply |= {member: value for member, value in data.items() if member != _PADDING}
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = orjson.loads(block["toolUse"]["input"] or "{}")
    content = [blocks[index] for index in sorted(blocks)]
    return reply | {"output": {"message": {"role": "assistant", "content": content}}}


def _grow(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    else:
        thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
        thought["text"] += delta["reasoningContent"].get("text", "")
        if "signature" in delta["reasoningContent"]:
            thought["signature"] = delta["reasoningContent"]["signature"]


def user(*content: Any) -> dict[str, Any]:
    """A message of the user: texts and blocks."""
    return {"role": "user", "content": [{"text": part} if isinstance(part, str) else part for part in content]}


def assistant(*content: Any) -> dict[str, Any]:
    return user(*content) | {"role": "assistant"}


def tool(name: str, properties: Mapping[str, Any] | None = None, required: Iterable[str] = ()) -> dict[str, Any]:
    """A tool on offer, as Converse takes it."""
    schema = {"type": "object", "properties": properties or {}, "required": list(required)}
    return {"toolSpec": {"name": name, "description": f"The {name} tool", "inputSchema": {"json": schema}}}


WEATHER = tool("get_weather", {"city": {"type": "string"}}, ["city"])


def refusal(asker: Asker, body: Any, target: str = f"{CLAUDE}/converse") -> str:
    """The message of the 400 that a body gets."""
    reply = asker.send("POST", target, body)
    assert (reply.status, dict(reply.headers)[b"x-amzn-errortype"]) == (400, b"ValidationException"), whole(reply)
    return str(orjson.loads(whole(reply))["message"])
