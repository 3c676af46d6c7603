"""Lists, page by page."""

from __future__ import annotations

import pytest

from providers.emulated.base import Refused
from providers.emulated.dialects.anthropic_pages import Page, next_page, page_reply, read_page, read_query
from tests.providers.emulated.anthropic_asking import PlainShape
from tests.providers.emulated.asking import whole

LETTERS = [{"id": letter} for letter in "abcdef"]


def ids(page: Page) -> str:
    return "".join(each["id"] for each in page_reply(LETTERS, page)["data"])


@pytest.mark.parametrize(
    ("page", "expected", "has_more"),
    [
        (Page(20), "abcdef", False),
        (Page(6), "abcdef", False),
        (Page(2), "ab", True),
        (Page(2, after="b"), "cd", True),
        (Page(2, after="d"), "ef", False),
        (Page(2, after="f"), "", False),
        (Page(2, after="unknown"), "", False),
        (Page(2, before="d"), "bc", True),
        (Page(9, before="d"), "abc", False),
        (Page(2, before="unknown"), "", False),
    ],
)
def test_a_page_lies_next_to_what_it_is_asked_for(page: Page, expected: str, has_more: bool) -> None:
    reply = page_reply(LETTERS, page)
    assert (ids(page), reply["has_more"]) == (expected, has_more)
    assert (reply["first_id"], reply["last_id"]) == (expected[:1] or None, expected[-1:] or None)
    assert next_page(reply) == (f"page_{expected[-1]}" if has_more else None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (b"limit=0", "limit: Input should be greater than or equal to 1"),
        (b"limit=-3", "limit: Input should be greater than or equal to 1"),
        (b"limit=1001", "limit: Input should be less than or equal to 1000"),
        (b"limit=many", "limit: Input should be a valid integer, unable to parse string as an integer"),
        (b"limit=--5", "limit: Input should be a valid integer, unable to parse string as an integer"),
        (b"limit=", "limit: Input should be a valid integer, unable to parse string as an integer"),
        (b"after_id=a&before_id=b", "Only one of before_id and after_id may be provided"),
        (b"page=x", "page: Invalid page token"),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: bytes, message: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_page(read_query(query), PlainShape())
    assert whole(refusal.value.reply).decode() == message


def test_a_token_stands_for_the_object_before_the_page() -> None:
    assert read_page(read_query(b"page=page_b&limit=2"), PlainShape()) == Page(2, after="b")
    assert read_page({}, PlainShape()) == Page(20)
