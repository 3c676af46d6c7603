"""The grammar of canned replies: a list of `{match: {...}, reply: {...}}`, as JSON or YAML gives it, checked and made
ready."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import orjson
import regex
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from providers.base import Header
from providers.emulated.answer import Piece, Stop
from providers.emulated.canned import CannedReply
from providers.emulated.canned_answers import Failure, Reply, Said, Verbatim, count_output
from providers.emulated.canned_match import (
    Condition,
    HasToolResult,
    ModelIs,
    OperationIs,
    PromptContains,
    PromptMatches,
    SystemContains,
    ToolOffered,
    one_of,
)
from providers.emulated.tokens import pieces
from providers.registry import all_providers

MAX_ENTRIES = 200
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
MAX_DELAY_S = 600.0
_MAX_REASONS = 5
_MAX_INTEGER = 2**63

_STOPS = {"stop": Stop.END, "length": Stop.LENGTH, "tool_calls": Stop.TOOLS, "refusal": Stop.REFUSAL}
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# Chosen by the connection, or written by whoever frames the body.
_NOT_OURS = frozenset(
    {"connection", "content-length", "date", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_BODILESS = frozenset({204, 205, 304})


class InvalidCannedReplies(ValueError):
    """A list that does not follow the grammar; the text names the entries and fields, for people."""


def read_replies(entries: object) -> tuple[CannedReply, ...]:
    """The entries, ready to match. `entries`: parsed JSON or YAML. Raises InvalidCannedReplies."""
    if not isinstance(entries, list):
        raise InvalidCannedReplies("Use a list of entries, each with match and reply.")
    if len(entries) > MAX_ENTRIES:
        raise InvalidCannedReplies(f"There are {len(entries)} entries; {MAX_ENTRIES} is the most.")
    for number, entry in enumerate(entries, 1):
        if reason := _unfit(entry):
            raise InvalidCannedReplies(f"entry {number}: {reason}")
    size = len(orjson.dumps(entries))
    if size > MAX_BYTES:
        raise InvalidCannedReplies(f"The list takes {size} bytes as JSON; {MAX_BYTES} is the most.")
    made = []
    reasons: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            made.append(_Entry.model_validate(entry).canned())
        except ValidationError as error:
            reasons += [f"entry {number}{_place(detail['loc'])}: {_words(detail)}" for detail in error.errors()]
    if reasons:
        more = len(reasons) - _MAX_REASONS
        raise InvalidCannedReplies(" ".join(reasons[:_MAX_REASONS]) + (f" And {more} more." if more > 0 else ""))
    return tuple(made)


def _unfit(value: object, depth: int = 0) -> str | None:
    """Why a value cannot be part of a reply: it is no JSON, or none that every dialect can write."""
    if depth > MAX_DEPTH:
        return f"Nested more than {MAX_DEPTH} deep."
    if isinstance(value, str):
        return None if _is_encodable(value) else "Texts must be valid Unicode: there is half of a surrogate pair."
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -_MAX_INTEGER <= value < _MAX_INTEGER else "Integers must fit into 64 bits."
    if isinstance(value, float):
        return None if math.isfinite(value) else "Numbers must be finite."
    if isinstance(value, list):
        return next((reason for inner in value if (reason := _unfit(inner, depth + 1))), None)
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            return "Names of members must be texts; put them in quotes."
        inner = [*value, *value.values()]
        return next((reason for item in inner if (reason := _unfit(item, depth + 1))), None)
    return f"Use JSON values only; there is a {type(value).__name__}."


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _place(path: tuple[int | str, ...]) -> str:
    """Where in an entry, elements of lists counted from 1 as entries are."""
    steps = [str(step + 1) if isinstance(step, int) else step for step in path]
    return f", {'.'.join(steps)}" if steps else ""


def _words(detail: Any) -> str:
    if detail["type"] == "missing":
        return "This field is required."
    if detail["type"] == "extra_forbidden":
        return "There is no such field."
    if detail["type"] == "model_type":
        return "Use an object."
    return detail["msg"] if detail["msg"].endswith(".") else f"{detail['msg']}."


def _refuse(reason: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{reason}", {"reason": reason})


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _pattern(text: str) -> regex.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later version will read otherwise
            return regex.compile(text)
    except (regex.error, RecursionError, OverflowError) as error:
        raise _refuse(f"This is no regular expression: {error}.") from None


def _operations(names: list[str]) -> list[str]:
    known = _known_operations()
    for name in names:
        if not any(map(one_of([name]).fullmatch, known)):
            raise _refuse(f"No provider has an operation {name!r}; use the names in the log, as in chat.completions.")
    return names


@cache
def _known_operations() -> frozenset[str]:
    return frozenset(operation.name for provider in all_providers().values() for operation in provider.operations)


def _headers(fields: Mapping[str, str]) -> tuple[Header, ...]:
    made = []
    for name, value in fields.items():
        lower = name.lower()
        if not _HEADER_NAME.fullmatch(lower):
            raise _refuse(f"{name!r} is no name of a header.")
        if lower in _NOT_OURS:
            raise _refuse(f"{name} is not for a canned reply to choose.")
        if not _HEADER_VALUE.fullmatch(value):
            raise _refuse(f"The value of {name} holds characters that a header cannot.")
        made.append((lower.encode(), value.encode("latin-1")))
    return tuple(made)


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _content_type(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise _refuse("Use printable ASCII.")
    return text


Filled = Annotated[str, StringConstraints(min_length=1)]
Filleds = Annotated[list[Filled], Field(min_length=1), BeforeValidator(_as_list)]
Seconds = Annotated[float, Field(ge=0, le=MAX_DELAY_S, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]
HeaderFields = Annotated[
    dict[str, Annotated[str, BeforeValidator(_number_as_text)]], Field(max_length=50), AfterValidator(_headers)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Match(_Strict):
    operation: Annotated[Filleds, AfterValidator(_operations)] | None = None
    model: Filleds | None = None
    prompt_contains: Filleds | None = None
    prompt_matches: Annotated[str, AfterValidator(_pattern)] | None = None
    system_contains: Filleds | None = None
    tool: Filleds | None = None
    has_tool_result: bool | None = None
    nth: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1), BeforeValidator(_as_list)] | None = None

    def conditions(self) -> tuple[Condition, ...]:
        """Those that were given, the cheap ones first."""
        found: list[Condition] = []
        if self.operation is not None:
            found.append(OperationIs(one_of(self.operation)))
        if self.model is not None:
            found.append(ModelIs(one_of(self.model)))
        if self.has_tool_result is not None:
            found.append(HasToolResult(self.has_tool_result))
        if self.tool is not None:
            found.append(ToolOffered(tuple(self.tool)))
        if self.prompt_contains is not None:
            found.append(PromptContains(tuple(self.prompt_contains)))
        if self.system_contains is not None:
            found.append(SystemContains(tuple(self.system_contains)))
        if self.prompt_matches is not None:
            assert isinstance(self.prompt_matches, regex.Pattern)
            found.append(PromptMatches(self.prompt_matches))
        return tuple(found)


class _ToolCall(_Strict):
    name: Filled
    arguments: dict[str, Any] = {}


class _Error(_Strict):
    status: Annotated[int, Field(ge=400, le=599)]
    message: str | None = None
    type: str | None = None
    code: str | None = None
    headers: HeaderFields = Field(default_factory=dict)


class _Chunk(_Strict):
    text: str
    delay_s: Seconds = 0.0


def _as_chunk(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class _Usage(_Strict):
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None


_KINDS = ("text", "json", "chunks", "tool_calls", "error", "body")
_SAID = frozenset({"text", "json", "chunks", "tool_calls", "thinking", "finish", "usage", "delay_s"})
_RAW = frozenset({"body", "chunks", "raw", "status", "content_type", "headers", "delay_s"})


class _Reply(_Strict):
    text: str = ""
    thinking: str = ""
    tool_calls: Annotated[list[_ToolCall], Field(min_length=1, max_length=100)] = []
    json_value: Any = Field(default=None, alias="json")
    error: _Error | None = None
    body: Any = None
    chunks: Annotated[list[Annotated[_Chunk, BeforeValidator(_as_chunk)]], Field(min_length=1)] = []
    raw: bool = False
    status: Annotated[int, Field(ge=200, le=599)] = 200
    content_type: Annotated[Filled, AfterValidator(_content_type)] = "application/json"
    headers: HeaderFields = Field(default_factory=dict)
    finish: Literal["stop", "length", "tool_calls", "refusal"] | None = None
    usage: _Usage = Field(default_factory=_Usage)
    delay_s: Seconds = 0.0

    @property
    def _given(self) -> set[str]:
        return {"json" if name == "json_value" else name for name in self.model_fields_set}

    @model_validator(mode="after")
    def _fits_together(self) -> _Reply:
        given = self._given
        kinds = [kind for kind in _KINDS if kind in given]
        if not kinds:
            raise _refuse(f"Give one of {', '.join(_KINDS)}.")
        kind = kinds[0]
        if "error" in given:
            kind, allowed = "error", frozenset({"error", "delay_s"})
        elif "body" in given or self.raw:
            kind, allowed = ("body", _RAW - {"chunks", "raw"}) if "body" in given else ("raw chunks", _RAW - {"body"})
        else:
            allowed = _SAID - ({"text", "json", "chunks"} - {kind})
        if strangers := sorted(given - allowed):
            raise _refuse(f"{', '.join(strangers)} cannot be combined with {kind}.")
        if self.finish == "tool_calls" and not self.tool_calls:
            raise _refuse("finish is tool_calls, but there are none.")
        if self.status in _BODILESS and (self.chunks or self.body):
            raise _refuse(f"A reply with status {self.status} has no body.")
        return self

    def reply(self) -> Reply:
        if self.error is not None:
            error = self.error
            return Failure(self.delay_s, error.status, error.message, error.type, error.code, _fields(error.headers))
        if "body" in self._given:
            body = self.body if isinstance(self.body, str) else _dumped(self.body)
            return Verbatim(self.delay_s, self.status, self._raw_headers(), body.encode())
        if self.raw:
            chunks = tuple((chunk.text.encode(), chunk.delay_s) for chunk in self.chunks)
            return Verbatim(self.delay_s, self.status, self._raw_headers(), chunks)
        return self._said()

    def _said(self) -> Said:
        text = _dumped(self.json_value) if "json" in self._given else self.text
        said = [Piece(chunk.text, chunk.delay_s) for chunk in self.chunks] or [Piece(piece) for piece in pieces(text)]
        thinking = tuple(pieces(self.thinking))
        calls = tuple((call.name, _dumped(call.arguments)) for call in self.tool_calls)
        counted = count_output(tuple(piece.text for piece in said), thinking, calls)
        return Said(
            self.delay_s,
            tuple(said),
            thinking,
            calls,
            _STOPS[self.finish or ("tool_calls" if calls else "stop")],
            counted if self.usage.output_tokens is None else self.usage.output_tokens,
            self.usage.input_tokens,
        )

    def _raw_headers(self) -> tuple[Header, ...]:
        given = _fields(self.headers)
        if any(name == b"content-type" for name, _ in given):
            return given
        return ((b"content-type", self.content_type.encode()), *given)


def _fields(validated: object) -> tuple[Header, ...]:
    """What `_headers` made of a mapping; nothing of the empty default."""
    return validated if isinstance(validated, tuple) else ()


def _dumped(value: object) -> str:
    return orjson.dumps(value).decode()


class _Entry(_Strict):
    match: _Match = Field(default_factory=_Match)
    reply: _Reply

    def canned(self) -> CannedReply:
        return CannedReply(self.reply.reply(), self.match.conditions(), frozenset(self.match.nth or ()))
