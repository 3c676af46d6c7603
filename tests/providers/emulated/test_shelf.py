"""The shelf: what is kept, in which order, and what is thrown away past its bounds."""

from __future__ import annotations

from providers.emulated.shelf import Shelf


def test_an_object_is_found_under_its_kind_and_key_until_it_is_removed() -> None:
    shelf = Shelf()
    shelf.put("file", "a", 1)
    shelf.put("batch", "a", 2)
    assert (shelf.get("file", "a"), shelf.get("batch", "a"), shelf.get("file", "b")) == (1, 2, None)
    assert shelf.remove("file", "a") == 1
    assert shelf.get("file", "a") is None
    assert shelf.remove("file", "a") is None


def test_objects_of_a_kind_come_oldest_first_and_a_replaced_one_is_the_newest() -> None:
    shelf = Shelf()
    for key in "abc":
        shelf.put("file", key, key)
    shelf.put("file", "a", "A")
    assert list(shelf.all("file")) == ["b", "c", "A"]


def test_the_oldest_go_when_there_are_too_many() -> None:
    shelf = Shelf(max_objects=2)
    for key in "abc":
        shelf.put("file", key, key)
    assert list(shelf.all("file")) == ["b", "c"]


def test_the_oldest_go_when_they_are_too_large_together() -> None:
    shelf = Shelf(max_bytes=100)
    shelf.put("file", "a", "a", 60)
    shelf.put("file", "b", "b", 40)
    shelf.put("file", "c", "c", 10)
    assert list(shelf.all("file")) == ["b", "c"]
    shelf.put("file", "b", "B", 90)
    assert list(shelf.all("file")) == ["c", "B"]


def test_many_of_one_kind_do_not_cost_another_its_place() -> None:
    shelf = Shelf(max_objects=3, max_bytes=100)
    shelf.put("file", "a", "a", 30)
    for number in range(10):
        shelf.put("response", str(number), number, 20)
    assert list(shelf.all("file")) == ["a"]
    assert list(shelf.all("response")) == [7, 8, 9]
    shelf.put("response", "large", "large", 60)
    assert (list(shelf.all("file")), list(shelf.all("response"))) == (["a"], ["large"])


def test_what_is_too_large_for_the_shelf_is_not_kept_and_costs_nothing_else_its_place() -> None:
    shelf = Shelf(max_bytes=100)
    shelf.put("file", "a", "a", 60)
    shelf.put("file", "b", "b", 101)
    assert list(shelf.all("file")) == ["a"]


def test_numbers_never_repeat() -> None:
    shelf = Shelf()
    assert [shelf.next_number() for _ in range(3)] == [1, 2, 3]
