"""Reads JSON as Google's servers do: as a protobuf message, with its own names, leniencies and complaints.

A field goes by its camel-case or its snake-case name, a repeated one may stand alone, null is absence, an unknown name
is refused. Source: the JSON mapping of Protocol Buffers and the messages of its C++ `proto_writer.cc`, read
November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from providers.emulated.base import EmulatedRequest, Refused, digest_of
from providers.emulated.dialects.google_errors import bad_request, is_gemini, refuse

_GEMINI_PACKAGE = "google.ai.generativelanguage.v1beta"
_VERTEX_PACKAGE = "google.cloud.aiplatform.v1beta1"
_INT32 = 1 << 31
_MOST_PROBLEMS = 50


class Problem(NamedTuple):
    """What is wrong with the value at a path: a template, and the offending name or value as JSON.

    In the template, {path} is the whole path, {leaf} its last name, {parent} the rest as " at '...'".
    """

    path: str
    template: str
    shown: str = ""

    def under(self, name: str) -> Problem:
        joint = "" if not self.path or self.path[0] == "[" else "."
        return self._replace(path=f"{name}{joint}{self.path}")

    def text(self, package: str) -> str:
        parent, _, leaf = self.path.rpartition(".")
        return self.template.format(
            path=self.path, at=_at(self.path), leaf=leaf, parent=_at(parent), package=package, shown=self.shown
        )  # fmt: skip


class Wrong(Exception):
    """Values that do not fit their fields."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


Read = Callable[[Any], Any]
"""Turns a JSON value into what the field holds; raises Wrong."""


class Message:
    """A message by its fields: camel-case name -> how its value is read."""

    def __init__(self, name: str, fields: Mapping[str, Read]) -> None:
        self.type = "type.googleapis.com/{package}." + name
        self.fields = fields
        self._by_any_name = {
            written: (known, snake, read)
            for known, read in fields.items()
            for snake in (snake_case(known),)
            for written in (known, snake)
        }

    def __call__(self, value: Any) -> dict[str, Any]:
        """The fields that are set, by their camel-case names."""
        if type(value) is not dict:
            raise _unfit(value, self.type)
        found = {}
        problems: list[Problem] = []
        by_any_name = self._by_any_name
        for written, given in value.items():
            field = by_any_name.get(written)
            if field is None:
                problems.append(Problem("", _UNKNOWN, _json(written[:200])))
            elif given is not None:
                try:
                    found[field[0]] = field[2](given)
                except Wrong as wrong:
                    problems += [problem.under(field[1]) for problem in wrong.problems]
            if len(problems) > _MOST_PROBLEMS:
                break
        if problems:
            raise Wrong(problems)
        return found


