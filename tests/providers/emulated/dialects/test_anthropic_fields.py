"""Members of a request, read one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.emulated.base import Refused
from providers.emulated.dialects import anthropic_fields as fields
from tests.providers.emulated.anthropic_asking import PlainShape
from tests.providers.emulated.asking import whole

SHAPE = PlainShape()


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: fields.required(SHAPE, {}, "a", "b."), "b.a: Field required"),
        (lambda: fields.text(SHAPE, None, "a"), "a: Input should be a valid string"),
        (lambda: fields.filled_text(SHAPE, "", "a"), "a: String should have at least 1 character"),
        (lambda: fields.mapping(SHAPE, [], "a"), "a: Input should be an object"),
        (lambda: fields.sequence(SHAPE, {}, "a"), "a: Input should be a valid list"),
        (lambda: fields.boolean(SHAPE, 1, "a"), "a: Input should be a valid boolean"),
        (lambda: fields.integer(SHAPE, 1.5, "a", 0), "a: Input should be a valid integer"),
        (lambda: fields.integer(SHAPE, -1, "a", 0), "a: Input should be greater than or equal to 0"),
        (lambda: fields.number(SHAPE, True, "a"), "a: Input should be a valid number"),
        (lambda: fields.one_of(SHAPE, "x", "a", ("y",)), "a: Input should be 'y'"),
        (lambda: fields.one_of(SHAPE, ["y"], "a", ("y", "z")), "a: Input should be 'y' or 'z'"),
        (lambda: fields.tag(SHAPE, {}, "a", ("y",)), "a.type: Field required"),
        (
            lambda: fields.tag(SHAPE, {"type": None}, "a", ("z", "y")),
            "a: Input tag 'None' found using 'type' does not match any of the expected tags: 'y', 'z'",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(read: Callable[[], Any], message: str) -> None:
    with pytest.raises(Refused) as refusal:
        read()
    assert (refusal.value.reply.status, whole(refusal.value.reply).decode()) == (400, message)


def test_what_is_right_is_given_back() -> None:
    assert fields.required(SHAPE, {"a": None}, "a", "") is None
    assert fields.integer(SHAPE, 5.0, "a", 0) == 5
    assert fields.number(SHAPE, 1, "a") == 1.0
    assert fields.tag(SHAPE, {"type": "y"}, "a", ("y",)) == "y"
