"""What tools found is told in words."""

from __future__ import annotations

import pytest

from providers.emulated.question import ToolResult, ToolUse, Turn
from providers.emulated.writing.choice import Choice
from providers.emulated.writing.findings import last_results, report
from tests.providers.emulated.conversations import talk


def told(*results: ToolResult, uses: tuple[ToolUse, ...] = ()) -> str:
    turns = [Turn("user", "?"), Turn("assistant", tool_uses=uses), Turn("tool", tool_results=results)]
    return report(talk(*turns), Choice(0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sunny, 21 degrees", "get says: sunny, 21 degrees."),
        ('{"temperature": 21.5, "unit": "C"}', "According to get: temperature: 21.5, unit: C."),
        ('[1, true, null, "x"]', "According to get: 1, true, null, x."),
        ('{"list": [1, 2], "of": {"a": 1}}', "According to get: list: (1, 2); of: (a: 1)."),
        ("{broken", "get says: {broken"),
        ("", "get is done; it returned nothing."),
        ("{}", "According to get: nothing."),
        ('{"error": "no such city"}', "get did not work: no such city."),
    ],
)
def test_a_result_is_quoted(text: str, said: str) -> None:
    assert told(ToolResult("1", "get", text)).startswith(said)


def test_an_error_is_admitted() -> None:
    said = told(ToolResult("1", "get", "time-out", is_error=True))
    assert said.startswith("get did not work: time-out.")
    assert "try again" in said
    assert told(ToolResult("1", "get", "", is_error=True)).startswith("get did not work: it gave no reason.")


def test_several_results_of_one_tool_are_told_apart_by_its_arguments() -> None:
    uses = (
        ToolUse("1", "get", '{"city":"Paris"}'),
        ToolUse("2", "get", '{"city":"Rome"}'),
        ToolUse("3", "get", "broken"),
    )
    said = told(ToolResult("1", "", "a"), ToolResult("2", "", "b"), ToolResult("3", "", "c"), uses=uses)
    assert said.splitlines()[:3] == ["get (Paris) says: a.", "get (Rome) says: b.", "get says: c."]


def test_a_result_of_nobody_knows_what_is_the_tools() -> None:
    assert told(ToolResult("9", "", "x")).startswith("the tool says: x.")


def test_results_in_several_turns_at_the_end_belong_together() -> None:
    first, second = ToolResult("1", "a", "x"), ToolResult("2", "b", "y")
    turns = [Turn("tool", tool_results=(first,)), Turn("tool", tool_results=(second,))]
    assert last_results(talk("?", "ok", *turns)) == [first, second]


def test_a_flood_of_results_is_told_briefly() -> None:
    said = told(*[ToolResult(str(number), "get", "long " * 1000) for number in range(50)])
    assert "There are 34 more results." in said
    assert len(said) < 20_000


def test_deep_results_are_not_followed_to_their_end() -> None:
    assert "…" in told(ToolResult("1", "get", '{"a":' * 100 + "1" + "}" * 100))
