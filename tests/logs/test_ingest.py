"""Spool lines become rows: all of them, once, and a bad one alone stays outside."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import DatabaseError, connection
from model_bakery import baker

from logs.drain import SpoolReader
from logs.ingest import BadLine, Ingest, ingest_once, read_line
from logs.models import RequestLog
from proxies.dataplane.records import RequestRecord
from proxies.models import Proxy
from tests.logs.locked import database_locked
from tests.logs.records import STARTED_AT, make_record, make_spool, segments


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[SpoolReader]:
    reader = SpoolReader(tmp_path)
    assert reader.take()
    yield reader
    reader.release()


@pytest.fixture
def ingest(reader: SpoolReader) -> Ingest:
    return Ingest(reader)


def line(**changes: Any) -> bytes:
    """A record's line with changed fields, which need not be of the right kind; `...` leaves a field out."""
    values = {**json.loads(make_record().line()), **changes}
    return orjson.dumps({name: value for name, value in values.items() if value is not ...})


def logged() -> set[str]:
    return {str(found) for found in RequestLog.objects.values_list("id", flat=True)}


@pytest.mark.django_db
def test_every_field_of_a_record_arrives(tmp_path: Path) -> None:
    record = make_record(
        access_list="block 10.0.0.0/8",
        fault="delay",
        is_streaming=True,
        error_kind="timeout",
        error="It took too long.",
    )
    make_spool(tmp_path).write(record)
    assert ingest_once(tmp_path) == 1
    row = RequestLog.objects.get()
    assert str(row.id) == record.id
    assert row.started_at == datetime.fromtimestamp(STARTED_AT, UTC)
    names = {column.name for column in RequestLog._meta.concrete_fields}
    same = names - {"seq", "id", "started_at", "owner_id", "cost_usd", "cost_avoided_usd"}
    assert {name: getattr(row, name) for name in same} == {name: getattr(record, name) for name in same}
    assert row.cost_usd == Decimal("0.00018")
    assert row.cost_avoided_usd is None
    assert row.owner_id is None


def test_every_column_has_a_source() -> None:
    columns = {column.name for column in RequestLog._meta.concrete_fields}
    unmatched = columns - set(RequestRecord.__dataclass_fields__)
    assert unmatched == {"seq", "started_at", "owner_id", "cost_usd", "cost_avoided_usd"}


@pytest.mark.django_db
def test_the_owner_is_the_proxys_also_after_the_proxy_is_gone(ingest: Ingest) -> None:
    owner = baker.make("accounts.User", email="me@example.com")
    proxy = baker.make(Proxy, owner=owner, name="mine", provider="openai", port=8001)
    ownerless = baker.make(Proxy, owner=None, name="nobody's", provider="openai", port=8002)
    ingest.insert([line(proxy_id=proxy.pk), line(proxy_id=ownerless.pk), line(proxy_id=987_654)])
    proxy_id = proxy.pk
    proxy.delete()
    ingest.insert([line(proxy_id=proxy_id)])
    owners = list(RequestLog.objects.order_by("seq").values_list("owner_id", flat=True))
    assert owners == [owner.pk, None, None, owner.pk]


