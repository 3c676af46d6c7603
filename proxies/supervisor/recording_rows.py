"""Recordings as rows of the Recording table, and the statements that write and read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final

import orjson
from django.db import connection

from providers.base import Usage
from proxies.dataplane.stores.base import Recording, RecordingSummary
from proxies.models import Recording as Row

# Plain statements: `bulk_create` costs the worker three times as much, a queryset's read twenty times, and the first
# use of either dirties megabytes of every worker's memory.
TABLE: Final = Row._meta.db_table
ROWS_A_STATEMENT: Final = 50  # one call of SQLite, in which Python's lock is released once, not fifty times
_COLUMNS: Final = (
    "proxy_id", "epoch", "key", "status", "operation", "model", "prompt_hash", "headers", "body", "frame_sizes",
    "delays_ms", "usage", "digests", "is_streaming", "size_bytes", "recorded_at", "expires_at",
)  # fmt: skip
_READ_COLUMNS: Final = (
    "status", "headers", "body", "frame_sizes", "delays_ms", "is_streaming", "recorded_at", "operation", "model",
    "prompt_hash", "usage", "digests", "expires_at", "epoch",
)  # fmt: skip
SELECT: Final = f"SELECT {', '.join(_READ_COLUMNS)} FROM {TABLE} WHERE proxy_id = %s AND key = %s"
# The newest of an operation, among the newest of all: the index by age serves, and the work is bounded.
SELECT_SUMMARIES: Final = (
    "SELECT operation, model, prompt_hash, recorded_at, digests FROM ("
    f"SELECT operation, model, prompt_hash, recorded_at, digests FROM {TABLE} "
    "WHERE proxy_id = %s AND epoch = %s ORDER BY recorded_at DESC LIMIT 10000"
    ") AS newest WHERE operation = %s ORDER BY recorded_at DESC LIMIT %s"
)
_USAGE_NAMES: Final = tuple(field.name for field in fields(Usage))
_usage_values = attrgetter(*_USAGE_NAMES)


@cache
def _upsert(rows: int, placeholder: str) -> str:
    row = f"({', '.join([placeholder] * len(_COLUMNS))})"
    return (
        f"INSERT INTO {TABLE} ({', '.join(_COLUMNS)}) VALUES {', '.join([row] * rows)} "
        "ON CONFLICT (proxy_id, key) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("proxy_id", "key"))
    )


def write_recordings(proxy_id: int, recordings: Sequence[tuple[bytes, Recording]]) -> None:
    """Inserts or replaces recordings by their keys, each key once; to be called in a transaction.

    Raises django.db.Error, and TypeError, ValueError or OverflowError for what no database could hold.
    """
    is_sqlite = connection.vendor == "sqlite"
    placeholder = "?" if is_sqlite else "%s"
    # The driver's own cursor: Django's would go through the long statement each time to rewrite its placeholders.
    with connection.wrap_database_errors:
        cursor = connection.connection.cursor()
        try:
            for start in range(0, len(recordings), ROWS_A_STATEMENT):
                rows = [
                    _to_row(proxy_id, key, recording, is_sqlite)
                    for key, recording in recordings[start : start + ROWS_A_STATEMENT]
                ]
                if len(rows) == ROWS_A_STATEMENT:
                    cursor.execute(_upsert(len(rows), placeholder), [value for row in rows for value in row])
                else:
                    cursor.executemany(_upsert(1, placeholder), rows)
        finally:
            cursor.close()


def _to_row(proxy_id: int, key: bytes, recording: Recording, is_sqlite: bool) -> tuple[Any, ...]:
    frames = recording.frames
    expires_at = recording.expires_at
    return (
        proxy_id,
        recording.epoch,
        key.hex(),
        recording.status,
        _text(recording.operation, 80),
        _text(recording.model, 300),
        recording.prompt_hash,
        _headers(recording),
        frames[0] if len(frames) == 1 else b"".join(frames),
        _json([len(frame) for frame in frames]),
        _json(recording.delays_ms),
        _usage(recording.usage),
        recording.digests.decode(),
        recording.is_streaming,
        recording.size_bytes,
        _moment(recording.recorded_at, is_sqlite),
        None if expires_at is None else _moment(expires_at, is_sqlite),
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _headers(recording: Recording) -> str:
    """Names and values in turn. Decoded all at once: NUL stands in no header."""
    flat = [part for header in recording.headers for part in header]
    parts = b"\0".join(flat).decode("latin-1").split("\0") if flat else []
    if len(parts) != len(flat):
        raise ValueError("a header with NUL")
    return _json(parts)


def _moment(seconds: float, is_sqlite: bool) -> datetime | str:
    """As Django writes it: SQLite's are text without the time zone, which is UTC."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return str(moment)[:-6] if is_sqlite else moment


def _usage(usage: Usage) -> str:
    """What is known of it; text, which came from a reply, made harmless."""
    known: dict[str, Any] = {}
    for name, value in zip(_USAGE_NAMES, _usage_values(usage), strict=True):
        if value is None:
            continue
        if isinstance(value, str):
            known[name] = _text(value, 300)
        elif name != "details":
            known[name] = value
        elif value:
            known[name] = dict(value)
    return _json(known)


@lru_cache(maxsize=256)
def _text(value: str, most: int) -> str:
    """Text any database takes: without NUL and lone surrogates."""
    return value[:most].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def to_summary(row: tuple[Any, ...]) -> RecordingSummary:
    """From a row of `SELECT_SUMMARIES`."""
    operation, model, prompt_hash, recorded_at, digests = row
    return RecordingSummary(operation, model, prompt_hash, _timestamp(recorded_at), digests.encode())


def to_recording(row: tuple[Any, ...]) -> Recording:
    """From a row of `SELECT`. Raises ValueError when the row does not fit together."""
    (
        status, headers, body, frame_sizes, delays_ms, is_streaming, recorded_at, operation, model, prompt_hash, usage,
        digests, expires_at, epoch,
    ) = row  # fmt: skip
    data = bytes(body)
    delays = tuple(orjson.loads(delays_ms))
    known = orjson.loads(usage)
    parts = [part.encode("latin-1") for part in orjson.loads(headers)]
    frames = []
    start = 0
    for size in orjson.loads(frame_sizes):
        frames.append(data[start : start + size])
        start += size
    if start != len(data) or len(frames) != len(delays):
        raise ValueError("a recording whose frames do not add up")
    return Recording(
        status=status,
        headers=tuple(zip(parts[::2], parts[1::2], strict=True)),
        frames=tuple(frames),
        delays_ms=delays,
        is_streaming=bool(is_streaming),
        recorded_at=_timestamp(recorded_at),
        operation=operation,
        model=model,
        prompt_hash=prompt_hash,
        usage=Usage(**{name: known[name] for name in _USAGE_NAMES if name in known}),
        digests=orjson.dumps(orjson.loads(digests)),  # PostgreSQL has put blanks in
        expires_at=_timestamp(expires_at) if expires_at is not None else None,
        epoch=epoch,
    )


def _timestamp(value: datetime) -> float:
    """SQLite's datetimes come without their time zone, which is UTC."""
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
