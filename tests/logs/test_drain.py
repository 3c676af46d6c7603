"""The log writer's side of the spool."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from logs import drain
from logs.drain import Batch, SpoolReader
from tests.logs.records import make_record, make_spool, segments

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[SpoolReader]:
    reader = SpoolReader(tmp_path)
    assert reader.take()
    yield reader
    reader.release()


def successor(reader: SpoolReader, directory: Path) -> SpoolReader:
    """The reader that follows one that was killed."""
    reader.release()
    following = SpoolReader(directory)
    assert following.take()
    return following


def ids(batch: Batch) -> list[str]:
    return [orjson.loads(line)["id"] for line in batch.lines]


def test_only_one_reader_drains(reader: SpoolReader, tmp_path: Path) -> None:
    other = SpoolReader(tmp_path)
    assert not other.take()
    reader.release()
    assert other.take()
    other.release()


def test_lines_come_in_order_and_once(reader: SpoolReader, tmp_path: Path) -> None:
    records = [make_record() for _ in range(30)]
    spool = make_spool(tmp_path, segment_bytes=5000)
    for record in records:
        spool.write(record)
    found = []
    while batch := reader.batch(7):
        assert len(batch.lines) <= 7
        found += ids(batch)
        reader.commit(batch)
    assert found == [record.id for record in records]
    assert not reader.batch(7)


def test_what_was_not_committed_is_read_again(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    for _ in range(10):
        spool.write(make_record())
    reader.commit(reader.batch(4))
    lost = ids(reader.batch(4))
    following = successor(reader, tmp_path)
    assert ids(following.batch(4)) == lost
    following.release()


def test_a_segment_is_deleted_once_its_worker_has_left_it(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.write(make_record())
    reader.commit(reader.batch(10))
    assert not reader.batch(10, is_thorough=True)
    assert len(segments(tmp_path)) == 1
    spool.write(make_record())
    spool.close()
    reader.commit(reader.batch(10, is_thorough=True))
    assert segments(tmp_path) == []
    assert not reader.batch(10)


def test_a_segment_that_is_full_is_deleted_though_its_worker_lives(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path, segment_bytes=1)
    for _ in range(3):
        spool.write(make_record())
    reader.commit(reader.batch(10))
    assert len(segments(tmp_path)) == 1


def test_an_empty_segment_that_nobody_holds_is_deleted(reader: SpoolReader, tmp_path: Path) -> None:
    (tmp_path / "0000000000001-7-1-0.jsonl").touch()
    reader.commit(reader.batch(10, is_thorough=True))
    assert segments(tmp_path) == []


def test_no_record_is_lost_to_a_reader_that_deletes_while_segments_are_opened(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tests.logs.records import make_record, make_spool
spool = make_spool(Path(sys.argv[1]), segment_bytes=1)
for _ in range(2000):
    spool.write(make_record())
"""
    reader = SpoolReader(tmp_path)
    assert reader.take()
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    found: list[str] = []
    is_over = False
    while not is_over:
        is_over = writer.poll() is not None
        while batch := reader.batch(500, is_thorough=True):
            found += ids(batch)
            reader.commit(batch)
    reader.release()
    assert len(found) == len(set(found)) == 2000


def test_half_a_line_of_a_living_worker_is_waited_for(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.write(make_record())
    (segment,) = segments(tmp_path)
    record = make_record()
    with segment.open("ab") as file:
        file.write(record.line()[:100])
    reader.commit(reader.batch(10, is_thorough=True))
    assert not reader.batch(10, is_thorough=True)
    with segment.open("ab") as file:
        file.write(record.line()[100:])
    assert ids(reader.batch(10)) == [record.id]


def test_half_a_line_of_a_dead_worker_is_quarantined_and_counted(reader: SpoolReader, tmp_path: Path) -> None:
    whole, torn = make_record(), make_record().line()[:100]
    (tmp_path / "0000000000001-7-1-0.jsonl").write_bytes(whole.line() + torn)
    batch = reader.batch(10)
    assert ids(batch) == [whole.id]
    reader.commit(batch)
    assert reader.quarantined == 1
    assert (tmp_path / "quarantine").read_bytes() == torn + b"\n"
    assert (tmp_path / "quarantine").stat().st_mode & 0o777 == 0o600
    assert segments(tmp_path) == []


def test_a_line_without_end_is_skipped(reader: SpoolReader, tmp_path: Path) -> None:
    record = make_record()
    (tmp_path / "0000000000001-7-1-0.jsonl").write_bytes(b"x" * 3_000_000 + b"\n" + record.line())
    lines: list[bytes] = []
    while batch := reader.batch(10):
        lines += batch.lines
        reader.commit(batch)
    assert len(lines[0]) < drain.READ_BYTES
    assert orjson.loads(lines[1])["id"] == record.id
    assert reader.quarantined == 2
    assert segments(tmp_path) == []


def test_a_busy_worker_keeps_no_other_waiting(reader: SpoolReader, tmp_path: Path) -> None:
    busy, quiet = make_spool(tmp_path, 1, segment_bytes=2000), make_spool(tmp_path, 2)
    for _ in range(100):
        busy.write(make_record(proxy_id=1))
    quiet.write(make_record(proxy_id=2))
    first, second = [], []
    for seen in (first, second):
        batch = reader.batch(10)
        seen += [orjson.loads(line)["proxy_id"] for line in batch.lines]
        reader.commit(batch)
    assert first == [1] * 10
    assert second == [2] + [1] * 9


def test_counters_and_offsets_survive_a_restart(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.write(make_record())
    reader.commit(reader.batch(10), dropped=3, refused=[b"{}"])
    following = successor(reader, tmp_path)
    assert (following.dropped, following.quarantined) == (3, 1)
    assert not following.batch(10)
    following.release()


def test_offsets_of_deleted_segments_are_forgotten(reader: SpoolReader, tmp_path: Path) -> None:
    for _ in range(3):
        spool = make_spool(tmp_path)
        spool.write(make_record())
        spool.close()
        reader.commit(reader.batch(10))
    assert len(json.loads((tmp_path / "state.json").read_bytes())["offsets"]) == 1


def test_the_quarantine_is_bounded_and_goes_on_counting(
    reader: SpoolReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "QUARANTINE_MAX_BYTES", 1000)
    reader.commit(Batch(), refused=[b"x" * 99] * 25)
    assert (tmp_path / "quarantine").stat().st_size == 1000
    assert reader.quarantined == 25


def test_pending_bytes_are_what_is_not_committed(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    record = make_record()
    for _ in range(4):
        spool.write(record)
    batch = reader.batch(3)
    assert reader.pending_bytes == 4 * len(record.line())
    reader.commit(batch)
    reader.batch(3)
    assert reader.pending_bytes == len(record.line())


def test_a_killed_workers_segment_is_drained_and_deleted(reader: SpoolReader, tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        make_spool(tmp_path).write(make_record())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    batch = reader.batch(10)
    assert len(batch.lines) == 1
    reader.commit(batch)
    assert segments(tmp_path) == []


def test_a_directory_that_is_removed_meanwhile_is_an_empty_one(reader: SpoolReader, tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.write(make_record())
    reader.commit(reader.batch(10))
    for path in tmp_path.iterdir():
        path.unlink()
    tmp_path.rmdir()
    assert not reader.batch(10, is_thorough=True)
    assert reader.pending_bytes == 0
