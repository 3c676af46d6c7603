"""What the editors of OpenAI's replies share."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.faults.base import Edit
from providers.faults.replies.openai_chat import ChatEditor
from providers.faults.replies.openai_chunks import cut_short, half, words


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
    )
)
def test_arguments_that_are_cut_short_are_no_json(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1) + " \n", ""):
        with pytest.raises(json.JSONDecodeError):
            json.loads(cut_short(text))


def test_half_of_a_text_is_its_beginning() -> None:
    assert [half(text) for text in ("", "a", "ab", "abcde")] == ["", "", "a", "ab"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices": 1}', b'{"choices": []}', b'{"choices": [null]}'])
@pytest.mark.parametrize("edit", Edit)
def test_what_is_no_reply_with_choices_stays_as_it_is(body: bytes, edit: Edit) -> None:
    editor = ChatEditor(edit)
    assert editor.whole(body) is None
    event = b"data: " + body + b"\n\n"
    assert list(editor.event(event)) == [event]
    assert not editor.has_edited