def snake_case(name: str) -> str:
    """`maxOutputTokens` -> `max_output_tokens`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda letter: "_" + letter[0].lower(), name)


def many(read: Read) -> Read:
    """A repeated field; a single value is taken as a list of one."""

    def read_many(value: Any) -> list[Any]:
        if type(value) is not list:
            return [read(value)]
        found = []
        problems: list[Problem] = []
        for place, item in enumerate(value):
            try:
                found.append(read(item))
            except Wrong as wrong:
                problems += [problem.under(f"[{place}]") for problem in wrong.problems]
                if len(problems) > _MOST_PROBLEMS:
                    break
        if problems:
            raise Wrong(problems)
        return found

    return read_many


def string(value: Any) -> str:
    if type(value) is not str:
        raise _unfit(value, "TYPE_STRING")
    return value


def boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise _unfit(value, "TYPE_BOOL")


def integer(value: Any) -> int:
    """A 32-bit number; a text of digits is one as well."""
    if type(value) is int and -_INT32 <= value < _INT32:
        return value
    if type(value) is float and value == value // 1 and -_INT32 <= value < _INT32:
        return int(value)
    if type(value) is str and re.fullmatch(r"-?[0-9]{1,10}", value) and -_INT32 <= int(value) < _INT32:
        return int(value)
    raise _unfit(value, "TYPE_INT32")


def decimal(value: Any) -> float:
    if type(value) in (int, float):
        return float(value)
    if type(value) is str and re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", value):
        return float(value)
    raise _unfit(value, "TYPE_FLOAT")


def octets(value: Any) -> str:
    """Base64 text, as it was written."""
    if type(value) is not str:
        raise _unfit(value, "TYPE_BYTES")
    if not value.isascii() or len(value.rstrip("=")) % 4 == 1:
        shown = _json(value if len(value) < 64 else value[:60] + "...")
        raise Wrong([Problem("", "Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for {shown}", shown)])
    return value


def struct(value: Any) -> dict[str, Any]:
    """Any JSON object."""
    if type(value) is not dict:
        raise _unfit(value, "type.googleapis.com/google.protobuf.Struct")
    return value


def anything(value: Any) -> Any:
    return value


def choice(name: str, *values: str) -> Read:
    """An enumeration: its value in capitals, whatever case it comes in. A number stands for the value at its place."""
    known = frozenset(values)

    def read_choice(value: Any) -> str:
        if type(value) is str and value.upper() in known:
            return value.upper()
        if type(value) is int and 0 <= value < len(values):
            return values[value]
        raise _unfit(value, "type.googleapis.com/{package}." + name)

    return read_choice


def read_body(request: EmulatedRequest, message: Message) -> dict[str, Any]:
    """The request's body as a message; an empty body is an empty one. Raises Refused."""
    value = parse(request)
    try:
        return message(value)
    except Wrong as wrong:
        package = _GEMINI_PACKAGE if is_gemini(request.call.path) else _VERTEX_PACKAGE
        raise bad_request(
            request, [(problem.path, problem.text(package)) for problem in wrong.problems[:_MOST_PROBLEMS]]
        ) from None


def parse(request: EmulatedRequest) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty one. Raises Refused."""
    if not request.body.strip():
        return {}
    try:
        value = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise _unreadable(request, error) from None
    if type(value) is not dict:
        raise bad_request(request, [("", f'{_PAYLOAD}Unknown name "": Root element must be a message.')])
    return value


def digest(request: EmulatedRequest, body: Mapping[str, Any], *context: str) -> bytes:
    """`digest_of`. Raises Refused for a body that is nested deeper than Google takes."""
    try:
        return digest_of(body, *context, without=())
    except TypeError:
        raise refuse(request, f"{_PAYLOAD}Message too deep. Max recursion depth reached.") from None


_PAYLOAD = "Invalid JSON payload received. "
_UNKNOWN = _PAYLOAD + "Unknown name {shown}{at}: Cannot find field."
_NOT_REPEATING = _PAYLOAD + 'Unknown name "{leaf}"{parent}: Proto field is not repeating, cannot start list.'
_SCALAR = _PAYLOAD + 'Unknown name "{leaf}"{parent}: Starting an object on a scalar field.'


def _at(path: str) -> str:
    return f" at '{path}'" if path else ""


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _unfit(value: Any, kind: str) -> Wrong:
    """`kind`: the field's type as Google names it."""
    if type(value) is list:
        return Wrong([Problem("", _NOT_REPEATING)])
    if type(value) is dict:
        return Wrong([Problem("", _SCALAR)])
    shown = _json(value if type(value) is not str or len(value) < 200 else value[:200])
    return Wrong([Problem("", f"Invalid value at '{{path}}' ({kind}), {{shown}}", shown)])


def _unreadable(request: EmulatedRequest, error: orjson.JSONDecodeError) -> Refused:
    """Where the JSON breaks, with a caret below the place."""
    line = error.doc[max(0, error.pos - 20) : error.pos + 20].replace("\n", " ")
    reason = "Unexpected token." if error.pos < len(error.doc) else "Unexpected end of string."
    return bad_request(request, [("", f"{_PAYLOAD}{reason}\n{line}\n{' ' * min(error.pos, 20)}^")])
