"""Genuine-looking replies of Bedrock to spoil, and what an editor makes of them, read back strictly."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import orjson

from providers.bedrock import PROVIDER
from providers.faults.base import Asked, Edit
from providers.faults.bedrock import FAULTS
from providers.wire.event_stream import CONTENT_TYPE, FrameSplitter, parse
from tests.providers.emulated.asking import Asker, whole
from tests.providers.emulated.bedrock_shapes import WEATHER, user

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1%3A0"
STORY = "Tell me a long story about a boat."
REQUEST_ID = "01997a00-0000-7000-8000-000000000001"
CONVERSE = {"messages": [user(STORY)]}
TOOL = {
    "messages": [user("What is the weather in Paris?")],
    "toolConfig": {"tools": [WEATHER], "toolChoice": {"tool": {"name": "get_weather"}}},
}
THOUGHTFUL = CONVERSE | {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}}}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "claude": (
        CLAUDE,
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 300,
            "messages": [{"role": "user", "content": STORY}],
        },
    ),
    "nova": ("amazon.nova-lite-v1%3A0", {"messages": [user(STORY)]}),
    "titan": ("amazon.titan-text-express-v1", {"inputText": STORY}),
    "llama": ("meta.llama3-8b-instruct-v1%3A0", {"prompt": STORY}),
    "mistral": ("mistral.mistral-7b-instruct-v0%3A2", {"prompt": f"<s>[INST] {STORY} [/INST]"}),
    "mistral chat": ("mistral.mistral-large-2407-v1%3A0", {"messages": [{"role": "user", "content": STORY}]}),
    "deepseek": ("deepseek.r1-v1%3A0", {"prompt": STORY}),
    "command r": ("cohere.command-r-v1%3A0", {"message": STORY}),
    "first claude": (
        "anthropic.claude-v2", {"prompt": f"\n\nHuman: {STORY}\n\nAssistant:", "max_tokens_to_sample": 300},
    ),
    "chat": ("openai.gpt-oss-20b-1%3A0", {"messages": [{"role": "user", "content": STORY}]}),
}  # fmt: skip


def asked(path: str, **members: Any) -> Asked:
    return Asked(PROVIDER.match("POST", path.encode()), REQUEST_ID, 1_790_000_000.0, **members)


def genuine(path: str, body: dict[str, Any]) -> bytes:
    reply = Asker("bedrock").send("POST", path, body)
    assert reply.status == 200, whole(reply)
    return whole(reply)


def frames(body: bytes) -> list[bytes]:
    """The whole frames of a stream; FrameError when a checksum is wrong."""
    splitter = FrameSplitter()
    found = splitter.feed(body)
    assert splitter.pending_bytes == 0
    return found


def events(body: bytes) -> list[tuple[str, Any]]:
    """The kind and the JSON of every frame."""
    return [(frame.event_type, orjson.loads(frame.payload)) for frame in map(parse, frames(body))]


def chunks(body: bytes) -> list[dict[str, Any]]:
    """The model's own events in a stream of InvokeModel."""
    found = events(body)
    assert {name for name, _ in found} == {"chunk"}
    return [orjson.loads(b64decode(payload["bytes"], validate=True)) for _, payload in found]


def edited(path: str, body: dict[str, Any], edit: Edit, text: str | None = None) -> Any:
    """The JSON of an edited whole reply; None when there was nothing to edit."""
    editor = FAULTS.editor(asked(path), edit, b"application/json", text)
    assert editor is not None
    made = editor.whole(genuine(path, body))
    assert editor.has_edited is (made is not None)
    return None if made is None else orjson.loads(made)


def edited_stream(path: str, body: dict[str, Any], edit: Edit, text: str | None = None) -> tuple[bytes, bool]:
    """The bytes of an edited stream, and whether anything was edited."""
    editor = FAULTS.editor(asked(path, is_streaming=True), edit, CONTENT_TYPE, text)
    assert editor is not None
    sent = [piece for frame in frames(genuine(path, body)) for piece in editor.event(frame)]
    return b"".join([*sent, *editor.finish()]), editor.has_edited
