"""Every fault is found, and one that is not whole is refused at once."""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proxies.dataplane import faults
from proxies.dataplane.faults.base import Fault, Stage, setting
from proxies.dataplane.faults.registry import RESERVED, all_faults, collect
from proxies.dataplane.faults.settings import describe


@dataclass(frozen=True)
class Good(Fault):
    kind = "good"
    title = "Good"
    summary = "Does nothing."
    stage = Stage.DELAY

    seconds: float = setting(1.0, "Seconds.")

    def wait_s(self, draw: Any) -> float:
        return self.seconds


def module(*declared: type, name: str = __name__) -> types.ModuleType:
    """A module that holds these classes, as if it had declared them."""
    made = types.ModuleType(name)
    for number, cls in enumerate(declared):
        setattr(made, f"{cls.__name__}{number}", cls)
    return made


def test_the_faults_are_those_that_people_are_told_of() -> None:
    kinds = set(all_faults())
    assert kinds >= {
        "delay", "hang", "error", "reset", "reset_after_headers", "close", "truncate", "wrong_length", "malformed_json",
        "empty_body", "wrong_content_type", "cut", "stall", "slow", "stream_error", "no_terminator", "duplicate",
        "reorder", "refusal", "length_stop", "invalid_tool_arguments", "empty_content",
    }  # fmt: skip
    stages = [cls.stage for cls in all_faults().values()]
    assert stages == sorted(stages, key=list(Stage).index)


def test_every_declared_fault_is_among_them() -> None:
    declared = {
        kind
        for path in Path(faults.__path__[0]).glob("*.py")
        for kind in re.findall(r'^    kind\b.* = "(\w+)"', path.read_text(), re.MULTILINE)
    }
    assert declared == set(all_faults())


def test_every_setting_is_explained_and_takes_its_own_example() -> None:
    for cls in all_faults().values():
        for one in describe(cls):
            assert one.help.endswith("."), f"{cls.kind}.{one.name}"
            assert one.name not in RESERVED
            if one.choices and one.example is not None:
                assert one.example in one.choices


def test_a_class_without_a_kind_of_its_own_and_an_imported_one_are_none() -> None:
    base = type("Base", (Fault,), {"__module__": __name__})
    assert collect([module(Good, base)]) == {"good": Good}
    assert collect([module(Good, name="elsewhere")]) == {}


def test_two_of_one_kind_are_refused() -> None:
    with pytest.raises(RuntimeError, match="two faults of kind 'good'"):
        collect([module(Good, Good)])


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"kind": "Good"}, "no word for a fault"),
        ({"kind": "pass"}, "no word for a fault"),
        ({"stage": Stage.REPLACE}, "must have a method 'replace'"),
        ({"stage": Stage.DAMAGE}, "must have a method 'damage'"),
        ({"summary": ""}, "a title and a summary"),
        ({"times": setting(1, "Times."), "__annotations__": {"times": int}}, "times is a word of the grammar"),
        ({"seconds": 1.0, "__annotations__": {"seconds": float}}, "made by `setting`"),
    ],
)
def test_a_fault_that_is_not_whole_is_refused(members: dict[str, Any], words: str) -> None:
    cls = dataclass(frozen=True)(type("Bad", (Good,), {"kind": "bad", "__module__": __name__, **members}))
    with pytest.raises(TypeError, match=words):
        collect([module(cls)])


def test_a_fault_that_is_no_dataclass_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a dataclass"):
        collect([module(type("Plain", (Good,), {"kind": "plain", "__module__": __name__}))])
