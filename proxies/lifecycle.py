"""Wants proxies running, stopped or killed, and waits until they are."""

from __future__ import annotations

import time
from collections.abc import Sequence

from proxies.models import DesiredState, ObservedState, Proxy
from proxies.selectors import Observation, observe, observe_one
from proxies.services import proxy_kill, proxy_start, proxy_stop, wait_applied

SETTLE_S = 3.0
_POLL_S = 0.05
_TROUBLE = frozenset({ObservedState.FAILED, ObservedState.BACKING_OFF})
_SERVICES = {
    DesiredState.RUNNING: proxy_start,
    DesiredState.STOPPED: proxy_stop,
    DesiredState.KILLED: proxy_kill,
}


def proxy_want(*, proxy: Proxy, state: DesiredState) -> Proxy:
    """Writes what is wanted, if it is not already. A proxy in trouble that is wanted running is tried again at once."""
    is_tried_again = state is DesiredState.RUNNING and observe_one(proxy).state in _TROUBLE
    if proxy.desired_state == state and not is_tried_again:
        return proxy
    return _SERVICES[state](proxy=proxy)


def settle(proxy: Proxy, timeout_s: float = SETTLE_S) -> tuple[Observation, str]:
    """Waits until the proxy is as it is wanted: what is observed then, and `applied` in a word or in words. Blocks.
    Raises Proxy.DoesNotExist when it is gone."""
    proxy.refresh_from_db(fields=["generation", "desired_state"])
    if proxy.desired_state == DesiredState.RUNNING:
        applied = wait_applied(proxy, timeout_s)
        return observe_one(proxy), applied
    return wait_settled([proxy], timeout_s)[proxy.pk]


def wait_settled(proxies: Sequence[Proxy], timeout_s: float = SETTLE_S) -> dict[int, tuple[Observation, str]]:
    """The same for several proxies at once, by their ids."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = observe(proxies)
        found = {proxy.pk: (seen[proxy.pk], _applied(proxy, seen[proxy.pk])) for proxy in proxies}
        if time.monotonic() >= deadline or not any(words in ("applying", "draining") for _, words in found.values()):
            return found
        time.sleep(_POLL_S)


def _applied(proxy: Proxy, seen: Observation) -> str:
    if proxy.desired_state != DesiredState.RUNNING:
        return "stopped" if seen.state is ObservedState.STOPPED else "draining"
    if seen.reason_code == "no_supervisor":
        return seen.reason
    if seen.applied_generation >= proxy.generation:
        if seen.state is ObservedState.RUNNING:
            return "live"
        if seen.state in _TROUBLE:
            return seen.reason
    return "applying"
