"""Reads single content blocks of an Anthropic request: images, documents, search results, results of tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_errors import ErrorShape

_IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def check_image(shape: ErrorShape, block: Mapping[str, Any], place: str) -> None:
    source = fields.mapping(shape, fields.required(shape, block, "source", place + "."), f"{place}.source")
    kind = fields.tag(shape, source, f"{place}.source", ("base64", "url", "file"))
    within = f"{place}.source.{kind}"
    if kind == "base64":
        media_type = fields.required(shape, source, "media_type", within + ".")
        fields.one_of(shape, media_type, f"{within}.media_type", _IMAGE_TYPES)
        fields.filled_text(shape, fields.required(shape, source, "data", within + "."), f"{within}.data")
    else:
        name = "url" if kind == "url" else "file_id"
        fields.filled_text(shape, fields.required(shape, source, name, within + "."), f"{within}.{name}")


def check_document(shape: ErrorShape, block: Mapping[str, Any], place: str) -> list[str]:
    """The texts that can be read in the document itself."""
    source = fields.mapping(shape, fields.required(shape, block, "source", place + "."), f"{place}.source")
    kind = fields.tag(shape, source, f"{place}.source", ("base64", "content", "file", "text", "url"))
    within = f"{place}.source.{kind}"
    if kind in ("base64", "text"):
        expected = "application/pdf" if kind == "base64" else "text/plain"
        media_type = fields.required(shape, source, "media_type", within + ".")
        fields.one_of(shape, media_type, f"{within}.media_type", (expected,))
        data = fields.text(shape, fields.required(shape, source, "data", within + "."), f"{within}.data")
        return [data] if kind == "text" and data else []
    if kind == "content":
        content = fields.required(shape, source, "content", within + ".")
        return [said] if (said := result_text(shape, content, f"{within}.content", [])) else []
    name = "url" if kind == "url" else "file_id"
    fields.filled_text(shape, fields.required(shape, source, name, within + "."), f"{within}.{name}")
    return []


def search_texts(shape: ErrorShape, block: Mapping[str, Any], place: str) -> list[str]:
    """The texts of a search result the client has made itself."""
    fields.text(shape, fields.required(shape, block, "source", place + "."), f"{place}.source")
    title = fields.text(shape, fields.required(shape, block, "title", place + "."), f"{place}.title")
    content = fields.required(shape, block, "content", place + ".")
    said = result_text(shape, fields.sequence(shape, content, f"{place}.content"), f"{place}.content", [])
    return [part for part in (title, said) if part]


def result_text(shape: ErrorShape, content: Any, place: str, attachments: list[str]) -> str:
    """The text of what a tool came back with: a text, blocks, or nothing. What else it holds goes to `attachments`."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    texts = []
    for position, block in enumerate(fields.sequence(shape, content, place)):
        here = f"{place}.{position}"
        block = fields.mapping(shape, block, here)
        kind = fields.tag(shape, block, here, RESULT_BLOCKS)
        within = f"{here}.{kind}"
        if kind == "text":
            said = fields.required(shape, block, "text", within + ".")
            texts.append(fields.text(shape, said, f"{within}.text"))
        elif kind == "image":
            check_image(shape, block, within)
            attachments.append("image")
        elif kind == "document":
            texts += check_document(shape, block, within)
            attachments.append("document")
        elif kind == "search_result":
            texts += search_texts(shape, block, within)
    return "\n".join(texts)


RESULT_BLOCKS = frozenset({"text", "image", "document", "search_result", "tool_reference", "browser_state"})
"""Kinds of content blocks that a tool result may hold."""
