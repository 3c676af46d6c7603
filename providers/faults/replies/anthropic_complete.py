"""Edits of Anthropic's legacy text completions: refused, cut off, empty. There are no tools in them.

Source: anthropic-sdk-python 0.125.0 `types/completion.py`, read November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from providers.faults.base import Edit
from providers.faults.replies.halves import Halves
from providers.wire import sse

_REFUSAL = " I apologize, but I cannot assist with that request."


class CompletionEditor:
    """A ReplyEditor for JSON and server-sent events. A refusal is nothing but its words: there is no stop reason for
    it."""

    def __init__(self, edit: Edit, text: str | None = None) -> None:
        self.has_edited = False
        self._cuts = edit is Edit.LENGTH
        self._words = (_REFUSAL if text is None else text) if edit is Edit.REFUSAL else ""
        self._stop_reason = "max_tokens" if self._cuts else "stop_sequence"
        self._halves: Halves[dict[str, Any]] = Halves()

    def whole(self, body: bytes) -> bytes | None:
        completion = sse.Event("", body).object()
        if not isinstance(completion.get("completion"), str):
            return None
        self.has_edited = True
        return orjson.dumps(self._ended(completion, completion["completion"]))

    def event(self, event: bytes) -> Sequence[bytes]:
        parsed = next(sse.events(event), None)
        body = parsed.object() if parsed is not None else {}
        if not isinstance(body.get("completion"), str):
            return (event,)
        self.has_edited = True
        if body.get("stop_reason") is not None:
            only = self._halves.next() if self._halves.count == 1 else None
            return (_frame(self._ended(body, only["completion"] if only else "")),)
        if not self._cuts:
            return ()
        return [_frame(one) for one in self._halves.add(body)]

    def finish(self) -> Sequence[bytes]:
        return ()

    def _ended(self, completion: dict[str, Any], said: str) -> dict[str, Any]:
        """The last, or only, completion. `said`: of which the first half stays if it is cut off."""
        told = said[: len(said) // 2] if self._cuts else self._words
        stop = None if self._cuts else completion.get("stop")
        return completion | {"completion": told, "stop_reason": self._stop_reason, "stop": stop}


def _frame(body: dict[str, Any]) -> bytes:
    return sse.encode(orjson.dumps(body), "completion")
