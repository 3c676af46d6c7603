"""Why nothing was recorded for a request: which recording comes nearest, and at which JSON pointers it differs.

Recordings keep a keyed digest per pointer, never a value: with the key of another installation they say nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from providers.base import Header
from proxies.dataplane.stores.base import RecordingSummary

Digests = bytes
"""A JSON object: pointer -> keyed digest in hexadecimal. Pointers into the body begin with "/"; the others are `path`,
`query`, `header NAME`."""

_MOST_POINTERS = 512
_MOST_DEPTH = 4  # "/messages/0/content/1"; what lies deeper is compared as a whole
_MOST_NAME_CHARACTERS = 80  # an object with longer names is compared as a whole: such names are data
_MOST_SHOWN = 12
_DIGITS = 8  # two values that differ look equal once in four thousand million times
_SHORT = 64  # characters of text that is likely to be met again


class Digester:
    """Makes the digests of requests. `key`: this installation's.

    Values that come again and again (a model's name, a role, a temperature) are hashed once.
    """

    def __init__(self, key: bytes) -> None:
        # SHA-256 over key and value, cut: as good as HMAC here, since what is left of it cannot be extended.
        self._keyed = hashlib.sha256(hashlib.sha256(key).digest())
        self._of_scalar = lru_cache(maxsize=1024, typed=True)(self._of_value)
        self._of_short = lru_cache(maxsize=256)(self._of)

    def digests(self, path: bytes, query: bytes, headers: Sequence[Header], parsed: Any, body_digest: bytes) -> Digests:
        """The digests of one request. `headers`: those in the cache key.

        `parsed` is the body's JSON value (or the text fields of a multipart one); of any other body `body_digest`
        stands for the whole.
        """
        of = self._of_short if len(path) + len(query) <= 4 * _SHORT else self._of
        found = {"path": of(path)}
        if query:
            found["query"] = of(query)
        for name, value in headers:
            found["header " + name.decode("latin-1")] = of(value) if len(value) <= _SHORT else self._of(value)
        if parsed is None:
            found["/"] = self._of(body_digest)
        elif isinstance(parsed, dict | list) and _is_worth_entering(parsed):
            self._collect(parsed, "", _MOST_DEPTH, found)
        else:
            found["/"] = self._of_value(parsed)
        return orjson.dumps(found)

    def _of(self, value: bytes) -> str:
        state = self._keyed.copy()
        state.update(value)
        return state.hexdigest()[:_DIGITS]

    def _of_value(self, value: Any) -> str:
        return self._of(_dump(value))

    def _collect(self, members: dict[str, Any] | list[Any], pointer: str, depth: int, found: dict[str, str]) -> None:
        pairs: Iterable[tuple[Any, Any]] = members.items() if isinstance(members, dict) else enumerate(members)
        is_object = type(members) is dict
        for name, member in pairs:
            if is_object and not name.isidentifier():
                name = _escaped(name)
            here = f"{pointer}/{name}"
            kind = type(member)
            if kind is str:
                found[here] = self._of_scalar(member) if len(member) <= _SHORT else self._of_value(member)
            elif kind is not dict and kind is not list:
                found[here] = self._of_scalar(member)
            elif depth > 1 and _is_worth_entering(member):
                self._collect(member, here, depth - 1, found)
            else:
                found[here] = self._of_value(member)
            if len(found) >= _MOST_POINTERS:
                return


def _is_worth_entering(value: Any) -> bool:
    return bool(value) and (type(value) is list or max(map(len, value)) <= _MOST_NAME_CHARACTERS)


def _escaped(name: str) -> str:
    """As RFC 6901 says, and as any database takes it: without NUL and lone surrogates."""
    name = name.replace("~", "~0").replace("/", "~1").replace("\0", "\N{SYMBOL FOR NULL}")
    return name.encode("utf-8", "replace").decode()


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # an integer past 64 bits, a lone surrogate
        return repr(value).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Nearest:
    """The recording that differs from a request at the fewest pointers."""

    recording: RecordingSummary
    pointers: tuple[str, ...]  # in the order of the request, then those only the recording has


def find_nearest(digests: Digests, candidates: Iterable[RecordingSummary]) -> Nearest | None:
    """The nearest of `candidates`, the first of several that are equally near; None if there are none."""
    asked: dict[str, str] = orjson.loads(digests)
    best: Nearest | None = None
    for candidate in candidates:
        recorded: dict[str, str] = orjson.loads(candidate.digests)
        differing = [pointer for pointer, digest in asked.items() if recorded.get(pointer) != digest]
        differing += [pointer for pointer in recorded if pointer not in asked]
        if best is None or len(differing) < len(best.pointers):
            best = Nearest(candidate, tuple(differing))
    return best


def describe_miss(
    *, operation: str, model: str, prompt_hash: str, reason: str, nearest: Nearest | None, candidates: int
) -> str:
    """The message of a `no_recording` error. `candidates`: how many recordings of the operation were compared."""
    asked = f"Nothing is recorded for this request ({operation or 'an unknown operation'}"
    asked += f", model {model}" if model else ""
    asked += f", prompt hash {prompt_hash[:16]})" if prompt_hash else ")"
    asked += f", and nothing was sent upstream: {reason}."
    if nearest is None:
        if not operation:
            return asked
        return f"{asked} There is no recording of {operation} at all."
    recording = nearest.recording
    when = datetime.fromtimestamp(recording.recorded_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    what = (
        f" The nearest of {candidates} recordings of {operation}"
        if candidates > 1
        else f" The only recording of {operation}"
    )
    what += f" (made {when}" + (f", model {recording.model}" if recording.model else "")
    what += f", prompt hash {recording.prompt_hash[:16]})" if recording.prompt_hash else ")"
    if not nearest.pointers:
        return f"{asked}{what} looks the same: it has expired, or it was made for another upstream."
    shown = ", ".join(nearest.pointers[:_MOST_SHOWN])
    more = len(nearest.pointers) - _MOST_SHOWN
    return f"{asked}{what} differs at {shown}" + (f" and {more} more." if more > 0 else ".")
