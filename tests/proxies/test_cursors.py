"""Cursors lead back to the place they were written for, and to no other."""

from __future__ import annotations

import base64

import pytest

from proxies.cursors import MAX_CURSOR, read_cursor, write_cursor
from proxies.errors import Invalid


@pytest.mark.parametrize(
    "place", [("ä/b?", 1), ("", 2**63 - 1), (("\u0390" * 100).casefold(), 2**63 - 1), ("🦆" * 100, 1)]
)
def test_a_cursor_leads_to_its_place(place: tuple[str, int]) -> None:
    cursor = write_cursor("name", *place)
    assert read_cursor(cursor, "name", str, int) == place
    assert "=" not in cursor
    assert len(cursor) <= MAX_CURSOR


def test_no_cursor_is_the_beginning() -> None:
    assert read_cursor("", "name", str, int) is None


@pytest.mark.parametrize(
    "text", ["?", "W10", "[]", '["name"]', '["name",1,2]', '["name","a",true]', '["x","a",1]', "{}", "["]
)
def test_what_is_no_cursor_of_this_list_is_refused(text: str) -> None:
    for cursor in (text, base64.urlsafe_b64encode(text.encode()).decode()):
        with pytest.raises(Invalid) as caught:
            read_cursor(cursor, "name", str, int)
        assert list(caught.value.fields) == ["cursor"]
