"""Starts processes: reads the configuration, holds the listening socket, forks a worker; and the log writer."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable, Iterable

from django.db import Error as AnyDatabaseError
from django.db import connections

from proxies.dataplane.config import ProxyConfig
from proxies.snapshot import load_all
from proxies.supervisor import worker
from proxies.supervisor.control import Channel, StopRequest
from proxies.supervisor.exit_codes import ExitCode
from proxies.supervisor.listener import listen
from proxies.supervisor.log_writer import run_log_writer
from proxies.supervisor.planning import Desired
from proxies.supervisor.process import Child, ForkRefused, assert_may_fork, fork_child


class Launcher:
    """Holds what a start needs: listening sockets, and the last configuration that could be read.

    `prepare_child`: what every child does first.
    """

    def __init__(self, prepare_child: Callable[[], None]) -> None:
        self._prepare_child = prepare_child
        self._listeners: dict[int, socket.socket] = {}
        self._configs: dict[int, ProxyConfig] = {}

    def prepare(self) -> None:
        """Loads everything heavy, once, for all children to share."""
        connections.close_all()
        worker.prepare()
        gc.collect()
        gc.freeze()

    def read_configs(self, proxy_ids: Iterable[int]) -> dict[int, str]:
        """Reads what these proxies shall serve. Returns, in words, why some cannot be served as configured.

        While the database is away the last configurations must do; a worker asks for newer ones later.
        """
        wanted = list(proxy_ids)
        try:
            self._configs.update(load_all(wanted))
        except AnyDatabaseError:
            return {}
        except (KeyError, ValueError) as error:
            if len(wanted) == 1:
                return {wanted[0]: f"the stored configuration cannot be used: {error}"}
            return {key: words for proxy_id in wanted for key, words in self.read_configs([proxy_id]).items()}
        return {}

    def config(self, proxy_id: int, desired: Desired) -> ProxyConfig | None:
        """The configuration to start with; None: not known, or its address has just changed."""
        config = self._configs.get(proxy_id)
        return config if config is not None and (config.bind, config.port) == (desired.bind, desired.port) else None

    def listen(self, proxy_id: int, bind: str, port: int, *, with_holder: bool) -> None:
        """Keeps the socket it has. Raises BindError."""
        if proxy_id not in self._listeners:
            self._listeners[proxy_id] = listen(bind, port, with_holder=with_holder)

    def release(self, proxy_id: int) -> None:
        """Closes this process's copy of the listening socket, if it has one."""
        if (listener := self._listeners.pop(proxy_id, None)) is not None:
            listener.close()

    def forget(self, proxy_id: int) -> None:
        self.release(proxy_id)
        self._configs.pop(proxy_id, None)

    def assert_may_fork(self) -> None:
        """Closes the database's connections, which children may not share. Raises ForkRefused."""
        connections.close_all()
        try:
            assert_may_fork()
        except ForkRefused:
            gc.collect()  # what keeps a database open may be garbage
            assert_may_fork()

    def fork_worker(self, proxy_id: int, config: ProxyConfig) -> Child:
        """Raises OSError."""
        listener = self._listeners[proxy_id]

        def main(channel: Channel) -> ExitCode:
            self._prepare_child()
            return worker.serve(config, listener, channel)

        return fork_child(main, name=f"duck:{config.port}", keep=[listener.fileno()])

    def fork_log_writer(self) -> Child:
        """Raises OSError."""

        def main(channel: Channel) -> ExitCode:
            self._prepare_child()
            stop = StopRequest(channel)
            signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
            channel.send("ready")
            run_log_writer(stop)
            return ExitCode.DONE

        return fork_child(main, name="duck:log")
