"""JSON bodies: safe access to values of unknown shape, and the usage reader for replies that are one JSON value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from providers.base import Header, Usage
from providers.wire.window import Window

MISSING: Final = object()
"""What `parse` returns for bytes that are not JSON."""

_EMPTY: Final[Mapping[str, Any]] = {}
_MEMBER_BYTES = 16 * 1024
_DECODER = json.JSONDecoder()


def parse(data: bytes) -> Any:
    """The JSON value, or MISSING. Never raises."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return MISSING


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The object found in `value` along `path`; an empty one if any step is absent or something else."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else _EMPTY


def count(value: Any) -> int | None:
    """A number of tokens: a non-negative integer, else None (unknown)."""
    return value if type(value) is int and value >= 0 else None


def text(value: Any) -> str | None:
    """A non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def number(value: Any) -> float | None:
    """A JSON number as float, else None. Booleans are not numbers."""
    return float(value) if type(value) in (int, float) else None


def find_member(data: bytes, name: str) -> Any:
    """The value of the last member `name` in a piece of JSON that may be cut at both ends, MISSING if there is none.

    A match inside a string is impossible: there the quotes would be escaped. Values longer than 16 KiB are not read.
    """
    for match in reversed(list(re.finditer(rb'(?<!\\)"%s"\s*:\s*(?=[{"])' % name.encode(), data))):
        piece = data[match.end() : match.end() + _MEMBER_BYTES].decode("utf-8", "ignore")
        try:
            return _DECODER.raw_decode(piece)[0]
        except ValueError:
            continue
    return MISSING


def is_json(headers: Sequence[Header]) -> bool:
    """Whether the content type among `headers` (lower-case names) is a JSON one."""
    media = media_type(headers)
    return media == b"application/json" or media.endswith(b"+json")


def media_type(headers: Sequence[Header]) -> bytes:
    """The content type without parameters, lower case; empty if there is none."""
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


class JsonReader(Window):
    """Usage of a reply that is one JSON value.

    `read` gets the parsed body and returns its usage; `is_success` tells whether it is a finished, successful reply. Of
    a body too long to be held, they get an object with just those `members` that can be found, and wholeness is judged
    by the outermost brackets.
    """

    __slots__ = ("_is_success", "_members", "_read", "is_whole")

    def __init__(
        self,
        read: Callable[[Any], Usage],
        is_success: Callable[[Any], bool] | None = None,
        members: tuple[str, ...] = ("usage", "model", "service_tier"),
    ) -> None:
        super().__init__()
        self._members = members
        self._read = read
        self._is_success = is_success or is_not_error
        self.is_whole = False

    def finish(self) -> Usage:
        body: Any
        if self.has_gap:
            tail, head = self.tail(), self.head()
            body = {}
            for name in self._members:
                value = find_member(tail, name)
                body[name] = find_member(head, name) if value is MISSING else value
            ends = head.lstrip()[:1] + tail.rstrip()[-1:]
            is_closed = ends in (b"{}", b"[]")
        else:
            body = parse(self.tail())
            is_closed = body is not MISSING
        self.is_whole = is_closed and self._is_success(body)
        return self._read(body)


def is_not_error(body: Any) -> bool:
    """False for an object with an `error` in it: some servers send those with a status of 200."""
    return not (isinstance(body, dict) and body.get("error"))
