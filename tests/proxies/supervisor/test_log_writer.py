"""The log writer: drains while it lives, waits while the database is away, reports, and leaves when told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from logs.drain import SpoolReader
from logs.models import RequestLog
from proxies.models import SupervisorHeartbeat
from proxies.supervisor import log_writer
from proxies.supervisor.control import Channel, StopRequest
from proxies.supervisor.log_writer import LogWriter
from tests.logs.locked import database_locked
from tests.logs.records import make_record, make_spool, segments

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 30.0


@pytest.fixture
def ends() -> Iterator[tuple[Channel, StopRequest]]:
    """The supervisor's end of the control channel, and what the log writer asks."""
    ours, theirs = Channel.pair()
    yield ours, StopRequest(theirs)
    ours.close()
    theirs.close()


def run_while(writer: LogWriter, stop: StopRequest, act: Callable[[], None]) -> None:
    """Runs the writer in this thread (its database connection is this thread's) and `act` beside it."""
    errors: list[BaseException] = []

    def go() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  handed to the test
            errors.append(error)
            stop.set()

    acting = threading.Thread(target=go)
    acting.start()
    writer.run(stop)
    acting.join(PATIENCE_S)
    connection.close()
    assert errors == []


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_records_that_come_while_it_runs_are_drained(tmp_path: Path, ends: tuple[Channel, StopRequest]) -> None:
    supervisor, stop = ends
    spool = make_spool(tmp_path)

    def act() -> None:
        spool.write(make_record())
        until(lambda: (tmp_path / "state.json").exists(), "a first record in the log")
        spool.write(make_record())
        supervisor.send("drain", limit_s=10)

    run_while(LogWriter(SpoolReader(tmp_path), "here"), stop, act)
    assert RequestLog.objects.count() == 2


def test_what_is_there_when_it_is_told_to_leave_is_drained_first(
    tmp_path: Path, ends: tuple[Channel, StopRequest]
) -> None:
    _, stop = ends
    spool = make_spool(tmp_path)
    for _ in range(1100):
        spool.write(make_record())
    spool.close()
    stop.set()
    run_while(LogWriter(SpoolReader(tmp_path), "here"), stop, lambda: None)
    assert RequestLog.objects.count() == 1100
    assert segments(tmp_path) == []


def test_it_leaves_when_its_supervisor_dies(tmp_path: Path, ends: tuple[Channel, StopRequest]) -> None:
    supervisor, stop = ends
    make_spool(tmp_path).write(make_record())
    run_while(LogWriter(SpoolReader(tmp_path), "here"), stop, supervisor.close)
    assert RequestLog.objects.count() == 1


def test_a_locked_database_is_waited_for_and_said_once(
    tmp_path: Path, ends: tuple[Channel, StopRequest], caplog: pytest.LogCaptureFixture
) -> None:
    supervisor, stop = ends
    caplog.set_level("INFO")
    spool = make_spool(tmp_path)
    for _ in range(10):
        spool.write(make_record())
    writer = LogWriter(SpoolReader(tmp_path), "here")
    lock = database_locked()
    lock.__enter__()

    def act() -> None:
        until(lambda: writer._retry_s >= 1.0, "two tries in vain")
        spool.write(make_record())
        lock.__exit__(None, None, None)
        until(lambda: "the log catches up" in caplog.text, "a log that catches up")
        supervisor.send("drain", limit_s=10)

    run_while(writer, stop, act)
    assert RequestLog.objects.count() == 11
    assert caplog.text.count("the log waits for the database") == 1


def test_a_database_that_is_away_at_the_end_does_not_hold_it(
    tmp_path: Path, ends: tuple[Channel, StopRequest], caplog: pytest.LogCaptureFixture
) -> None:
    _, stop = ends
    make_spool(tmp_path).write(make_record())
    stop.set()
    with database_locked():
        run_while(LogWriter(SpoolReader(tmp_path), "here"), stop, lambda: None)
    assert "leaves what is in the spool to its successor" in caplog.text
    run_while(LogWriter(SpoolReader(tmp_path), "here"), stop, lambda: None)
    assert RequestLog.objects.count() == 1


