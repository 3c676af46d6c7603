"""What the faults of an answer's meaning have in common: the provider's editor rewrites the reply, whole or event by
event."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from providers.faults.base import Edit, ReplyEditor
from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage
from proxies.dataplane.faults.events import Framing, without_comma
from proxies.dataplane.faults.stream import Stream, content_type, framing_of, replace_body


@dataclass(frozen=True)
class Editing(Fault):
    """A fault that makes another answer of an answer, as the provider itself would say it. Subclasses name the
    `edit`."""

    stage = Stage.DAMAGE
    order = 10
    edit: ClassVar[Edit]

    @property
    def words(self) -> str | None:
        """What the edited answer says; None for what is usual."""
        return None

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        body = reply.body
        editor = injection.dialect.editor(injection.asked, self.edit, content_type(reply), self.words)
        if editor is None:
            return None
        kind = framing_of(reply, injection.exchange)
        if kind is Framing.CHUNKS:
            return None
        if kind is not None:
            edit = _edited_array if kind is Framing.JSON_ARRAY else _edited
            stream = Stream(reply, kind, injection)
            return replace_body(reply, edit(stream, editor), stream.events)
        edited = editor.whole(body) if isinstance(body, bytes) else None  # else no JSON, or too much of it
        if edited is None:
            return None
        injection.note()
        reply.body = edited
        length = b"content-length"
        reply.headers = [
            (name, b"%d" % len(edited)) if name.lower() == length else (name, value) for name, value in reply.headers
        ]
        return reply


async def _edited(stream: Stream, editor: ReplyEditor) -> AsyncGenerator[bytes, None]:
    async for piece in stream:
        for event in editor.event(piece) if stream.is_event(piece) else (piece,):
            yield event
        _note(editor, stream.injection)
    for event in editor.finish():
        yield event
    _note(editor, stream.injection)


async def _edited_array(stream: Stream, editor: ReplyEditor) -> AsyncGenerator[bytes, None]:
    """The elements of a JSON array go to the editor alone and come back into an array."""
    is_empty = True
    async for piece in stream:
        element = without_comma(piece)
        before = opening = piece.removesuffix(element)
        is_end = stream.is_end(piece)
        if not is_end and not stream.is_event(piece):
            yield piece
            continue
        for one in editor.finish() if is_end else editor.event(element):
            mark = b"[" if is_empty else b","
            yield (opening if mark in opening else mark) + one
            is_empty, opening = False, b""
        if is_end:
            yield (b"[" if is_empty else b"") + before.replace(b"[", b"") + element
        _note(editor, stream.injection)


def _note(editor: ReplyEditor, injection: Injection) -> None:
    if editor.has_edited:
        injection.note()
