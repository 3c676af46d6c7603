"""Recordings as rows of the Recording table, and the one statement that writes them."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from django.db import connection

from providers.base import Usage
from proxies.dataplane.stores.base import Recording
from proxies.models import Recording as Row

# Plain statements: `bulk_create` costs the worker three times as much, and a queryset's read twenty times.
_COLUMNS: Final = (
    "proxy_id", "epoch", "key", "status", "operation", "model", "prompt_hash", "headers", "body", "frame_sizes",
    "delays_ms", "usage", "digests", "is_streaming", "size_bytes", "recorded_at", "expires_at",
)  # fmt: skip
UPSERT: Final = (
    f"INSERT INTO {Row._meta.db_table} ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "
    "ON CONFLICT (proxy_id, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("proxy_id", "key"))
)
_READ_COLUMNS: Final = (
    "status", "headers", "body", "frame_sizes", "delays_ms", "is_streaming", "recorded_at", "operation", "model",
    "prompt_hash", "usage", "digests", "expires_at", "epoch",
)  # fmt: skip
SELECT: Final = f"SELECT {', '.join(_READ_COLUMNS)} FROM {Row._meta.db_table} WHERE proxy_id = %s AND key = %s"
_USAGE_FIELDS: Final = tuple(field.name for field in fields(Usage))


def to_row(proxy_id: int, key: bytes, recording: Recording) -> tuple[Any, ...]:
    """The parameters of `UPSERT`. Raises TypeError, ValueError or OverflowError for what no database could hold."""
    ops = connection.ops
    expires_at = recording.expires_at
    return (
        proxy_id,
        recording.epoch,
        key.hex(),
        recording.status,
        _text(recording.operation, 80),
        _text(recording.model, 300),
        recording.prompt_hash,
        _json([[name.decode("latin-1"), value.decode("latin-1")] for name, value in recording.headers]),
        b"".join(recording.frames),
        _json([len(frame) for frame in recording.frames]),
        _json(recording.delays_ms),
        _json(_usage(recording.usage)),
        _json(recording.digests),
        recording.is_streaming,
        recording.size_bytes,
        ops.adapt_datetimefield_value(datetime.fromtimestamp(recording.recorded_at, UTC)),
        None if expires_at is None else ops.adapt_datetimefield_value(datetime.fromtimestamp(expires_at, UTC)),
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _usage(usage: Usage) -> dict[str, Any]:
    """What is known of it; text, which came from a reply, made harmless."""
    known: dict[str, Any] = {"details": dict(usage.details)} if usage.details else {}
    for name in _USAGE_FIELDS:
        value = getattr(usage, name)
        if value is not None and name != "details":
            known[name] = _text(value, 300) if isinstance(value, str) else value
    return known


def _text(value: str, most: int) -> str:
    """Text any database takes: without NUL and lone surrogates."""
    return value[:most].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def to_digests(value: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((pointer, digest) for pointer, digest in value)


def to_recording(row: tuple[Any, ...]) -> Recording:
    """From a row of `SELECT`. Raises ValueError when the row does not fit together."""
    (
        status, headers, body, frame_sizes, delays_ms, is_streaming, recorded_at, operation, model, prompt_hash, usage,
        digests, expires_at, epoch,
    ) = row  # fmt: skip
    data = bytes(body)
    delays = tuple(orjson.loads(delays_ms))
    known = orjson.loads(usage)
    frames = []
    start = 0
    for size in orjson.loads(frame_sizes):
        frames.append(data[start : start + size])
        start += size
    if start != len(data) or len(frames) != len(delays):
        raise ValueError("a recording whose frames do not add up")
    return Recording(
        status=status,
        headers=tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in orjson.loads(headers)]),
        frames=tuple(frames),
        delays_ms=delays,
        is_streaming=bool(is_streaming),
        recorded_at=_timestamp(recorded_at),
        operation=operation,
        model=model,
        prompt_hash=prompt_hash,
        usage=Usage(**{name: known[name] for name in _USAGE_FIELDS if name in known}),
        digests=to_digests(orjson.loads(digests)),
        expires_at=_timestamp(expires_at) if expires_at is not None else None,
        epoch=epoch,
    )


def _timestamp(value: datetime) -> float:
    """SQLite's datetimes come without their time zone, which is UTC."""
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