def test_a_successor_waits_for_its_predecessor(tmp_path: Path, ends: tuple[Channel, StopRequest]) -> None:
    supervisor, stop = ends
    make_spool(tmp_path).write(make_record())
    predecessor = SpoolReader(tmp_path)
    assert predecessor.take()

    def act() -> None:
        assert not (tmp_path / "state.json").exists()
        predecessor.release()
        until(lambda: (tmp_path / "state.json").exists(), "a drained spool")
        supervisor.send("drain", limit_s=10)

    run_while(LogWriter(SpoolReader(tmp_path), "here"), stop, act)
    assert RequestLog.objects.count() == 1


def test_the_heartbeat_of_this_host_shows_what_was_lost(tmp_path: Path, ends: tuple[Channel, StopRequest]) -> None:
    supervisor, stop = ends
    now = timezone.now()
    for host in ("here", "elsewhere"):
        SupervisorHeartbeat.objects.create(host=host, pid=1, started_at=now, heartbeat_at=now)
    (tmp_path / "0000000000001-7-1-0.jsonl").write_bytes(b'{"dropped":17}\nnonsense\n')
    writer = LogWriter(SpoolReader(tmp_path), "here")

    def act() -> None:
        until(lambda: writer._reported is not None, "a report")
        supervisor.send("drain", limit_s=10)

    run_while(writer, stop, act)
    fields = ("pid", "spool_bytes", "dropped_records", "quarantined_records")
    rows = {row[0]: row[1:] for row in SupervisorHeartbeat.objects.values_list("host", *fields)}
    assert rows == {"here": (1, 0, 17, 1), "elsewhere": (1, 0, 0, 0)}


def test_without_a_heartbeat_row_it_drains_all_the_same(tmp_path: Path, ends: tuple[Channel, StopRequest]) -> None:
    supervisor, stop = ends
    make_spool(tmp_path).write(make_record())

    def act() -> None:
        until(lambda: (tmp_path / "state.json").exists(), "a drained spool")
        supervisor.send("drain", limit_s=10)

    run_while(LogWriter(SpoolReader(tmp_path), socket.gethostname()), stop, act)
    assert RequestLog.objects.count() == 1
    assert SupervisorHeartbeat.objects.count() == 0


def test_a_spool_that_cannot_be_read_is_waited_for(
    tmp_path: Path, ends: tuple[Channel, StopRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, stop = ends
    monkeypatch.setattr(log_writer, "RETRY_FIRST_S", 0.05)
    directory = tmp_path / "spool"
    directory.write_text("a file where the directory should be")
    writer = LogWriter(SpoolReader(directory), "here")

    def act() -> None:
        until(lambda: writer._retry_s > 0, "a try in vain")
        directory.unlink()
        make_spool(directory).write(make_record())
        until(lambda: (directory / "state.json").exists(), "a drained spool")
        supervisor.send("drain", limit_s=10)

    run_while(writer, stop, act)
    assert RequestLog.objects.count() == 1


def test_a_record_wakes_a_writer_that_only_watches(
    tmp_path: Path, ends: tuple[Channel, StopRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, stop = ends
    monkeypatch.setattr(log_writer, "WATCHING_PAUSE_S", 600.0)
    writer = LogWriter(SpoolReader(tmp_path), "here")

    def act() -> None:
        until(lambda: writer._watch.is_armed, "a writer that watches")
        make_spool(tmp_path).write(make_record())
        until(lambda: (tmp_path / "state.json").exists(), "a drained spool")
        supervisor.send("drain", limit_s=10)

    run_while(writer, stop, act)
    assert RequestLog.objects.count() == 1


def test_where_nothing_can_be_watched_the_spool_is_looked_at(tmp_path: Path, ends: tuple[Channel, StopRequest]) -> None:
    supervisor, stop = ends
    writer = LogWriter(SpoolReader(tmp_path), "here")
    writer._watch.close()

    def act() -> None:
        make_spool(tmp_path).write(make_record())
        until(lambda: (tmp_path / "state.json").exists(), "a drained spool")
        supervisor.send("drain", limit_s=10)

    run_while(writer, stop, act)
    assert RequestLog.objects.count() == 1
