"""The supervisor's side of the database: desired states in, observed states out, and never a wait for either."""

from __future__ import annotations

import copy
import logging
import os
import traceback
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import IntegrityError, connection, connections
from django.utils import timezone

from accounts.models import SiteSettings
from proxies.models import Proxy, ProxyRuntime, SupervisorHeartbeat
from proxies.supervisor.orphans import Recorded
from proxies.supervisor.planning import Desired, Observed

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 0.1
CONNECT_TIMEOUT_S = 2  # libpq takes no less
SILENT_HOST = timedelta(days=7)  # after which what a host has left is deleted
RETRY_S = 1.0  # after a failure, so that an absent database costs little
_WRITTEN_FIELDS = [
    "state",
    "reason_code",
    "reason",
    "pid",
    "pid_started",
    "bind",
    "port",
    "applied_generation",
    "applied_site_generation",
    "in_flight",
    "restarts",
    "retry_at",
    "updated_at",
]


class PatientOptions:
    """Makes this process's connections impatient, and, in a child, patient again."""

    def __init__(self) -> None:
        self._settings = connections.settings["default"]
        self._patient = copy.deepcopy(self._settings["OPTIONS"])

    def shorten(self) -> None:
        connections.close_all()
        options = self._settings["OPTIONS"]
        if connection.vendor == "sqlite":
            options["timeout"] = LOCK_TIMEOUT_S
        else:
            given = (
                f"{options.get('options', '')} -c lock_timeout={LOCK_TIMEOUT_S * 1000:.0f} -c statement_timeout=1000"
            )
            options.update(connect_timeout=CONNECT_TIMEOUT_S, tcp_user_timeout=2000, options=given.strip())

    def restore(self) -> None:
        """To be called in a child. No connection may be open."""
        self._settings["OPTIONS"] = self._patient


