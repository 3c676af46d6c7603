"""Single content blocks."""

from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.base import Refused
from providers.emulated.dialects.anthropic_blocks import check_document, check_image, result_text, search_texts
from tests.providers.emulated.anthropic_asking import PlainShape
from tests.providers.emulated.asking import whole

SHAPE = PlainShape()
IMAGE = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ({"type": "text", "media_type": "text/plain", "data": "A note."}, ["A note."]),
        ({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, []),
        ({"type": "content", "content": "A part."}, ["A part."]),
        ({"type": "content", "content": [text("One"), IMAGE, text("Two")]}, ["One\nTwo"]),
        ({"type": "url", "url": "https://example.com/a.pdf"}, []),
        ({"type": "file", "file_id": "file_1"}, []),
    ],
)
def test_of_a_document_the_plain_texts_are_read(source: dict[str, Any], texts: list[str]) -> None:
    assert check_document(SHAPE, {"source": source}, "here") == texts


@pytest.mark.parametrize(
    ("check", "block", "message"),
    [
        (check_image, {"source": "x"}, "here.source: Input should be an object"),
        (check_image, {"source": {"type": "file"}}, "here.source.file.file_id: Field required"),
        (
            check_image,
            {"source": {"type": "base64", "media_type": "image/png", "data": ""}},
            "here.source.base64.data: String should have at least 1 character",
        ),
        (check_document, {}, "here.source: Field required"),
        (
            check_document,
            {"source": {"type": "gif"}},
            "here.source: Input tag 'gif' found using 'type' does not match any of the expected tags: 'base64', "
            "'content', 'file', 'text', 'url'",
        ),
        (check_document, {"source": {"type": "url"}}, "here.source.url.url: Field required"),
        (search_texts, {"source": "s", "title": "t"}, "here.content: Field required"),
        (search_texts, {"source": "s", "title": "t", "content": "c"}, "here.content: Input should be a valid list"),
    ],
)
def test_a_block_that_lacks_something_is_refused(check: Any, block: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refusal:
        check(SHAPE, block, "here")
    assert whole(refusal.value.reply).decode() == message


@pytest.mark.parametrize(
    ("content", "expected", "attachments"),
    [
        (None, "", []),
        ("12 degrees", "12 degrees", []),
        ([], "", []),
        ([text("12"), text("degrees")], "12\ndegrees", []),
        ([text("Look:"), IMAGE], "Look:", ["image"]),
        ([{"type": "search_result", "source": "s", "title": "T", "content": [text("C")]}], "T\nC", []),
        ([{"type": "tool_reference", "tool_name": "x"}], "", []),
    ],
)
def test_of_a_tools_result_the_texts_are_read(content: Any, expected: str, attachments: list[str]) -> None:
    found: list[str] = []
    assert result_text(SHAPE, content, "here", found) == expected
    assert found == attachments
