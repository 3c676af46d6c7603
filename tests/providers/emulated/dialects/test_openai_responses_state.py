from __future__ import annotations

from typing import Any

import pytest

from providers.base import Call
from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_responses_state import list_of, page_of, path_ids, read_number
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.responses_asking import ask

ITEMS = [{"id": f"msg_{number}"} for number in range(30)]


def request(path: bytes = b"/v1/responses", query: bytes = b"") -> EmulatedRequest:
    return EmulatedRequest("GET", Call(None, path), query, {}, b"", 0.0, "0")


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["data"]]


def test_a_page_holds_the_newest_twenty() -> None:
    page = page_of(request(), ITEMS)
    assert ids(page) == [f"msg_{number}" for number in range(29, 9, -1)]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("msg_29", "msg_10", True)


def test_a_page_goes_on_after_an_item() -> None:
    assert ids(page_of(request(query=b"order=asc&limit=2&after=msg_27"), ITEMS)) == ["msg_28", "msg_29"]
    assert page_of(request(query=b"order=asc&limit=2&after=msg_27"), ITEMS)["has_more"] is False


@pytest.mark.parametrize("query", [b"limit=0", b"limit=101", b"limit=x", b"limit=-1", b"order=up", b"after=msg_x"])
def test_a_wrong_page_is_refused(query: bytes) -> None:
    with pytest.raises(Invalid):
        page_of(request(query=query), ITEMS)


def test_numbers_past_their_bounds_are_refused_in_the_words_of_the_api() -> None:
    with pytest.raises(Invalid) as refusal:
        read_number({"limit": "101"}, "limit", 20, 1, 100)
    assert refusal.value.code == "integer_above_max_value"
    assert refusal.value.message == (
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead."
    )


def test_an_empty_list_names_no_items() -> None:
    assert list_of([]) == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize("prefix", [b"/v1", b"/openai/v1", b"/openai"])
def test_ids_are_found_below_any_prefix(prefix: bytes) -> None:
    path = prefix + b"/conversations/conv%5F1/items/msg_2"
    assert path_ids(request(path), b"conversations") == ["conv_1", "items", "msg_2"]


def test_an_endless_chain_is_bounded_by_the_shelf() -> None:
    asker = Asker("openai")
    made = ask(asker, {"input": "Number 0"})
    for number in range(1, 60):
        made = ask(asker, {"input": f"Number {number}" * 50, "previous_response_id": made["id"]})
    last = asker.desk.shelf.get("openai.response", made["id"][-16:])
    assert last.size_bytes > 59 * len("Number 1" * 50)
    assert len(last.input_items()) == 60 + 59
