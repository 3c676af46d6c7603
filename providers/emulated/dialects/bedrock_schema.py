"""What InvokeModel says of bodies that do not fit their model's schema, and what every model family gives it.

Source: the wordings are those of the schema validator that Bedrock puts before its models, as users quote them in
public issue reports; read November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from providers.emulated.answer import Answer
from providers.emulated.base import digest_of
from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.question import Question, Turn

Event = tuple[bytes, int, float]
"""One event of a model's own stream: a JSON object, the tokens generated for it, and a wait before it."""

GUARDRAIL = "amazon-bedrock-guardrailConfig"
"""A member that any body may hold: it is for Bedrock, not for the model."""


@dataclass(frozen=True, slots=True)
class Family:
    """Models whose bodies have the same shape. All take the body and the model's id; `read` the operation besides."""

    read: Callable[[dict[str, Any], str, str], Question]
    reply: Callable[[dict[str, Any], str, Answer], dict[str, Any]]
    events: Callable[[dict[str, Any], str, Answer], Iterator[Event]]


class Member(NamedTuple):
    """A member of a body. `kind` is the validator's word: String, Integer, Number, Boolean, JSONArray, JSONObject."""

    name: str
    kind: str
    is_required: bool = False
    least: float | None = None
    most: float | None = None


_KINDS: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Number": (int, float),
    "Boolean": (bool,),
    "JSONArray": (list,),
    "JSONObject": (dict,),
}
_FOUND = {
    str: "String", int: "Integer", float: "BigDecimal", bool: "Boolean", list: "JSONArray", dict: "JSONObject",
    type(None): "Null",
}  # fmt: skip


def check(body: dict[str, Any], members: Sequence[Member], at: str = "#", *, is_closed: bool = False) -> None:
    """Raises Refusal if a member is missing, of another kind or out of bounds; `is_closed`: or not one of these."""
    faults = [
        f"{at}: required key [{member.name}] not found"
        for member in members
        if member.is_required and member.name not in body
    ]
    for name, kind, _, least, most in members:
        if name not in body:
            continue
        value = body[name]
        if type(value) not in _KINDS[kind]:
            faults.append(f"{at}/{name}: expected type: {kind}, found: {_FOUND[type(value)]}")
        elif least is not None and value < least:
            faults.append(f"{at}/{name}: {value} is not greater or equal to {least}")
        elif most is not None and value > most:
            faults.append(f"{at}/{name}: {value} is not less or equal to {most}")
    if is_closed:
        known = {member.name for member in members}
        faults += [
            f"{at}: extraneous key [{name}] is not permitted"
            for name in body
            if name not in known and name != GUARDRAIL
        ]
    if faults:
        raise malformed(*faults)


def malformed(*faults: str) -> Refusal:
    """`#: required key [prompt] not found` in the sentence that Bedrock puts it in."""
    said = ", ".join(faults)
    return Refusal(f"Malformed input request: {said}, please reformat your input and try again.")


def not_an_object() -> Refusal:
    """A body that is not a JSON object."""
    return Refusal("Malformed input request, please reformat your input and try again.")


def strings(value: Any, at: str) -> tuple[str, ...]:
    """A list of texts, or none. Raises Refusal."""
    if value is None:
        return ()
    for number, text in enumerate(value):
        if type(text) is not str:
            raise malformed(f"{at}/{number}: expected type: String, found: {_FOUND[type(text)]}")
    return tuple(value)


def ask(
    operation: str,
    model: str,
    body: dict[str, Any],
    turns: list[Turn],
    *,
    max_tokens: Any = None,
    stops: tuple[str, ...] = (),
    temperature: Any = None,
) -> Question:
    """A question without tools, of a body that was checked."""
    return Question(
        operation, model, digest_of(body, model), turns, max_tokens=max_tokens, stops=stops, temperature=temperature,
        caches=(),
    )  # fmt: skip
