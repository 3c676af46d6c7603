"""A proxy's process: joins Django's world to the data plane, serves the inherited socket, obeys the supervisor."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import threading

import uvloop
from django.conf import settings
from django.db import connections

from logs.spool import Spool
from providers.emulated.registry import get_emulator
from providers.faults.registry import get_faults
from providers.registry import all_providers
from proxies.dataplane.config import CacheConfig, CacheMode, ProxyConfig
from proxies.dataplane.faults.registry import all_faults
from proxies.models import Proxy
from proxies.snapshot import load_config
from proxies.supervisor.assembly import Assembly, NoLog
from proxies.supervisor.control import Channel, Message
from proxies.supervisor.exit_codes import ExitCode
from proxies.supervisor.server import ProxyServer, ServerLimits, warm_up
from proxies.supervisor.store_db import DatabaseStore

logger = logging.getLogger(__name__)

FLUSH_LIMIT_S = 3.0  # for recordings not yet written, when a worker leaves


def server_limits() -> ServerLimits:
    return ServerLimits(
        head_bytes=settings.HEAD_BYTES,
        head_s=settings.HEAD_S,
        body_idle_s=settings.BODY_IDLE_S,
        keep_alive_s=settings.KEEP_ALIVE_S,
        drain_s=settings.DRAIN_S,
    )


def serve(config: ProxyConfig, listener: socket.socket, channel: Channel) -> ExitCode:
    """The whole life of a worker, from the fork to its exit code."""
    # An exchange leaves hardly anything that only the collector frees. Looking after every 700 objects, as Python does
    # by itself, costs 5% of a request.
    gc.set_threshold(10_000, 20, 50)
    worker = Worker(config, listener, channel)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(worker.run())


class Worker:
    """Serves one proxy until it is told to drain, told to go (TERM), or left alone by a dead supervisor."""

    def __init__(self, config: ProxyConfig, listener: socket.socket, channel: Channel) -> None:
        self._config = config
        self._listener = listener
        self._channel = channel
        recordings = DatabaseStore(config.proxy_id, most_unwritten_bytes=settings.UNWRITTEN_RECORDINGS_BYTES)
        self._spool = Spool(settings.DATA_DIR / "spool", config.proxy_id, max_bytes=settings.SPOOL_MAX_BYTES)
        self._assembly = Assembly(config, sink=self._spool, lasting=recordings)
        self._server = ProxyServer(self._assembly.app, limits=server_limits())
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Future[ExitCode]
        self._leaving: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._is_reloading = False
        self._must_reload_again = False

    async def run(self) -> ExitCode:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.create_future()
        self._loop.add_signal_handler(signal.SIGTERM, self._leave, 0.0)
        self._loop.add_reader(self._channel.fileno(), self._obey)
        try:
            await self._server.start(self._listener)
        except OSError as error:
            self._channel.send("failed", reason=f"cannot serve the socket: {error}")
            return ExitCode.BOOT_FAILED
        self._channel.send("ready", **_generations(self._config))
        return await self._end

    def _obey(self) -> None:
        for message in self._channel.receive():
            self._do(message)
        if self._channel.is_closed:
            self._loop.remove_reader(self._channel.fileno())
            self._leave(settings.DRAIN_S)

    def _do(self, message: Message) -> None:
        match message["type"]:
            case "ping":
                self._channel.send("pong", in_flight=self._server.in_flight)
            case "reload":
                self._reload()
            case "drain":
                self._leave(message["limit_s"])

    # --- leaving

    def _leave(self, limit_s: float) -> None:
        """Drains, at most `limit_s`; 0 cuts everything now, also when a drain is under way."""
        if self._leaving is None:
            self._leaving = self._loop.create_task(self._drain(limit_s))
        elif limit_s == 0:
            self._stopping = self._loop.create_task(self._server.stop())

    async def _drain(self, limit_s: float) -> None:
        reporting = self._loop.create_task(self._report_in_flight())
        try:
            cut = await self._server.drain(limit_s)
            reporting.cancel()
            await self._assembly.close(FLUSH_LIMIT_S)
            self._spool.close()
        except Exception:
            logger.exception("proxy %r: draining failed", self._config.name)
            self._end.set_result(ExitCode.CRASHED)
            return
        self._channel.send("drained", cut=cut)
        self._end.set_result(ExitCode.DONE)

    async def _report_in_flight(self) -> None:
        reported = -1
        while True:
            if (in_flight := self._server.in_flight) != reported:
                reported = in_flight
                self._channel.send("in_flight", in_flight=in_flight)
            await asyncio.sleep(0.5)

    # --- reloading: a thread reads the snapshot, the loop swaps one reference

    def _reload(self) -> None:
        if self._is_reloading:
            self._must_reload_again = True
            return
        self._is_reloading = True
        # A thread of its own rather than the executor's: it ends, and with it its database connection.
        threading.Thread(target=self._read_snapshot, name="reload", daemon=True).start()

    def _read_snapshot(self) -> None:
        found: ProxyConfig | str | None
        try:
            found = load_config(self._config.proxy_id)
        except Proxy.DoesNotExist:
            found = None  # the supervisor sees it too, and has us drain
        except Exception as error:  # noqa: BLE001  whatever it is, the worker goes on with the snapshot it has, and says why
            found = f"the configuration cannot be read: {error}"
        finally:
            connections.close_all()
        try:
            self._loop.call_soon_threadsafe(self._apply, found)
        except RuntimeError:  # the loop has ended meanwhile
            pass

    def _apply(self, found: ProxyConfig | str | None) -> None:
        self._is_reloading = False
        if isinstance(found, ProxyConfig):
            self._config = found
            self._assembly.swap(found)
            self._channel.send("applied", **_generations(found))
        elif isinstance(found, str):
            self._channel.send("reload_failed", reason=found)
        if self._must_reload_again:
            self._must_reload_again = False
            self._reload()


def _generations(config: ProxyConfig) -> dict[str, int]:
    return {"generation": config.generation, "site_generation": config.site_generation}


def prepare() -> None:
    """Loads all that a worker needs, for the parent's children to share. Leaves no thread, epoll or connection."""
    uvloop.new_event_loop().close()  # leaves libuv's signal pipe, which every process has once
    providers = all_providers()
    for provider_id in providers:
        get_emulator(provider_id)
        get_faults(provider_id)
    all_faults()
    provider = next(iter(providers.values()))
    config = ProxyConfig(
        proxy_id=0,
        name="warm-up",
        provider=provider,
        bind="127.0.0.1",
        port=0,
        cache=CacheConfig(mode=CacheMode.REPLAY),  # nothing is sent upstream
    )
    warm_up(Assembly(config, sink=NoLog(), lasting=None).app)
