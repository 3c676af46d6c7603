"""Forking: how a process of ours begins, what it may inherit, and how to recognise it later."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import stat
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django import db
from django.conf import settings
from django.db import connections

from proxies.supervisor.control import Channel
from proxies.supervisor.exit_codes import ExitCode

Main = Callable[[Channel], ExitCode]
"""What a process does, from the fork to its end. Gets its end of the control channel."""

_OUR_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
OPEN_FILES = 65536
LOW_DESCRIPTORS = 64  # what the supervisor opens before its first fork stays below


class ForkRefused(RuntimeError):
    """This process may not fork: it has something that children must not share."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process we forked. `started` with `pid` names it for ever: pids are used again."""

    pid: int
    started: str
    channel: Channel


def raise_file_limit() -> None:
    """Allows this process and its children up to 65,536 open files, if the system does: an exchange takes two, and the
    usual 1024 would end at 500 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def assert_may_fork() -> None:
    """Raises ForkRefused when there is a second thread, an epoll descriptor, an open database connection or what a
    closed one has left open."""
    threads = [thread.name for thread in threading.enumerate()]
    if len(threads) > 1 or _count("/proc/self/task") > 1:
        raise ForkRefused(f"threads are running: {', '.join(threads)} ({_count('/proc/self/task')} in all)")
    if any(connection.connection is not None for connection in connections.all(initialized_only=True)):
        raise ForkRefused("a database connection is open")
    database = str(settings.DATABASES["default"]["NAME"]) if db.connection.vendor == "sqlite" else "no file"
    for name in _names("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the descriptor of the listing itself
            continue
        if target == "anon_inode:[eventpoll]":
            raise ForkRefused(f"descriptor {name} is an epoll: some import built an event loop")
        if target.startswith(database):
            raise ForkRefused(f"descriptor {name} is the database: a closed connection has left it open")


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:  # no /proc on this system
        return []


def _count(directory: str) -> int:
    return len(_names(directory))


def fork_child(main: Main, *, name: str, keep: Sequence[int] = ()) -> Child:
    """Forks a process that runs `main`. `keep`: descriptors it inherits besides 0, 1, 2 and its channel.

    To be called after `assert_may_fork`. `name`: shown by ps and top, 15 bytes at most.
    """
    ours, theirs = Channel.pair()
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal between the fork and the child's own handlers would be noted by the supervisor's, in vain.
    signal.pthread_sigmask(signal.SIG_BLOCK, _OUR_SIGNALS)
    pid = os.fork()
    if pid == 0:
        _be_child(main, theirs, name, [theirs.fileno(), *keep])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OUR_SIGNALS)
    theirs.close()
    return Child(pid, process_started(pid), ours)


def _be_child(main: Main, channel: Channel, name: str, keep: Sequence[int]) -> None:
    code = ExitCode.CRASHED
    try:
        gc.freeze()  # what is inherited is never collected: its pages stay shared
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in _OUR_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OUR_SIGNALS)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        _close_all_but({0, 1, 2, *keep})
        _set_name(name)
        code = main(channel)
    except BaseException:  # noqa: BLE001  the border of a process
        traceback.print_exc()
    finally:
        logging.shutdown()
        # No finaliser runs: what was inherited (a database connection of the supervisor) is not ours to close.
        os._exit(code)


def _close_all_but(keep: set[int]) -> None:
    # libuv guards its signals with a pipe that it makes anew in every child, on descriptors as low as the parent's, and
    # goes on using by number. Source: uv__signal_global_reinit in libuv's src/unix/signal.c, read November 2026.
    keep = keep | {descriptor for descriptor in range(LOW_DESCRIPTORS) if _is_pipe(descriptor)}
    low = 0
    for descriptor in sorted(keep):
        if low < descriptor:  # CPython 3.11 takes closerange(0, 0) for "everything"
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, max(os.sysconf("SC_OPEN_MAX"), low))


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _set_name(name: str) -> None:
    try:
        Path("/proc/self/comm").write_text(name[:15])
    except OSError:  # only for the eye
        pass


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return ""


def process_started(pid: int) -> str:
    """When a process started, as an opaque text; no other process with this pid ever has it. "": gone, or unknown.

    Source: proc(5): field 22 of /proc/pid/stat, clock ticks since boot; the name in field 2 may hold anything.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else f"{fields[19].decode()}-{_boot_id()}"


def is_alive(pid: int, started: str) -> bool:
    """Whether this very process lives. False where it cannot be known."""
    return bool(started) and process_started(pid) == started
