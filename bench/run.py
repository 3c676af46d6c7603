"""Measures Rubberduck side by side with nginx, and with LiteLLM where BENCH_PEERS=1; `python -m bench.run [--quick]`.

Figures are CPU microseconds per request (user and system time of the server's processes), because those move by a few
per cent with the machine's other load where latencies and rates move by a factor of three; rounds of different servers
take turns, and medians count. What is measured has one core, load and upstream have the other.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench import workers_bench
from bench.client import request_bytes
from bench.durability import answered_and_lost
from bench.latency import Target, latencies_ms, percentile
from bench.litellm_peer import LiteLLM, install
from bench.load import CONNECTIONS, body, fresh_mark, run_wrk
from bench.nginx import Peer, start_upstream
from bench.processes import BenchError, cores, cpu_us, free_ports
from bench.product import Product
from bench.report import Row, missed, table
from bench.streaming import HeldStreams, cancel_times_ms, stream_times
from bench.stub import start_stub


@dataclass(frozen=True, slots=True)
class Effort:
    """How much of everything is done."""

    rounds: int = 3
    round_s: float = 4.0
    misses: int = 1000
    hits: int = 3000
    streams: int = 60
    cancels: int = 20
    held: int = 300
    kills: int = 4
    proxies: int = 200
    idle_s: float = 30.0


QUICK = Effort(
    rounds=1, round_s=1, misses=60, hits=200, streams=5, cancels=3, held=50, kills=1, proxies=10, idle_s=2.0
)  # fmt: skip


@dataclass
class Contender:
    """One server whose CPU per request is measured, round by round."""

    name: str
    port: int
    pids: Callable[[], Iterable[int]]
    is_unique: bool
    is_streaming: bool = False
    warm_up_s: float = 1.0
    cpu: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    besides: list[float] = field(default_factory=list)  # CPU of the log writer per request

    @property
    def us(self) -> float:
        return statistics.median(self.cpu)


# Every stage switched on, and nothing of it for the requests that are measured.
GUARDS = (
    "access.allow=" + json.dumps(["127.0.0.0/8", *(f"10.{n}.0.0/16" for n in range(200))]),
    "access.block=" + json.dumps([f"192.0.2.{n}" for n in range(200)]),
    "limits.rpm=1000000",
    "limits.tpm=1000000000",
    "limits.per=client",
    "faults.rules="
    + json.dumps(
        [{"fault": "error", "status": 500, "rate": 0.05, "match": {"model": f"other-{n}*"}} for n in range(10)]
        + [{"fault": "slow", "tokens_per_second": 5, "match": {"operation": "responses"}}]
        + [{"fault": "delay", "seconds": 1, "when": {"window": "00:00-00:01"}, "match": {"header": {"x-test": "1"}}}]
    ),
    "faults.per_request=true",
)


class Bench:
    """One run: servers started in `directory`, and the rows of the table."""

    def __init__(self, directory: Path, effort: Effort, *, with_litellm: bool) -> None:
        self.directory = directory
        self.effort = effort
        self.with_litellm = with_litellm
        self.core, self.other = cores()
        self.rows: list[Row] = []
        self._stops: list[Callable[[], object]] = []

    def run(self) -> None:
        """Fills `rows`. Raises BenchError; `rows` then holds what was measured before."""
        try:
            self._start()
            self._say("CPU per request")
            self._cpu()
            self._say("latency at a fixed rate")
            self._latency()
            self._say("streams")
            self._streams()
            self._say(f"{self.effort.held} held upstream connections")
            self._crowd()
            self._say("kill -9 under load")
            self._durability()
        finally:
            for stop in reversed(self._stops):
                stop()
        self._say(f"{self.effort.proxies} idle proxies")
        self._workers()

    def _say(self, what: str) -> None:
        print(f"==> {what}", flush=True)

    def _start(self) -> None:
        self._say("starting nginx, the stub and Rubberduck")
        upstream, self.upstream_port = start_upstream(self.directory / "upstream", self.other)
        self._stops.append(upstream.stop)
        stub, self.stub_port = start_stub(self.other)
        self._stops.append(stub.terminate)
        self.nginx = Peer(
            self.directory / "nginx", upstream_port=self.upstream_port, stub_port=self.stub_port, core=self.core
        )
        self._stops.append(self.nginx.stop)
        data = self.directory / "rubberduck"
        data.mkdir()
        self.product = Product(data, worker_core=self.core, other_core=self.other)
        self._stops.append(self.product.stop)
        self.product.start()
        add = self.product.add_proxy
        self.hit_port = add("hits", self.upstream_port)
        self.guarded_port = add("guarded", self.upstream_port)
        self.product.manage("proxy", "set", "guarded", *GUARDS)
        self.miss_port = add("misses", self.upstream_port)
        self.off_port = add("uncached", self.upstream_port, cache="off")
        self.emulated_port = add("emulated", None, cache="off")
        self.recorded_port = add("emulated-recorded", None)
        self.stream_port = add("streams", self.stub_port)
        self.crowd_port = add("crowd", self.stub_port, cache="off")

    # --- CPU per request

    def _cpu(self) -> None:
        nginx, product = self.nginx, self.product

        def worker(port: int) -> Callable[[], list[int]]:
            return lambda: [product.worker_pid(port)]

        canned = Contender("nginx `return`", nginx.canned_port, nginx.pids, is_unique=False)
        cached = Contender("nginx proxy_cache hit", nginx.cache_port, nginx.pids, is_unique=False)
        passed = Contender("nginx proxy_pass", nginx.proxy_port, nginx.pids, is_unique=True)
        hit = Contender("cached reply, logged", self.hit_port, worker(self.hit_port), is_unique=False)
        guarded = Contender(
            "cached reply, logged, every stage on", self.guarded_port, worker(self.guarded_port), is_unique=False
        )
        miss = Contender("miss, recorded and logged", self.miss_port, worker(self.miss_port), is_unique=True)
        off = Contender("miss, logged (cache off)", self.off_port, worker(self.off_port), is_unique=True)
        port = self.emulated_port
        again = Contender("emulated reply, the same prompt again, logged (cache off)", port, worker(port), False)
        fresh = Contender("emulated reply, each prompt a new one, logged (cache off)", port, worker(port), True)
        streamed_again = Contender("emulated stream, the same prompt again", port, worker(port), False, True)
        streamed = Contender("emulated stream, each prompt a new one", port, worker(port), True, True)
        port = self.recorded_port
        recorded = Contender("emulated reply, each recorded and logged", port, worker(port), is_unique=True)
        contenders = [canned, cached, passed, hit, guarded, miss, off, again, fresh, streamed_again, streamed, recorded]
        light_hit = light_miss = None
        if self.with_litellm:
            light_hit, light_miss = self._litellm()
            contenders += [light_hit, light_miss]
        for number in range(self.effort.rounds + 1):  # the first one warms up
            for contender in contenders:
                self._round(contender, is_warm_up=number == 0)
        rows = self.rows
        rows += [
            Row(contender.name, contender.us, "us", note=self._rate(contender))
            for contender in (canned, cached, passed)
        ]
        rows.append(Row(hit.name, hit.us, "us", 60, 45, note=self._rate(hit)))
        rows.append(Row("  against nginx cache hit", cached.us / hit.us, "x", 0.40, is_minimum=True))
        rows.append(Row(guarded.name, guarded.us, "us", note=self._rate(guarded)))
        rows.append(Row("  against the one with all stages off", guarded.us / hit.us, "x", 1.10))
        rows.append(Row(off.name, off.us, "us", 110, 85, note=self._rate(off)))
        rows.append(Row("  against nginx proxy_pass", passed.us / off.us, "x", 0.17, is_minimum=True))
        rows.append(Row(miss.name, miss.us, "us", 110, 85, note=self._rate(miss)))
        rows.append(Row("  against nginx proxy_pass", passed.us / miss.us, "x", 0.17, is_minimum=True))
        for emulated in (again, fresh):
            rows.append(Row(emulated.name, emulated.us, "us", note=self._rate(emulated)))
            rows.append(Row("  against our cached reply", emulated.us / hit.us, "x", 2))
        rows += [
            Row(contender.name, contender.us, "us", note=self._rate(contender))
            for contender in (streamed_again, streamed, recorded)
        ]
        besides = statistics.median(hit.besides + miss.besides + off.besides + again.besides + fresh.besides)
        rows.append(Row("log writer, for each request", besides, "us", note="a process of its own"))
        if light_hit is not None and light_miss is not None:
            rows.append(Row(light_hit.name, light_hit.us, "us", note=self._rate(light_hit)))
            rows.append(Row("  against Rubberduck's", light_hit.us / hit.us, "x", 80, is_minimum=True))
            rows.append(Row(light_miss.name, light_miss.us, "us", note=self._rate(light_miss)))
            rows.append(Row("  against Rubberduck's (cache off)", light_miss.us / off.us, "x", 75, is_minimum=True))

    def _rate(self, contender: Contender) -> str:
        return f"{statistics.median(contender.per_s):.0f} requests/s on one core"

    def _round(self, contender: Contender, *, is_warm_up: bool) -> None:
        effort = self.effort
        pids = list(contender.pids())
        writer = self.product.log_writer_pids()
        before, writer_before = cpu_us(pids), cpu_us(writer)
        result = run_wrk(
            contender.port,
            contender.warm_up_s if is_warm_up else effort.round_s,
            self.other,
            is_unique=contender.is_unique,
            is_streaming=contender.is_streaming,
        )
        is_ours = contender.port in (
            self.hit_port, self.guarded_port, self.miss_port, self.off_port, self.emulated_port, self.recorded_port
        )  # fmt: skip
        if is_ours:  # what is done later (recordings, log rows) belongs to the requests that caused it
            self._settle(pids)
            self.product.wait_logged()
        if not is_warm_up:
            contender.cpu.append((cpu_us(pids) - before) / result.answered)
            contender.per_s.append(result.answered / result.seconds)
            if is_ours:
                contender.besides.append((cpu_us(writer) - writer_before) / result.answered)

    def _settle(self, pids: list[int]) -> None:
        deadline = time.monotonic() + 60
        last = -1.0
        while (now := cpu_us(pids)) > last + 10_000 and time.monotonic() < deadline:
            last = now
            time.sleep(1.2)

    def _litellm(self) -> tuple[Contender, Contender]:
        version = install()
        made = []
        for is_caching in (True, False):
            name = f"LiteLLM {version}, " + ("cached reply" if is_caching else "pass-through")
            server = LiteLLM(
                self.directory / ("litellm-cached" if is_caching else "litellm"),
                upstream_port=self.upstream_port,
                core=self.core,
                is_caching=is_caching,
            )
            self._stops.append(server.stop)
            made.append(Contender(name, server.port, server.pids, is_unique=not is_caching, warm_up_s=8.0))
        return made[0], made[1]

    # --- latency

    def _latency(self) -> None:
        same = request_bytes(body("the same"))
        run = fresh_mark()

        def unique(number: int) -> bytes:
            return request_bytes(body(f"{run} {number}"))

        peer, ours = latencies_ms(
            [Target(self.nginx.proxy_port, unique), Target(self.off_port, unique)],
            per_s=100,
            count=self.effort.misses,
        )
        self._added("miss, 100/s", peer, ours, must=(0.35, 1.0), aim=(0.1, 0.3), most_p99=5)
        peer, ours = latencies_ms(
            [Target(self.nginx.canned_port, lambda number: same), Target(self.hit_port, lambda number: same)],
            per_s=500,
            count=self.effort.hits,
        )
        self._added("cached, 500/s", peer, ours, must=(0.25, 1.0), aim=(0.1, 0.3), most_p99=10)

    def _added(
        self,
        name: str,
        peer: list[float],
        ours: list[float],
        *,
        must: tuple[float, float],
        aim: tuple[float, float],
        most_p99: float,
    ) -> None:
        for percent, most, wished in zip((50, 99), must, aim, strict=True):
            theirs, mine = percentile(peer, percent), percentile(ours, percent)
            note = f"{mine:.3f} ms, nginx {theirs:.3f} ms"
            self.rows.append(Row(f"added latency, {name}, p{percent}", mine - theirs, "ms", most, wished, note=note))
        self.rows.append(Row(f"latency, {name}, p99", percentile(ours, 99), "ms", most_p99))

    # --- streams

    def _streams(self) -> None:
        ports = [self.stub_port, self.nginx.stream_port, self.stream_port]
        direct, peer, ours = stream_times(ports, rounds=self.effort.streams)
        first = f"nginx {peer.first_ms - direct.first_ms:.3f} ms, direct {direct.first_ms:.3f} ms"
        later = f"nginx {peer.later_ms - direct.later_ms:.3f} ms, direct {direct.later_ms:.3f} ms"
        rows = self.rows
        rows.append(
            Row("stream: added to first event, p50", ours.first_ms - direct.first_ms, "ms", 0.6, 0.35, note=first)
        )
        rows.append(
            Row("stream: added to later events, p50", ours.later_ms - direct.later_ms, "ms", 0.1, 0.06, note=later)
        )
        rows.append(
            Row(
                "stream: reads per event", ours.reads_per_event, "", 0.99, is_minimum=True,
                note=f"nginx {peer.reads_per_event:.2f}",
            )
        )  # fmt: skip
        cancelled = cancel_times_ms(self.stream_port, self.stub_port, count=self.effort.cancels)
        rows.append(
            Row(
                "upstream cancelled after the client left, p50", percentile(cancelled, 50), "ms", 50, 10,
                note=f"the slowest of {len(cancelled)}: {cancelled[-1]:.1f} ms",
            )
        )  # fmt: skip

    def _crowd(self) -> None:
        alone: list[float] = []
        crowded: list[float] = []
        port = self.crowd_port
        for number in range(self.effort.rounds + 1):
            for count, found in ((1, alone), (self.effort.held, crowded)):
                held = HeldStreams(port, count)
                pids = [self.product.worker_pid(port)]
                before = cpu_us(pids)
                result = run_wrk(port, self.effort.round_s, self.other, is_unique=True)
                used = (cpu_us(pids) - before) / result.answered
                held.close()
                if number or self.effort.rounds == 1:
                    found.append(used)
        few, many = statistics.median(alone), statistics.median(crowded)
        name = f"cost growth from 1 to {self.effort.held} held upstream connections"
        self.rows.append(Row(name, (many / few - 1) * 100, "%", 5, 0, note=f"{few:.1f} us to {many:.1f} us"))

    # --- records

    def _durability(self) -> None:
        port = self.product.add_proxy("killed", self.upstream_port)
        answered, lost = answered_and_lost(self.product, port, kills=self.effort.kills, gap_s=1.0)
        note = f"{answered} answered, {self.effort.kills} kills"
        self.rows.append(Row("answered requests lost from the log on kill -9", lost, "", 0, 0, note=note))

    # --- idle proxies

    def _workers(self) -> None:
        directory = self.directory / "workers"
        directory.mkdir()
        found = workers_bench.measure(
            directory, self.effort.proxies, self.effort.idle_s, _free_range(self.effort.proxies)
        )
        rows = self.rows
        count = self.effort.proxies
        rows.append(Row("PSS of an idle proxy", found["pss_idle_mib"], "MiB", 6, 3.5))
        rows.append(Row("PSS of a proxy after use", found["pss_after_20_requests_mib"], "MiB", 10, 7))
        note = "from the command, the interpreter's own start included"
        rows.append(Row(f"{count} idle proxies up after", found["until_all_run_s"], "s", 3, 1, note=note))
        rows.append(Row(f"CPU of {count} idle proxies", found["idle_cpu_percent_of_a_core"], "%", 1, 0))


def _free_range(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for _ in range(100):
        first = free_ports(1)[0]
        if first + count < 65536 and all(map(_is_free, range(first, first + count))):
            return first
    raise BenchError(f"there are no {count} free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="half a minute; shows that everything runs, not how fast")
    parser.add_argument(
        "--litellm", action="store_true", default=os.environ.get("BENCH_PEERS") == "1", help="measure LiteLLM too"
    )
    options = parser.parse_args()
    effort = QUICK if options.quick else Effort()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rubberduck-bench-") as directory:
        bench = Bench(Path(directory), effort, with_litellm=options.litellm)
        failure = ""
        try:
            bench.run()
        except BenchError as error:
            failure = f"The benchmark cannot go on: {error}"
    rows = bench.rows
    print()
    print(table(rows))
    print()
    print(
        f"CPU: microseconds of user and system time per request. {CONNECTIONS} connections, requests of "
        f"{len(body('the same'))} bytes. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, Linux {platform.release()}; {time.monotonic() - began:.0f} s."
    )
    if not_met := missed(rows):
        print(f"Not met: {', '.join(row.name.strip() for row in not_met)}.")
    if failure:
        raise SystemExit(failure)


if __name__ == "__main__":
    main()
