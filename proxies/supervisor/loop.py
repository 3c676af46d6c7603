"""The supervisor: compares what is wanted with what is so, at least every half second, and makes it so."""

from __future__ import annotations

import logging
import os
import random
import selectors
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

from proxies import wakeup
from proxies.models import DesiredState, ObservedState
from proxies.supervisor.control import Message
from proxies.supervisor.exit_codes import ExitCode, end_in_words
from proxies.supervisor.launcher import Launcher
from proxies.supervisor.listener import BindError
from proxies.supervisor.lock import AlreadyRunning, DataDirectoryLock
from proxies.supervisor.orphans import Orphans, Recorded, RunRecord
from proxies.supervisor.planning import PING_EVERY_S, Action, Desired, Observed, plan
from proxies.supervisor.process import Child, ForkRefused, raise_file_limit
from proxies.supervisor.state_db import RETRY_S, HostLock, PatientOptions, StateDatabase

logger = logging.getLogger(__name__)

TICK_S = 0.5
BEAT_EVERY_S = 5.0
ORPHANS_LOOK_S = 0.05
LOG_WRITER_LIMIT_S = 10.0  # for the spools' rest, when everything stops
LOG_WRITER = 0  # stands where a proxy's id stands; no row has it


class Supervisor:
    """Runs until a signal says stop. One thread and no event loop, because it forks.

    Signals are noted by their handlers and acted upon by the loop: the first TERM, INT or HUP drains everything, the
    second kills the workers, the third the log writer too.
    """

    def __init__(self, *, data_dir: Path, drain_s: float) -> None:
        self._data_dir = data_dir
        self._drain_s = drain_s
        self._host = socket.gethostname()
        self._options = PatientOptions()
        self._database = StateDatabase(self._host)
        self._host_lock = HostLock(self._host)
        self._launcher = Launcher(self._options.restore)
        self._selector = selectors.PollSelector()  # the default one is an epoll, which children would share
        self._record = RunRecord(data_dir / "run" / "processes.json")
        self._orphans = Orphans([], now=0, drain_s=0)
        self._desired: dict[int, Desired] | None = None  # None: not read yet
        self._observed: dict[int, Observed] = {LOG_WRITER: Observed()}
        self._children: dict[int, Child] = {}
        self._last_words: dict[int, str] = {}  # why a worker left, as it said, or as we know better
        self._unwritten: set[int] = set()
        self._stop_signals = 0
        self._is_hinted = self._must_plan = True
        self._must_write = False
        self._next_tick = self._next_start = self._next_write = self._next_beat = 0.0
        self._next_ping = time.monotonic() + PING_EVERY_S

    def run(self) -> ExitCode:
        """Raises AlreadyRunning."""
        lock = DataDirectoryLock(self._data_dir)
        lock.take()
        self._options.shorten()
        if not self._host_lock.take():
            raise AlreadyRunning(f"another supervisor runs the proxies of host {self._host} in this database")
        self._listen_to_signals()
        self._listen_to_hints()
        recorded = {*self._record.read(), *self._database.read_recorded()}
        self._orphans = Orphans(recorded, now=time.monotonic(), drain_s=self._drain_s)
        self._database.forget_silent_hosts()
        raise_file_limit()
        self._launcher.prepare()
        logger.info("the supervisor runs (pid %d) for %s", os.getpid(), self._data_dir)
        while not self._stop_signals or self._children:
            try:
                self._turn()
            except Exception:
                logger.exception("the supervisor goes on after an unexpected error")
                time.sleep(TICK_S)
        self._write(time.monotonic())
        self._database.say_goodbye()
        logger.info("the supervisor has stopped")
        return ExitCode.DONE

    def _listen_to_signals(self) -> None:
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup asks to stay
                signal.signal(number, lambda number, frame: self._note_stop())
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._wakeups = (ours, theirs)
        self._selector.register(ours, selectors.EVENT_READ, lambda: ours.recv(4096))

    def _note_stop(self) -> None:
        self._stop_signals += 1
        self._must_plan = True

    def _listen_to_hints(self) -> None:
        try:
            hints = wakeup.open_wakeup_socket()
        except OSError as error:  # a full disk, say
            logger.warning("changes are seen at the next tick only, for want of a socket: %s", error.strerror)
            return

        def take() -> None:
            self._is_hinted = True
            try:
                while hints.recv(16):
                    pass
            except BlockingIOError:
                pass

        self._selector.register(hints, selectors.EVENT_READ, take)

    # --- one turn

    def _turn(self) -> None:
        is_due = self._is_hinted or self._must_plan
        wait_s = 0.0 if is_due else min(self._next_tick, self._next_start) - time.monotonic()
        for key, _ in self._selector.select(max(0.0, wait_s)):
            key.data()
        now = time.monotonic()
        self._reap(now)
        if self._is_hinted or now >= self._next_tick:
            self._tick(now)
        if self._must_plan or now >= self._next_start:
            self._act(now)
        if self._must_write and now >= self._next_write:
            self._write(now)

    def _tick(self, now: float) -> None:
        self._is_hinted = False
        self._next_tick = now + TICK_S
        desired = self._database.read_desired()
        if desired is not None:
            self._desired = desired
        self._must_plan = True
        self._must_write = bool(self._unwritten)
        if now >= self._next_ping:
            self._next_ping = now + PING_EVERY_S
            self._ping()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_EVERY_S
            self._database.beat()
            if not self._host_lock.take():
                logger.error("another supervisor took the proxies of host %s while the database was away", self._host)

    def _ping(self) -> None:
        for proxy_id, child in self._children.items():
            observed = self._observed[proxy_id]
            if proxy_id != LOG_WRITER and observed.state is ObservedState.RUNNING:
                child.channel.send("ping")
                self._observed[proxy_id] = observed.pinged()

    # --- what to do

    def _act(self, now: float) -> None:
        self._must_plan = False
        self._next_start = float("inf")
        if self._orphans and not self._orphans.settle(now):
            self._next_start = now + ORPHANS_LOOK_S
            return
        starts = []
        for proxy_id in {**self._observed, **(self._desired or {})}:
            observed = self._observed.get(proxy_id) or self._put(proxy_id, Observed())
            desired = self._wanted(proxy_id)
            action = plan(desired, observed, now)
            if action is Action.START:
                assert desired is not None
                starts.append((proxy_id, desired))
            elif action is not None:
                self._do(action, proxy_id, desired, observed, now)
            elif observed.state is ObservedState.BACKING_OFF:
                self._next_start = min(self._next_start, observed.retry_at)
        if starts:
            self._start(starts, now)

    def _wanted(self, proxy_id: int) -> Desired | None:
        if proxy_id == LOG_WRITER:
            must_stop = self._stop_signals > 0 and self._children.keys() <= {LOG_WRITER}
            state = DesiredState.KILLED if self._stop_signals > 2 else DesiredState.STOPPED
            return Desired(state if must_stop else DesiredState.RUNNING, 0, 0, "", 0)
        desired = (self._desired or {}).get(proxy_id)
        if desired is None or not self._stop_signals:
            return desired
        return replace(desired, state=DesiredState.STOPPED if self._stop_signals == 1 else DesiredState.KILLED)

    def _do(self, action: Action, proxy_id: int, desired: Desired | None, observed: Observed, now: float) -> None:
        match action:
            case Action.RELOAD if desired is not None:
                self._children[proxy_id].channel.send("reload")
                self._observed[proxy_id] = observed.asked_to_reload(desired)
            case Action.DRAIN:
                limit_s = LOG_WRITER_LIMIT_S if proxy_id == LOG_WRITER else self._drain_s
                self._launcher.release(proxy_id)  # first: the worker's drain needs the last copy
                self._children[proxy_id].channel.send("drain", limit_s=limit_s)
                self._put(proxy_id, observed.draining(limit_s, now))
            case Action.TERM:
                os.kill(self._children[proxy_id].pid, signal.SIGTERM)
                self._put(proxy_id, observed.termed(now))
            case Action.KILL:
                self._launcher.release(proxy_id)
                os.kill(self._children[proxy_id].pid, signal.SIGKILL)
                self._put(proxy_id, observed.killed(is_wanted=True))
            case Action.KILL_HUNG:
                is_new = observed.state is ObservedState.STARTING
                self._last_words[proxy_id] = "did not become ready in time" if is_new else "answered no pings"
                os.kill(self._children[proxy_id].pid, signal.SIGKILL)
                self._put(proxy_id, observed.killed(is_wanted=False))
            case Action.RELEASE:
                self._put(proxy_id, observed.stopped())
                self._must_plan = True
            case Action.FORGET:
                self._launcher.forget(proxy_id)
                del self._observed[proxy_id]
                self._unwritten.discard(proxy_id)

    def _put(self, proxy_id: int, observed: Observed) -> Observed:
        """Notes a changed state, to be written soon. Clients of what is stopped or failed are refused, not held."""
        self._observed[proxy_id] = observed
        if proxy_id != LOG_WRITER:
            self._unwritten.add(proxy_id)
            self._must_write = True
        if observed.state in (ObservedState.STOPPED, ObservedState.FAILED):
            self._launcher.release(proxy_id)
        return observed

    # --- starting

    def _start(self, starts: list[tuple[int, Desired]], now: float) -> None:
        unusable = self._launcher.read_configs(proxy_id for proxy_id, _ in starts if proxy_id != LOG_WRITER)
        ready = []
        for proxy_id, desired in starts:
            if proxy_id in unusable:
                self._put(
                    proxy_id, self._observed[proxy_id].start_failed(desired, "bad_config", unusable[proxy_id], now)
                )
            elif self._has_listener(proxy_id, desired, now):
                ready.append((proxy_id, desired))
        if not ready:
            return
        try:
            self._launcher.assert_may_fork()
            for proxy_id, desired in ready:
                self._fork(proxy_id, desired, now)
        except (OSError, ForkRefused) as error:
            for proxy_id, desired in ready:
                if proxy_id not in self._children:
                    words = f"a process cannot be started: {error}"
                    self._put(proxy_id, self._observed[proxy_id].start_failed(desired, "cannot_fork", words, now))
            logger.error("processes cannot be started: %s", error)
        self._record_processes()

    def _has_listener(self, proxy_id: int, desired: Desired, now: float) -> bool:
        if proxy_id == LOG_WRITER:
            return True
        if self._launcher.config(proxy_id, desired) is None:
            return False
        observed = self._observed[proxy_id]
        was_taken = observed.reason_code == "port_taken" and (observed.bind, observed.port) == (
            desired.bind,
            desired.port,
        )
        try:
            self._launcher.listen(proxy_id, desired.bind, desired.port, with_holder=not was_taken)
        except BindError as error:
            # The first try looked up who holds the port; the retries leave its words alone.
            words = observed.reason if was_taken and error.code == "port_taken" else error.words
            if words != observed.reason:
                logger.warning("proxy %d cannot start: %s", proxy_id, words)
            self._put(proxy_id, observed.start_failed(desired, error.code, words, now))
            return False
        return True

    def _fork(self, proxy_id: int, desired: Desired, now: float) -> None:
        if proxy_id == LOG_WRITER:
            child, applied = self._launcher.fork_log_writer(), (0, 0)
        else:
            config = self._launcher.config(proxy_id, desired)
            assert config is not None
            child = self._launcher.fork_worker(proxy_id, config)
            applied = (config.generation, config.site_generation)
        self._children[proxy_id] = child
        self._last_words.pop(proxy_id, None)
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._hear(proxy_id))
        started = self._observed[proxy_id].started(
            desired, pid=child.pid, pid_started=child.started, applied=applied, now=now
        )
        self._put(proxy_id, started)

    def _record_processes(self) -> None:
        running = [
            Recorded(child.pid, child.started, self._observed[proxy_id].port or None)
            for proxy_id, child in self._children.items()
        ]
        try:
            self._record.write([*running, *self._orphans.alive])
        except OSError as error:  # a full disk, say; the database has them too
            logger.warning("cannot record the running processes: %s", error)

    # --- what the processes say, and how they end

    def _hear(self, proxy_id: int) -> None:
        channel = self._children[proxy_id].channel
        for message in channel.receive():
            self._take(proxy_id, message)
        if channel.is_closed:
            self._selector.unregister(channel)

    def _take(self, proxy_id: int, message: Message) -> None:
        observed, now = self._observed[proxy_id], time.monotonic()
        match message["type"]:
            case "ready":
                self._put(proxy_id, observed.ready(now))
                if proxy_id != LOG_WRITER:
                    logger.info("proxy %d serves port %d (pid %s)", proxy_id, observed.port, observed.pid)
                self._must_plan = True
            case "pong" | "in_flight":
                self._observed[proxy_id] = observed.answered(message["in_flight"])
                if message["in_flight"] != observed.in_flight:
                    self._unwritten.add(proxy_id)  # written with the next tick
            case "applied":
                self._put(proxy_id, observed.reloaded((message["generation"], message["site_generation"])))
                self._must_plan = True
            case "reload_failed":
                self._put(proxy_id, observed.reload_failed(message["reason"], now))
            case "failed":
                self._last_words[proxy_id] = message["reason"]
            case "drained":
                if message["cut"]:
                    logger.warning("proxy %d: %d exchanges were cut at the drain limit", proxy_id, message["cut"])

    def _reap(self, now: float) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for proxy_id, child in self._children.items():
                if child.pid == pid:
                    self._bury(proxy_id, child, status, now)
                    break

    def _bury(self, proxy_id: int, child: Child, status: int, now: float) -> None:
        if not child.channel.is_closed:
            self._hear(proxy_id)
        if not child.channel.is_closed:  # a grandchild may hold the other end
            self._selector.unregister(child.channel)
        child.channel.close()
        del self._children[proxy_id]
        how = self._last_words.pop(proxy_id, "") or end_in_words(status)
        ended = self._observed[proxy_id].ended(how, now, random.random)
        self._put(proxy_id, ended)
        self._must_plan = True
        name = "the log writer" if proxy_id == LOG_WRITER else f"proxy {proxy_id}"
        if ended.state is ObservedState.STOPPED:
            logger.info("%s has stopped", name)
        else:
            logger.warning("%s: %s (next start in %.1f s)", name, ended.reason, ended.retry_at - now)
        self._record_processes()

    # --- states

    def _write(self, now: float) -> None:
        rows = {proxy_id: self._observed[proxy_id] for proxy_id in self._unwritten if proxy_id in (self._desired or {})}
        self._must_write = False
        if rows:
            self._unwritten -= self._database.write(rows, now)
            self._next_write = now + RETRY_S if self._unwritten & rows.keys() else 0.0
