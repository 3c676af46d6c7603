"""Why nothing was recorded for a request: which recording comes nearest, and at which JSON pointers it differs.

Recordings keep a keyed digest per pointer, never a value: with the key of another installation they say nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from providers.base import Header
from proxies.dataplane.stores.base import RecordingSummary

Digests = tuple[tuple[str, str], ...]
"""(pointer, keyed digest in hexadecimal) pairs. Pointers into the body begin with "/"; the others are `path`, `query`,
`header NAME`."""

_MOST_POINTERS = 512
_MOST_DEPTH = 4  # "/messages/0/content/1"; what lies deeper is compared as a whole
_MOST_NAME_CHARACTERS = 80  # an object with longer names is compared as a whole: such names are data
_MOST_SHOWN = 12


def request_digests(
    key: bytes, path: bytes, query: bytes, headers: Sequence[Header], parsed: Any, body_digest: bytes
) -> Digests:
    """The digests of one request. `key`: this installation's, up to 64 bytes; `headers`: those in the cache key.

    `parsed` is the body's JSON value (or the text fields of a multipart one); of any other body `body_digest` stands
    for the whole.
    """
    keyed = hashlib.blake2b(key=key, digest_size=8)

    def digest(value: bytes) -> str:
        state = keyed.copy()
        state.update(value)
        return state.hexdigest()

    digests = [("path", digest(path))]
    if query:
        digests.append(("query", digest(query)))
    for name, value in headers:
        digests.append(("header " + name.decode("latin-1"), digest(value)))
    if parsed is None:
        digests.append(("/", digest(body_digest)))
    else:
        leaves: list[tuple[str, Any]] = []
        _collect(parsed, "", _MOST_DEPTH, leaves)
        digests += [(pointer, digest(_dump(value))) for pointer, value in leaves]
    return tuple(digests[:_MOST_POINTERS])


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # an integer past 64 bits
        return repr(value).encode("utf-8", "surrogatepass")


def _collect(value: Any, pointer: str, depth: int, leaves: list[tuple[str, Any]]) -> None:
    if depth and value and isinstance(value, dict) and all(len(name) <= _MOST_NAME_CHARACTERS for name in value):
        for name, member in value.items():
            if not name.isidentifier():
                name = name.replace("~", "~0").replace("/", "~1").replace("\0", "\N{SYMBOL FOR NULL}")
            _collect(member, f"{pointer}/{name}", depth - 1, leaves)
    elif depth and value and isinstance(value, list):
        for index, item in enumerate(value):
            _collect(item, f"{pointer}/{index}", depth - 1, leaves)
            if len(leaves) >= _MOST_POINTERS:
                return
    else:
        leaves.append((pointer or "/", value))


@dataclass(frozen=True, slots=True)
class Nearest:
    """The recording that differs from a request at the fewest pointers."""

    recording: RecordingSummary
    pointers: tuple[str, ...]  # in the order of the request, then those only the recording has


def find_nearest(digests: Digests, candidates: Iterable[RecordingSummary]) -> Nearest | None:
    """The nearest of `candidates`, the first of several that are equally near; None if there are none."""
    asked = dict(digests)
    best: Nearest | None = None
    for candidate in candidates:
        recorded = dict(candidate.digests)
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
