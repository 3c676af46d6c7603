"""Reads proxies together with what is observed of them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from providers.registry import all_providers
from proxies.errors import Ambiguous, NotFound
from proxies.models import DesiredState, ObservedState, Proxy, ProxyRuntime, SupervisorHeartbeat

HEARTBEAT_MAX_AGE_S = 20.0  # the supervisor writes one every 5 s, if the database lets it
TROUBLE = frozenset({ObservedState.FAILED, ObservedState.BACKING_OFF})
NO_SUPERVISOR = "The supervisor is not running; start it with `make run` or `manage.py runproxies`."


@dataclass(frozen=True, slots=True)
class Observation:
    """What is really so of one proxy. `reason` is in words, empty when there is nothing to explain."""

    state: ObservedState
    reason: str = ""
    reason_code: str = ""
    applied_generation: int = 0
    in_flight: int = 0
    restarts: int = 0


class Applied(StrEnum):
    """How far a change has come."""

    LIVE = "live"  # the proxy serves with it
    APPLYING = "applying"  # not taken up yet
    STOPPED = "stopped"  # the proxy is not wanted running: it will start with it
    DRAINING = "draining"  # the proxy is not wanted running, and has requests in flight
    FAILED = "failed"  # the proxy is wanted running, and does not serve with it


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change of a proxy has come, and what was observed then."""

    applied: Applied
    seen: Observation

    @property
    def reason(self) -> str:
        """Why a change that has failed does not serve, in words; else empty."""
        return self.seen.reason if self.applied is Applied.FAILED else ""


def proxies_of(user: User) -> QuerySet[Proxy]:
    return Proxy.objects.filter(owner=user)


def all_proxies() -> QuerySet[Proxy]:
    return Proxy.objects.select_related("owner").order_by("name", "pk")


def proxy_by_name(name: str, *, owner_email: str | None = None) -> Proxy:
    """The proxy of that name, in any case. Raises NotFound, or Ambiguous when several owners have one and none is
    named."""
    found = Proxy.objects.select_related("owner").filter(name__iexact=name)
    if owner_email is not None:
        found = found.filter(owner__email__iexact=owner_email)
    proxies = list(found)
    if not proxies:
        raise NotFound(f"There is no proxy named {name!r}" + (f" owned by {owner_email}." if owner_email else "."))
    if len(proxies) > 1:
        owners = ", ".join(sorted(str(proxy.owner or "nobody") for proxy in proxies))
        raise Ambiguous(f"Several proxies are named {name!r}, owned by {owners}; say whose with --owner.")
    return proxies[0]


def proxy_owned_by(user: User, proxy_id: int) -> Proxy:
    """The proxy, for its owner. Raises NotFound for everybody else, staff too: they have the admin."""
    proxy = proxies_of(user).filter(pk=proxy_id).first()
    if proxy is None:
        raise NotFound("There is no such proxy.")
    return proxy


def live_supervisor() -> SupervisorHeartbeat | None:
    """The supervisor that runs, this machine's before others'. Only fresh heartbeats count, and here its process
    must exist."""
    fresh = SupervisorHeartbeat.objects.filter(
        heartbeat_at__gte=timezone.now() - timedelta(seconds=HEARTBEAT_MAX_AGE_S)
    )
    here = socket.gethostname()
    for beat in sorted(fresh, key=lambda beat: (beat.host != here, -beat.heartbeat_at.timestamp())):
        if beat.host != here or _exists(beat.pid):
            return beat
    return None


def observe(proxies: Iterable[Proxy]) -> dict[int, Observation]:
    """Proxy id -> what is observed, for every proxy given; two queries."""
    proxies = list(proxies)
    supervisor = live_supervisor()
    if supervisor is None:
        return {
            proxy.pk: Observation(ObservedState.STOPPED, NO_SUPERVISOR, "no_supervisor")
            if proxy.desired_state == DesiredState.RUNNING
            else Observation(ObservedState.STOPPED)
            for proxy in proxies
        }
    rows = ProxyRuntime.objects.filter(proxy__in=proxies, host=supervisor.host)
    found = {
        row.proxy_id: Observation(
            ObservedState(row.state), row.reason, row.reason_code, row.applied_generation, row.in_flight, row.restarts
        )
        for row in rows
    }
    return {proxy.pk: found.get(proxy.pk, Observation(ObservedState.STOPPED)) for proxy in proxies}


def observe_one(proxy: Proxy) -> Observation:
    return observe([proxy])[proxy.pk]


def progress_of(proxy: Proxy, seen: Observation) -> Progress:
    """How far the stored configuration has come. A reload that failed is tried again, and so is applying."""
    if proxy.desired_state != DesiredState.RUNNING:
        return Progress(Applied.STOPPED if seen.state is ObservedState.STOPPED else Applied.DRAINING, seen)
    if seen.reason_code == "no_supervisor":
        return Progress(Applied.FAILED, seen)
    # What was observed of an older generation says nothing of this one.
    if seen.applied_generation >= proxy.generation:
        if seen.state is ObservedState.RUNNING:
            return Progress(Applied.LIVE, seen)
        if seen.state in TROUBLE:
            return Progress(Applied.FAILED, seen)
    return Progress(Applied.APPLYING, seen)


def last_word(progress: Progress) -> Progress:
    """The same for whoever has waited long enough: a reload that failed, and is tried again, has failed."""
    if progress.applied is Applied.APPLYING and progress.seen.reason_code == "reload_failed":
        return Progress(Applied.FAILED, progress.seen)
    return progress


def running_proxies() -> int:
    """How many proxies serve at this moment."""
    return _count(ObservedState.RUNNING)


def failed_proxies() -> int:
    """How many proxies are wanted running and cannot be."""
    return _count(ObservedState.FAILED)


def proxies_behind(site_generation: int) -> int:
    """How many running proxies have not taken up the site settings of that generation yet."""
    supervisor = live_supervisor()
    if supervisor is None:
        return 0
    serving = ProxyRuntime.objects.filter(
        host=supervisor.host, state__in=(ObservedState.RUNNING, ObservedState.STARTING)
    )
    return serving.filter(applied_site_generation__lt=site_generation).count()


def _count(state: ObservedState) -> int:
    supervisor = live_supervisor()
    return ProxyRuntime.objects.filter(state=state, host=supervisor.host).count() if supervisor else 0


def base_url(proxy: Proxy) -> str:
    """Where clients on this machine reach the proxy, without a trailing slash."""
    host = proxy.bind or settings.PROXY_BIND
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{proxy.port}" if ":" in host else f"http://{host}:{proxy.port}"


def shown_model(proxy: Proxy) -> str:
    """The model name to show: the proxy's own, else its provider's example."""
    provider = all_providers().get(proxy.provider)
    return proxy.model or (provider.example_model if provider else "")


def proxy_summary(proxy: Proxy, observation: Observation) -> dict[str, Any]:
    """What `--json` prints of a proxy."""
    return {
        "id": proxy.pk,
        "name": proxy.name,
        "provider": proxy.provider,
        "port": proxy.port,
        "base_url": base_url(proxy),
        "desired_state": str(proxy.desired_state),
        "state": str(observation.state),
        "reason": observation.reason,
    }


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