@pytest.mark.django_db
def test_seq_follows_the_order_of_the_spool(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    records = [make_record() for _ in range(1200)]
    for record in records:
        spool.write(record)
    assert ingest_once(tmp_path) == 1200
    assert [str(row.id) for row in RequestLog.objects.order_by("seq")] == [record.id for record in records]


@pytest.mark.django_db
def test_a_batch_whose_offset_was_not_saved_is_not_logged_twice(tmp_path: Path, ingest: Ingest) -> None:
    spool = make_spool(tmp_path)
    for _ in range(20):
        spool.write(make_record())
    # inserted, and then the log writer is killed before it can note how far it is
    (segment,) = segments(tmp_path)
    done = ingest.insert(segment.read_bytes().splitlines())
    assert done.rows == 20
    spool.write(make_record())
    assert ingest.step() == 21
    assert RequestLog.objects.count() == 21


@pytest.mark.django_db
def test_the_same_record_twice_in_a_batch_is_one_row(ingest: Ingest) -> None:
    twice = line()
    assert ingest.insert([twice, line(), twice]).rows == 2
    assert RequestLog.objects.count() == 2


@pytest.mark.django_db
def test_a_row_the_database_refuses_is_left_out_alone(
    tmp_path: Path, reader: SpoolReader, ingest: Ingest, refused_path: str
) -> None:
    spool = make_spool(tmp_path)
    records = [make_record(), make_record(path=refused_path), make_record()]
    for record in records:
        spool.write(record)
    assert ingest.step() == 3
    assert logged() == {records[0].id, records[2].id}
    assert reader.quarantined == 1
    assert json.loads((tmp_path / "quarantine").read_bytes())["id"] == records[1].id
    make_spool(tmp_path).write(make_record())
    assert ingest.step() == 1


@pytest.fixture
def refused_path(db: None) -> str:
    """A path that this test's database accepts in no row."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON logs_requestlog WHEN NEW.path = '/refused' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            cursor.execute("ALTER TABLE logs_requestlog ADD CONSTRAINT refuse CHECK (path <> '/refused')")
    return "/refused"


@pytest.mark.django_db
def test_a_missing_value_is_not_hidden(ingest: Ingest) -> None:
    done = ingest.insert([line(latency_ms=None), line(path=None), line()])
    assert (done.rows, len(done.refused)) == (1, 2)


@pytest.mark.django_db
def test_the_quarantine_can_be_drained_again(tmp_path: Path, ingest: Ingest, refused_path: str) -> None:
    make_spool(tmp_path).write(make_record(path=refused_path))
    ingest.step()
    assert RequestLog.objects.count() == 0
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER refuse")
        else:
            cursor.execute("ALTER TABLE logs_requestlog DROP CONSTRAINT refuse")
    (tmp_path / "quarantine").rename(tmp_path / "0-0-0-0.jsonl")
    assert ingest.step(is_thorough=True) == 1
    assert RequestLog.objects.get().path == refused_path


BAD_LINES = {
    "garbage": b"\x00\xff\xfe not a record",
    "empty": b"",
    "half a record": make_record().line()[:200],
    "no object": b"[1, 2]",
    "null": b"null",
    "another object": b'{"hello": "world"}',
    "lone surrogate": make_record().line().rstrip().replace(b"127.0.0.1", b"\\ud800"),
    "no uuid": line(id="7"),
    "uuid of the wrong type": line(id=7),
    "no time": line(started_at_us=...),
    "time in words": line(started_at_us="yesterday"),
    "no proxy": line(proxy_id=...),
    "number as text": line(latency_ms="12"),
    "text as number": line(path=12),
    "flag as number": line(is_streaming=1),
    "number as flag": line(attempts=True),
    "not finite": make_record().line().rstrip().replace(b'"latency_ms":12.5', b'"latency_ms":1e999'),
    "details": line(usage_details=[1]),
    "drops in words": b'{"dropped": "many"}',
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_refused(bad: bytes) -> None:
    with pytest.raises(BadLine):
        read_line(bad)


@pytest.mark.django_db
def test_bad_lines_never_block_the_good_ones(tmp_path: Path, reader: SpoolReader, ingest: Ingest) -> None:
    good = [line() for _ in range(len(BAD_LINES))]
    mixed = [one for pair in zip(BAD_LINES.values(), good, strict=True) for one in pair]
    (tmp_path / "0000000000001-7-1-0.jsonl").write_bytes(b"\n".join(mixed) + b"\n")
    assert ingest.step() == len(mixed)
    assert RequestLog.objects.count() == len(good)
    assert reader.quarantined == len(BAD_LINES)
    assert segments(tmp_path) == []


@pytest.mark.django_db
def test_a_record_of_a_newer_version_is_read_as_far_as_it_is_understood(ingest: Ingest) -> None:
    assert ingest.insert([line(colour="blue", nested={"a": [1]}, outcome="quantum")]).rows == 1
    assert RequestLog.objects.get().outcome == "quantum"


@pytest.mark.django_db
def test_a_record_of_an_older_version_gets_defaults(ingest: Ingest) -> None:
    names = ("cache_write_tokens", "usage_details", "service_tier", "reply_model", "access", "request_bytes")
    assert ingest.insert([line(**dict.fromkeys(names, ...))]).rows == 1
    row = RequestLog.objects.get()
    assert (row.cache_write_tokens, row.access, row.request_bytes) == (None, "passed", 0)
    assert row.cost_usd == Decimal("0.00018")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"path": "/a\0b"}, {"path": "/a\N{REPLACEMENT CHARACTER}b"}),
        ({"model": "lone \ud800 surrogate"}, {"model": "lone ? surrogate"}),
        ({"error": "<" * 9000}, {"error": "<" * 500}),
        ({"method": "M" * 100}, {"method": "M" * 20}),
        ({"path": "/\N{DUCK}" * 3000}, {"path": "/\N{DUCK}" * 1000}),
        ({"input_tokens": 2**63}, {"input_tokens": 2**63 - 1}),
        ({"input_tokens": 2**64}, {"input_tokens": 2**63 - 1}),
        ({"input_tokens": 10**400}, {"input_tokens": 2**63 - 1}),
        ({"reply_bytes": -1}, {"reply_bytes": 0}),
        ({"attempts": 100_000}, {"attempts": 2**15 - 1}),
        ({"input_tokens": None}, {"input_tokens": None}),
        ({"status": None}, {"status": None}),
    ],
)
def test_what_a_column_cannot_hold_is_clamped(tmp_path: Path, fields: dict[str, Any], stored: dict[str, Any]) -> None:
    make_spool(tmp_path).write(make_record(**fields))
    assert ingest_once(tmp_path) == 1
    row = RequestLog.objects.get()
    assert {name: getattr(row, name) for name in stored} == stored


@pytest.mark.django_db
def test_odd_usage_details_reach_the_row_without_a_price(tmp_path: Path) -> None:
    details: dict[str, Any] = {"x" * 500: 10**400, "\ud800": 1} | {str(number): 1 for number in range(100)}
    make_spool(tmp_path).write(make_record(usage_details=details))
    assert ingest_once(tmp_path) == 1
    assert RequestLog.objects.get().cost_usd is None


@pytest.mark.django_db
def test_what_workers_dropped_is_counted(tmp_path: Path, reader: SpoolReader, ingest: Ingest) -> None:
    lines = [b'{"dropped":17}', line(), b'{"dropped":3}']
    (tmp_path / "0000000000001-7-1-0.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    ingest.step()
    assert reader.dropped == 20
    assert RequestLog.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_loses_nothing(tmp_path: Path, reader: SpoolReader, ingest: Ingest) -> None:
    records = [make_record() for _ in range(700)]
    spool = make_spool(tmp_path)
    for record in records:
        spool.write(record)
    assert ingest.step() == 500
    with database_locked():
        for _ in range(3):
            with pytest.raises(DatabaseError):
                ingest.step()
    connection.close()
    assert ingest.step() == 200
    assert logged() == {record.id for record in records}
    assert reader.quarantined == 0


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_not_there_yet_is_waited_for(tmp_path: Path, reader: SpoolReader, ingest: Ingest) -> None:
    make_spool(tmp_path).write(make_record())
    with connection.schema_editor() as editor:
        editor.alter_db_table(RequestLog, "logs_requestlog", "elsewhere")
    try:
        with pytest.raises(DatabaseError):
            ingest.step()
    finally:
        connection.close()
        with connection.schema_editor() as editor:
            editor.alter_db_table(RequestLog, "elsewhere", "logs_requestlog")
    assert ingest.step() == 1
    assert reader.quarantined == 0


@pytest.mark.django_db
def test_a_second_ingest_waits_for_none(tmp_path: Path, reader: SpoolReader) -> None:
    make_spool(tmp_path).write(make_record())
    assert ingest_once(tmp_path) == 0
    reader.release()
    assert ingest_once(tmp_path) == 1


def test_ids_are_uuids_of_the_workers(tmp_path: Path) -> None:
    row = read_line(line(id="01932c07-2f00-7abc-8def-0123456789ab"))
    assert isinstance(row, RequestLog)
    assert row.id == uuid.UUID("01932c07-2f00-7abc-8def-0123456789ab")
