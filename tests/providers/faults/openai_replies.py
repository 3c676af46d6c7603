"""Replies of an emulated service that speaks OpenAI, and what an editor makes of them."""

from __future__ import annotations

from typing import Any

import orjson

from providers.faults.base import Asked, Edit, ReplyEditor
from providers.faults.registry import get_faults
from providers.wire import sse
from tests.providers.emulated.asking import Asker, whole

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
COMPLETIONS = "/v1/completions"
REQUEST_ID = "01997a00-0000-7000-8000-00000000abcd"


def asked(asker: Asker, target: str = CHAT, **fields: Any) -> Asked:
    path, _, query = target.encode().partition(b"?")
    return Asked(asker.provider.match("POST", path), REQUEST_ID, 1_790_000_000.0, query=query, **fields)


def editor_for(asker: Asker, target: str, edit: Edit, content_type: bytes, text: str | None = None) -> ReplyEditor:
    made = get_faults(asker.provider.id).editor(asked(asker, target), edit, content_type, text)
    assert made is not None
    return made


def frames(asker: Asker, target: str, body: dict[str, Any]) -> list[bytes]:
    """The events of a stream, framing included."""
    reply = asker.send("POST", target, body if "stream_format" in body else {**body, "stream": True})
    assert reply.status == 200, whole(reply)
    assert not isinstance(reply.body, bytes)
    return [frame.data for frame in reply.body]


def edited_frames(editor: ReplyEditor, events: list[bytes]) -> list[bytes]:
    made = [after for event in events for after in editor.event(event)]
    return [*made, *editor.finish()]


def edit_stream(
    asker: Asker, target: str, body: dict[str, Any], edit: Edit, text: str | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """The data of the events after an edit, without the end mark; and whether anything was edited."""
    editor = editor_for(asker, target, edit, b"text/event-stream; charset=utf-8", text)
    return datas(edited_frames(editor, frames(asker, target, body))), editor.has_edited


def datas(events: list[bytes]) -> list[dict[str, Any]]:
    found = []
    for event in events:
        assert event.endswith(b"\n\n")
        (read,) = sse.events(event)
        if read.data != b"[DONE]":
            found.append(orjson.loads(read.data))
            assert not read.name or read.name == found[-1]["type"]
    return found


def edit_whole(asker: Asker, target: str, body: dict[str, Any], edit: Edit, text: str | None = None) -> Any:
    """The reply after an edit, parsed; None when there was nothing to edit."""
    editor = editor_for(asker, target, edit, b"application/json", text)
    reply = asker.send("POST", target, body)
    assert reply.status == 200, whole(reply)
    edited = editor.whole(whole(reply))
    assert (edited is not None) == editor.has_edited
    return None if edited is None else orjson.loads(edited)
