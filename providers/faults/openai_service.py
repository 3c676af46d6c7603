"""How every service that speaks OpenAI's dialect fails inside a stream, and which of its replies can be spoilt."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import orjson

from providers.base import Header
from providers.faults.base import Asked, Edit, ProviderFaults, Reason, ReplyEditor, Wanted
from providers.faults.replies.openai_chat import ChatEditor
from providers.faults.replies.openai_completions import CompletionsEditor
from providers.faults.replies.openai_responses import ResponsesEditor
from providers.wire.sse import encode, events

JSON: Header = (b"content-type", b"application/json")

# Source: openai-python 3.54.0 `types/responses`, `types/image_gen_stream_event.py`, `types/audio`, read November 2026.
_ENDS = frozenset(
    {
        "response.completed", "response.incomplete", "response.failed", "image_generation.completed",
        "image_edit.completed", "transcript.text.done", "speech.audio.done",
    }
)  # fmt: skip
_TYPED_FLAVORS = frozenset({"images", "transcription", "speech"})

_EDITORS: Mapping[str, type[ChatEditor | CompletionsEditor | ResponsesEditor]] = {
    "chat.completions": ChatEditor,
    "completions": CompletionsEditor,
    "responses": ResponsesEditor,
}


class OpenAIServiceFaults(ProviderFaults):
    """What the services have in common."""

    @abstractmethod
    def told(self, asked: Asked, status: int | None, reason: Reason | None, message: str | None) -> dict[str, Any]:
        """The `error` object of a stream; neither status nor reason: an error of the server."""

    def make_stream_error(self, asked: Asked, content_type: bytes, wanted: Wanted) -> bytes:
        status, reason, message, *_ = wanted
        # The Responses API documents a flat `error` event, and sends a nested one: the SDK raises for that alone.
        # Source: openai-python 3.54.0 `_streaming.py`, and a recorded stream of a request without quota in a public
        # repository, read November 2026.
        error = self.told(asked, status, reason, message)
        operation = asked.call.operation
        flavor = operation.flavor if operation is not None else ""
        if flavor == "responses" or (operation is not None and operation.name == "responses.retrieve"):
            error = {name: error.get(name) for name in ("type", "code", "message", "param")}
            body = {"type": "error", "sequence_number": asked.events_sent, "error": error}
            return encode(orjson.dumps(body), "error")
        if flavor in _TYPED_FLAVORS:
            return encode(orjson.dumps({"type": "error", "error": error}), "error")
        return encode(orjson.dumps({"error": error}))

    def is_terminator(self, asked: Asked, event: bytes) -> bool:
        for frame in events(event):
            if frame.data.startswith(b"[DONE]") or frame.name in _ENDS:
                return True
            if any(end.encode() in frame.data for end in _ENDS):
                return frame.object().get("type") in _ENDS
        return False

    def editor(self, asked: Asked, edit: Edit, content_type: bytes, text: str | None = None) -> ReplyEditor | None:
        operation = asked.call.operation
        made = _EDITORS.get(operation.name) if operation is not None else None
        if made is None or (made is CompletionsEditor and edit is Edit.INVALID_TOOL_ARGUMENTS):
            return None
        return made(edit, text)


def retry_headers(wait_s: float) -> list[Header]:
    """How long a client is told to wait."""
    return [
        (b"retry-after", b"%d" % math.ceil(wait_s)),
        (b"retry-after-ms", b"%d" % math.ceil(wait_s * 1000)),
    ]


def error_page(status: int, title: str, server: str) -> bytes:
    """What a server in front of the service says when the service does not."""
    return (
        f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1>"
        f"</center>\r\n<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
    ).encode()
