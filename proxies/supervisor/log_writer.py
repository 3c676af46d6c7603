"""The process that drains the spools into the log."""

from __future__ import annotations

import logging
import socket
import time

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from logs.drain import SpoolReader
from logs.ingest import Ingest
from logs.watch import DirectoryWatch
from proxies.models import SupervisorHeartbeat
from proxies.supervisor.control import StopRequest

logger = logging.getLogger(__name__)

BUSY_PAUSE_S = 0.2  # gathers rows, and what was asked for is visible while one still looks
IDLE_PAUSE_S = 0.5  # where the spool cannot be watched
WATCHING_PAUSE_S = 2.0  # where it can; a TERM is heeded as late as this
BUSY_FOR_S = 5.0  # after the last record
RETRY_FIRST_S = 0.5
RETRY_MAX_S = 5.0
REPORT_EVERY_S = 5.0
LEAVE_LIMIT_S = 10.0
LOCK_TIMEOUT_S = 5  # shorter than the web's: telling this process to leave must not wait for it


def run_log_writer(stop: StopRequest) -> None:
    """Blocks until told to leave, then drains what is there, for at most 10 s. What is left is the next one's."""
    _limit_waits()
    LogWriter(SpoolReader(settings.DATA_DIR / "spool"), socket.gethostname()).run(stop)


class LogWriter:
    """Waits and tries again while the database is away: no record is lost. `host` names its heartbeat row."""

    def __init__(self, reader: SpoolReader, host: str) -> None:
        self._reader = reader
        self._host = host
        self._ingest = Ingest(reader)
        self._watch = DirectoryWatch(reader.directory)
        self._retry_s = 0.0  # the last wait for a database that is away; 0.0 when it is not
        self._last_record = 0.0
        self._reported: tuple[int, int, int] | None = None
        self._next_report = 0.0

    def run(self, stop: StopRequest) -> None:
        while not self._take():
            if stop.wait(IDLE_PAUSE_S):  # a predecessor, whose supervisor has died, is still draining
                return
        while not self._wait(stop):
            self._turn(stop)
        self._watch.close()
        self._leave()

    def _take(self) -> bool:
        try:
            return self._reader.take()
        except OSError as error:
            self._failed("the spool cannot be read", error)
            return False

    def _wait(self, stop: StopRequest) -> bool:
        """Waits until there may be something to do. Returns whether it is time to leave."""
        if self._retry_s:
            return stop.wait(self._retry_s)
        if time.monotonic() - self._last_record < BUSY_FOR_S:
            self._watch.disarm()
            return stop.wait(BUSY_PAUSE_S)
        if self._watch.is_armed:
            is_leaving = stop.wait(WATCHING_PAUSE_S, self._watch.descriptor)
            self._watch.disarm()
            return is_leaving
        # What came before the watch is looked for once more.
        return stop.wait(0.0 if self._watch.arm() else IDLE_PAUSE_S)

    def _turn(self, stop: StopRequest) -> None:
        """Drains all there is, and reports."""
        try:
            while self._ingest.step():
                self._last_record = time.monotonic()
                if stop.is_set():
                    return
            self._worked()
            self._report()
        except AnyDatabaseError as error:
            connection.close()
            self._failed("the log waits for the database", error)
        except OSError as error:
            self._failed("the spool cannot be read", error)

    def _leave(self) -> None:
        deadline = time.monotonic() + LEAVE_LIMIT_S
        try:
            while self._ingest.step(is_thorough=True) and time.monotonic() < deadline:
                pass
        except (AnyDatabaseError, OSError) as error:
            logger.warning("the log writer leaves what is in the spool to its successor: %s", str(error).strip())
        finally:
            self._reader.release()

    def _report(self) -> None:
        """What the heartbeat row shows of the log path; raises django.db.Error."""
        now = time.monotonic()
        if now < self._next_report:
            return
        self._next_report = now + REPORT_EVERY_S
        numbers = (self._reader.pending_bytes, self._reader.dropped, self._reader.quarantined)
        if numbers != self._reported:
            changed = SupervisorHeartbeat.objects.filter(host=self._host).update(
                spool_bytes=numbers[0], dropped_records=numbers[1], quarantined_records=numbers[2]
            )
            self._reported = numbers if changed else None
        if now - self._last_record >= BUSY_FOR_S:
            connection.close()  # the file may be replaced, the server may be gone, when it is needed again

    def _failed(self, what: str, error: Exception) -> None:
        if not self._retry_s:
            logger.warning("%s: %s (records wait in the spool)", what, str(error).strip())
        self._retry_s = min(max(RETRY_FIRST_S, self._retry_s * 2), RETRY_MAX_S)

    def _worked(self) -> None:
        if self._retry_s:
            self._retry_s = 0.0
            logger.info("the log catches up: the database and the spool can be used again")


def _limit_waits() -> None:
    """Shortens the waits of this process's connections, none of which may be open yet."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        options["timeout"] = LOCK_TIMEOUT_S
    else:
        given = f"{options.get('options', '')} -c lock_timeout={LOCK_TIMEOUT_S}s -c statement_timeout=30s"
        options.update(connect_timeout=LOCK_TIMEOUT_S, tcp_user_timeout=10_000, options=given.strip())
