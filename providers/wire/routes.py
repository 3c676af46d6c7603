"""Paths: a table of a vendor's calls, finding one by method and path, and joining a path to an upstream's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from providers.base import Operation, Streams


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of a vendor's API: `path` is a template below the version, the rest as in Operation."""

    name: str
    method: str
    path: str
    flavor: str = ""
    streams: Streams = "never"
    is_sampling: bool = False
    is_free: bool = False


def listed_calls(table: str) -> list[ApiCall]:
    """Calls with nothing special about them: one `METHOD path name` a line."""
    lines = (line.split() for line in table.strip().splitlines())
    return [ApiCall(name, method, path) for method, path, name in lines]


def template(path: str, prefix: str = "") -> re.Pattern[bytes]:
    """The pattern of a path like `/models/{model}/x`: a name in braces is one segment, a trailing `{...}` one or more.

    `prefix` is a regular expression put before it. Only `{model}` becomes a group.
    """
    pattern = re.escape(path)
    pattern = pattern.replace(re.escape("{...}"), ".+").replace(re.escape("{model}"), "(?P<model>[^/]+)")
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
    return re.compile((prefix + pattern).encode())


class Routes:
    """Finds operations by method and path. Literal paths win over templates, then earlier ones over later ones."""

    def __init__(self, operations: Iterable[tuple[str, Operation]]) -> None:
        """`operations`: path template and operation, in order."""
        self._exact: dict[tuple[str, bytes], Operation] = {}
        self._by_start: dict[tuple[str, bytes], list[tuple[re.Pattern[bytes], Operation]]] = {}
        for path, operation in operations:
            if "{" not in path:
                self._exact[operation.method, path.encode()] = operation
            else:
                start = (operation.method, _first_segment(path.encode()))
                self._by_start.setdefault(start, []).append((template(path), operation))

    def find(self, method: str, path: bytes) -> tuple[Operation, str | None] | None:
        """The operation and the model its path names (decoded), or None for an unknown target."""
        operation = self._exact.get((method, path))
        if operation is not None:
            return operation, None
        for pattern, operation in self._by_start.get((method, _first_segment(path)), ()):
            found = pattern.fullmatch(path)
            if found:
                return operation, decode_segment(found["model"]) if "model" in pattern.groupindex else None
        return None


def build_operations(
    calls: Sequence[ApiCall], prefix: str, cacheable: Collection[str]
) -> tuple[tuple[Operation, ...], Routes]:
    """The operations of a provider, and the table that finds them by the path below the version.

    `prefix`: a regular expression for what stands before that path; `cacheable`: names of operations whose replies may
    be cached.
    """
    found = [
        (
            call.path,
            Operation(
                call.name,
                call.method,
                template(call.path, prefix),
                streams=call.streams,
                is_cacheable=call.name in cacheable,
                is_sampling=call.is_sampling,
                is_free=call.is_free,
                flavor=call.flavor,
            ),
        )
        for call in calls
    ]
    return tuple(operation for _, operation in found), Routes(found)


def decode_segment(segment: bytes) -> str:
    """A raw path segment as text, percent-encoding undone."""
    return unquote(segment.decode("latin-1"), errors="replace")


def _first_segment(path: bytes) -> bytes:
    return path[1:].partition(b"/")[0]


_VERSION_IN_PREFIX = re.compile(rb"/v\d+[a-z0-9]*(?=/|$)")
_VERSION_AT_START = re.compile(rb"/v\d+[a-z0-9]*(?=/|$)")


def join_prefix(prefix: str, path: bytes) -> bytes:
    """The path on the upstream. When the upstream's own path names a version, that one holds and the call's is dropped.

    `/v1` + `/v1/chat` is `/v1/chat`; `/v1beta/openai` + `/v1/chat` is `/v1beta/openai/chat`; `/gateway` + `/v1/chat` is
    `/gateway/v1/chat`.
    """
    if not prefix:
        return path
    raw = prefix.encode()
    if _VERSION_IN_PREFIX.search(raw):
        version = _VERSION_AT_START.match(path)
        if version:
            path = path[version.end() :]
    return raw + path