class StateDatabase:
    """Reads what is wanted and writes what is so, for the proxies of one host.

    While the database is away or locked, `read_desired` returns None and `write` returns fewer proxies than it was
    given; the words are logged once per outage.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._started_at = timezone.now()
        self._is_away = False

    def read_desired(self) -> dict[int, Desired] | None:
        try:
            site = SiteSettings.objects.filter(pk=1).values_list("generation", flat=True).first() or 0
            rows = list(Proxy.objects.values_list("id", "desired_state", "generation", "bind", "port"))
        except AnyDatabaseError as error:
            self._failed("read", error)
            return None
        self._worked()
        return {
            proxy_id: Desired(state, generation, site, bind or settings.PROXY_BIND, port)
            for proxy_id, state, generation, bind, port in rows
        }

    def read_recorded(self) -> list[Recorded]:
        """The workers that a predecessor on this host has left in the database; empty if it is away."""
        try:
            rows = ProxyRuntime.objects.filter(host=self._host, pid__isnull=False).values_list(
                "pid", "pid_started", "port"
            )
            return [Recorded(pid, started, port) for pid, started, port in rows if pid is not None]
        except AnyDatabaseError as error:
            self._failed("read", error)
            return []

    def forget_silent_hosts(self) -> None:
        """Deletes what hosts have left that were not heard of for long: a container has another name at every start."""
        since = timezone.now() - SILENT_HOST
        try:
            SupervisorHeartbeat.objects.filter(heartbeat_at__lt=since).exclude(host=self._host).delete()
            heard = SupervisorHeartbeat.objects.values("host")
            ProxyRuntime.objects.filter(updated_at__lt=since).exclude(host=self._host).exclude(host__in=heard).delete()
        except AnyDatabaseError as error:
            self._failed("write", error)

    def write(self, observed: Mapping[int, Observed], now: float) -> set[int]:
        """Writes observed states; `now` on the supervisor's clock. Returns the ids that need no other try."""
        wall = timezone.now()
        rows = [self._row(proxy_id, state, now, wall) for proxy_id, state in observed.items()]
        try:
            self._upsert(rows)
        except IntegrityError:  # one of them has just been deleted
            return {row.proxy_id for row in rows if self._write_alone(row)}
        except AnyDatabaseError as error:
            self._failed("write", error)
            return set()
        self._worked()
        return set(observed)

    def beat(self) -> None:
        """Shows that the supervisor lives. The log writer's columns are its own."""
        try:
            SupervisorHeartbeat.objects.bulk_create(
                [
                    SupervisorHeartbeat(
                        host=self._host, pid=os.getpid(), started_at=self._started_at, heartbeat_at=timezone.now()
                    )
                ],
                update_conflicts=True,
                unique_fields=["host"],
                update_fields=["pid", "started_at", "heartbeat_at"],
            )
        except AnyDatabaseError as error:
            self._failed("write", error)

    def say_goodbye(self) -> None:
        """Takes the heartbeat away: nobody need wait for it to grow old."""
        try:
            SupervisorHeartbeat.objects.filter(host=self._host, pid=os.getpid()).delete()
        except AnyDatabaseError as error:
            self._failed("write", error)

    def _write_alone(self, row: ProxyRuntime) -> bool:
        try:
            self._upsert([row])
        except IntegrityError:
            return True
        except AnyDatabaseError as error:
            self._failed("write", error)
            return False
        return True

    def _upsert(self, rows: list[ProxyRuntime]) -> None:
        ProxyRuntime.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["proxy", "host"], update_fields=_WRITTEN_FIELDS
        )

    def _row(self, proxy_id: int, observed: Observed, now: float, wall: datetime) -> ProxyRuntime:
        waits = observed.pid is None and observed.retry_at > 0
        return ProxyRuntime(
            proxy_id=proxy_id,
            host=self._host,
            state=observed.state,
            reason_code=observed.reason_code,
            reason=observed.reason,
            pid=observed.pid,
            pid_started=observed.pid_started,
            bind=observed.bind,
            port=observed.port or None,
            # of a proxy that could not be started: what was tried, so that its reason can be told from an older one
            applied_generation=observed.tried_generation if waits else observed.applied[0],
            applied_site_generation=observed.applied[1],
            in_flight=observed.in_flight,
            restarts=observed.restarts,
            retry_at=wall + timedelta(seconds=observed.retry_at - now) if waits else None,
        )

    def _failed(self, verb: str, error: AnyDatabaseError) -> None:
        # SQLite keeps a closed connection open while a statement of it lives, and the error's frames hold one in a
        # cycle. Children that are forked meanwhile would share SQLite's memory, and never reach the database.
        for cause in (error, error.__cause__):
            if cause is not None:
                traceback.clear_frames(cause.__traceback__)
        connection.close()
        if not self._is_away:
            self._is_away = True
            logger.warning(
                "cannot %s the database: %s (proxies go on as they are; has `manage.py migrate` been run?)",
                verb,
                str(error).strip(),
            )

    def _worked(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.info("the database is back")


class HostLock:
    """An advisory lock on PostgreSQL: one supervisor per host name and database. SQLite has no need of it.

    Lives on a connection of its own that stays open over forks; children never touch it.
    """

    def __init__(self, host: str) -> None:
        self._key = zlib.crc32(f"rubberduck supervisor {host}".encode())
        self._connection: Any = None
        self._session: Any = None  # the driver's connection on which the lock was taken

    def take(self) -> bool:
        """Takes the lock, or takes it again after the database was away. False: another supervisor has it.

        True also while the database is away: to be called now and then.
        """
        if connection.vendor != "postgresql":
            return True
        if self._connection is None:
            self._connection = connection.copy()
        try:
            with self._connection.cursor() as cursor:
                is_ours = self._connection.connection is self._session
                cursor.execute("SELECT true" if is_ours else f"SELECT pg_try_advisory_lock({self._key})")
                is_ours = bool(cursor.fetchone()[0])
        except AnyDatabaseError:
            self._connection.close()
            return True
        self._session = self._connection.connection if is_ours else None
        return is_ours
