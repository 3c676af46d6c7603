"""The index never denies a key it was told of, and stays within its bound."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from proxies.supervisor.key_index import KeyIndex


@given(st.lists(st.binary(min_size=32, max_size=32)), st.lists(st.binary(min_size=32, max_size=32)), st.integers(1, 10))
def test_a_key_it_was_told_of_is_never_denied(one: list[bytes], other: list[bytes], most: int) -> None:
    index = KeyIndex(most)
    index.is_loaded = True
    for key in one:
        index.add(key)
    index.add_hexadecimal(key.hex() for key in other)
    assert all(index.may_hold(key) for key in (*one, *other))


def test_before_it_is_loaded_it_denies_nothing() -> None:
    index = KeyIndex()
    assert index.may_hold(os.urandom(32))
    index.is_loaded = True
    assert not index.may_hold(os.urandom(32))


def test_past_its_bound_it_holds_nothing_and_denies_nothing() -> None:
    index = KeyIndex(2)
    index.is_loaded = True
    index.add_hexadecimal(os.urandom(32).hex() for _ in range(3))
    index.add(os.urandom(32))
    assert index.may_hold(os.urandom(32))
    assert index._known == set()
    index.clear()
    assert not index.may_hold(os.urandom(32))
