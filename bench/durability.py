"""Whether a worker killed with -9 under load takes records of answered requests with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

from bench.client import Client, header, request_bytes
from bench.load import body, fresh_mark
from bench.processes import wait_until
from bench.product import Product

CLIENTS = 8


def answered_and_lost(product: Product, port: int, *, kills: int, gap_s: float) -> tuple[int, int]:
    """How many replies arrived whole while the worker was killed again and again, and how many of them are not in the
    log."""
    stop = threading.Event()
    answered: list[set[str]] = [set() for _ in range(CLIENTS)]
    threads = [threading.Thread(target=_ask_on, args=(port, stop, ids, place)) for place, ids in enumerate(answered)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            time.sleep(gap_s)
            killed = product.worker_pid(port)
            os.kill(killed, signal.SIGKILL)
            # The supervisor keeps the socket listening, so only its list tells when somebody answers again.
            wait_until(partial(product.has_new_worker, port, killed), "the worker starts again")
        time.sleep(gap_s)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    product.wait_logged()
    logged = product.logged_ids()
    everything = set().union(*answered)
    return len(everything), len(everything - logged)


def _ask_on(port: int, stop: threading.Event, ids: set[str], place: int) -> None:
    client: Client | None = None
    number = 0
    while not stop.is_set():
        number += 1
        # Every other request is one of its own: hits and misses both must be there.
        mark = f"kill {place} {fresh_mark()}" if number % 2 else "kill"
        try:
            if client is None:
                client = Client(port, timeout_s=5)
            head, _ = client.ask(request_bytes(body(mark)))
        except OSError:  # killed meanwhile: this one was not answered
            if client is not None:
                client.close()
                client = None
            time.sleep(0.02)
            continue
        identifier = header(head, b"x-rubberduck-request-id")
        if identifier is not None:
            ids.add(identifier.decode().replace("-", ""))
    if client is not None:
        client.close()
