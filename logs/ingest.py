"""Spool lines become rows of the request log."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction

from logs.costs import set_costs
from logs.drain import SpoolReader
from logs.models import RequestLog
from proxies.dataplane.records import MAX_DETAILS, MAX_INTEGER, RequestRecord
from proxies.models import Proxy

logger = logging.getLogger(__name__)

BATCH_LINES = 500
MAX_SMALL_INTEGER = 2**15 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_STARTED_AT_US = 253_402_300_799_999_999  # the last microsecond of the year 9999
# What the database (or its driver) says about a row rather than about itself.
_REFUSALS = (IntegrityError, DataError, ValidationError, ValueError, TypeError, ArithmeticError)


class BadLine(ValueError):
    """A spool line that no row can be made of; the text says why, without repeating the line."""


@dataclass(slots=True)
class Ingested:
    rows: int = 0
    dropped: int = 0  # records that the spools had no room for
    refused: list[bytes] = field(default_factory=list)


class Ingest:
    """Brings what the spools of one directory hold into the database."""

    def __init__(self, reader: SpoolReader) -> None:
        self._reader = reader
        self._owners: dict[int, int | None] = {}  # also of proxies that are gone: their last records may come later

    def step(self, *, is_thorough: bool = False) -> int:
        """Handles one batch and returns how many lines it had; 0 when there is nothing left.

        Raises django.db.Error when the database is away, OSError when the spool cannot be read; nothing is lost then.
        """
        batch = self._reader.batch(BATCH_LINES, is_thorough=is_thorough)
        if not batch:
            return 0
        done = self.insert(batch.lines)
        self._reader.commit(batch, dropped=done.dropped, refused=done.refused)
        return len(batch.lines) + len(batch.torn)

    def insert(self, lines: Sequence[bytes]) -> Ingested:
        """All or nothing, and no row twice, however often it is called. Raises django.db.Error."""
        done = Ingested()
        rows: dict[uuid.UUID, tuple[RequestLog, bytes]] = {}
        for line in lines:
            try:
                found = read_line(line)
            except BadLine as error:
                logger.warning("a line of the spool is put into quarantine: %s", error)
                done.refused.append(line)
                continue
            if isinstance(found, int):
                done.dropped += found
            else:
                rows.setdefault(found.id, (found, line))
        if rows:
            self._set_owners([row for row, _ in rows.values()])
            refused = _insert([row for row, _ in rows.values()])
            done.refused += [rows[row.id][1] for row in refused]
            done.rows = len(rows) - len(refused)
        return done

    def _set_owners(self, rows: list[RequestLog]) -> None:
        proxy_ids = {row.proxy_id for row in rows}
        self._owners.update(Proxy.objects.filter(id__in=proxy_ids).values_list("id", "owner_id"))
        for row in rows:
            row.owner_id = self._owners.get(row.proxy_id)


def ingest_once(directory: Path) -> int:
    """Brings all that the spools hold now into the log, and returns how many lines that were.

    Does nothing while a log writer is at work. Raises django.db.Error and OSError.
    """
    reader = SpoolReader(directory)
    if not reader.take():
        return 0
    try:
        ingest, total = Ingest(reader), 0
        while count := ingest.step(is_thorough=True):
            total += count
        return total
    finally:
        reader.release()


# --- one line


def read_line(line: bytes) -> RequestLog | int:
    """The row a line stands for, complete but for its owner, or the number of records a worker had to drop.

    Lines of other versions are read as far as they are understood. Raises BadLine.
    """
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise BadLine("it is not JSON") from None
    if not isinstance(values, dict):
        raise BadLine("it is not an object")
    if "dropped" in values and "id" not in values:
        return _integer(values["dropped"], MAX_INTEGER)
    row = RequestLog(
        id=_uuid(values.get("id")),
        started_at=_EPOCH + timedelta(microseconds=_integer(values.get("started_at_us"), _MAX_STARTED_AT_US)),
    )
    for name, read, default in _COLUMNS:
        value = values.get(name, default)
        if value is MISSING:
            raise BadLine(f"{name} is missing")
        try:
            setattr(row, name, read(value))
        except BadLine as error:
            raise BadLine(f"{name}: {error}") from None
    set_costs(
        row,
        reply_model=_text(values.get("reply_model", ""), 300),
        service_tier=_text(values.get("service_tier", ""), 40),
        details=_details(values.get("usage_details", {})),
    )
    return row


def _uuid(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise BadLine("its id is no UUID") from None


def _text(value: Any, max_length: int) -> str:
    if not isinstance(value, str):
        raise BadLine("not a text")
    # PostgreSQL has no NUL in a text. What orjson has read holds no lone surrogates.
    return value[:max_length].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _integer(value: Any, maximum: int) -> int:
    """Clamped to 0 ... maximum, as integers beyond 64 bits come out of JSON as floats."""
    if type(value) is not int and not (type(value) is float and value > MAX_INTEGER):
        raise BadLine("not an integer")
    return max(0, min(int(value), maximum))


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not isfinite(value):
        raise BadLine("not a number")
    return float(value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise BadLine("neither true nor false")
    return value


def _details(value: Any) -> dict[str, float]:
    if type(value) is not dict or len(value) > MAX_DETAILS:
        raise BadLine("usage_details: not an object of a few numbers")
    return {name: _number(amount) for name, amount in value.items()}


def _reader(column: models.Field[Any, Any]) -> Callable[[Any], Any]:
    read: Callable[[Any], Any]
    match column:
        case models.CharField(max_length=int(max_length)):
            read = lambda value: _text(value, max_length)  # noqa: E731
        case models.BooleanField():
            read = _boolean
        case models.FloatField():
            read = _number
        case models.PositiveSmallIntegerField():
            read = lambda value: _integer(value, MAX_SMALL_INTEGER)  # noqa: E731
        case models.BigIntegerField():
            read = lambda value: _integer(value, MAX_INTEGER)  # noqa: E731
        case _:
            raise TypeError(f"no reader for the column {column.name}")
    return (lambda value: None if value is None else read(value)) if column.null else read


def _columns() -> tuple[tuple[str, Callable[[Any], Any], Any], ...]:
    """Name, reader and default (MISSING: required) of what a record and its row have in common."""
    columns = {column.name: column for column in RequestLog._meta.concrete_fields}
    shared = (item for item in fields(RequestRecord) if item.name in columns and item.name != "id")
    return tuple((item.name, _reader(columns[item.name]), item.default) for item in shared)


_COLUMNS = _columns()


# --- the database


def _insert(rows: list[RequestLog]) -> list[RequestLog]:
    """Inserts the rows that are not there yet; returns those the database refuses. Raises django.db.Error."""
    try:
        with transaction.atomic():
            RequestLog.objects.bulk_create(rows)
        return []
    except _REFUSALS:
        pass  # a row that is there already, or a bad one
    known = set(RequestLog.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    fresh = [row for row in rows if row.id not in known]
    try:
        with transaction.atomic():
            RequestLog.objects.bulk_create(_as_new(fresh))
        return []
    except _REFUSALS:
        return _insert_one_by_one(_as_new(fresh))


def _insert_one_by_one(rows: list[RequestLog]) -> list[RequestLog]:
    refused = []
    with transaction.atomic():
        for row in rows:
            try:
                with transaction.atomic():
                    row.save(force_insert=True)
            except _REFUSALS as error:
                logger.warning("the database refuses the record %s: %s", row.id, type(error).__name__)
                refused.append(row)
    return refused


def _as_new(rows: list[RequestLog]) -> list[RequestLog]:
    """Forgets the keys that a failed insert has given to some of the rows."""
    for row in rows:
        row.seq = None
        row._state.adding = True
    return rows
