"""Wants proxies running, stopped or killed, and waits until they are."""

from __future__ import annotations

import time
from collections.abc import Sequence

from proxies.models import DesiredState, Proxy
from proxies.selectors import TROUBLE, Applied, Progress, last_word, observe, observe_one, progress_of
from proxies.services import proxy_kill, proxy_start, proxy_stop

SETTLE_S = 3.0
_POLL_S = 0.05
_UNDER_WAY = frozenset({Applied.APPLYING, Applied.DRAINING})
_SERVICES = {
    DesiredState.RUNNING: proxy_start,
    DesiredState.STOPPED: proxy_stop,
    DesiredState.KILLED: proxy_kill,
}


def proxy_want(*, proxy: Proxy, state: DesiredState) -> Proxy:
    """Writes what is wanted, if it is not already. A proxy in trouble that is wanted running is tried again at once."""
    is_tried_again = state is DesiredState.RUNNING and observe_one(proxy).state in TROUBLE
    if proxy.desired_state == state and not is_tried_again:
        return proxy
    return _SERVICES[state](proxy=proxy)


def settle(proxy: Proxy, timeout_s: float = SETTLE_S) -> Progress:
    """Waits until the proxy is as it is wanted, stopped too. Blocks. Raises Proxy.DoesNotExist when it is gone."""
    proxy.refresh_from_db(fields=["generation", "desired_state"])
    return wait_settled([proxy], timeout_s)[proxy.pk]


def wait_settled(proxies: Sequence[Proxy], timeout_s: float = SETTLE_S) -> dict[int, Progress]:
    """The same for several proxies at once, by their ids."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = observe(proxies)
        found = {proxy.pk: progress_of(proxy, seen[proxy.pk]) for proxy in proxies}
        if not any(progress.applied in _UNDER_WAY for progress in found.values()):
            return found
        if time.monotonic() >= deadline:
            return {proxy_id: last_word(progress) for proxy_id, progress in found.items()}
        time.sleep(_POLL_S)
