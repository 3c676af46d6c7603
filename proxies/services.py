"""Changes proxies: the only writer of what is wanted of them. Every change wakes the supervisor after its commit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from accounts.selectors import effective_site_settings
from providers.base import Origin, Provider
from providers.registry import all_providers
from proxies.dataplane.addresses import host_refusal, is_own_address, parse_upstream
from proxies.errors import Invalid, NotAllowed, NotFound
from proxies.models import DesiredState, ObservedState, Proxy, Recording
from proxies.ports import can_be_bound, next_free_port
from proxies.schemas import COLUMNS, fields_of, flatten, validate
from proxies.selectors import (
    NO_SUPERVISOR,
    TROUBLE,
    Applied,
    Progress,
    last_word,
    live_supervisor,
    observe_one,
    progress_of,
    proxies_behind,
)
from proxies.wakeup import wake_supervisor

_T = TypeVar("_T")
PURGE_ROWS = 500
_POLL_S = 0.05
_PORT_TRIES = 20
_NEW_RUN = frozenset({"faults.rules", "faults.seed"})  # with others of them, decisions are numbered from 1 again


def proxy_create(*, owner: User | None, fields: Mapping[str, Any], may_reference_credentials: bool = False) -> Proxy:
    """Makes a proxy, stopped. `fields` as the API names them, nested or dotted; a missing port is assigned. Raises
    Invalid."""
    values = validate({}, flatten(fields))
    proxy = Proxy(owner=owner)
    _check(proxy, values, set(COLUMNS), may_reference_credentials)
    assigns_port = values["port"] is None
    tried: set[int] = set()
    while True:
        if assigns_port:
            values["port"] = next_free_port(values["bind"] or settings.PROXY_BIND, besides=frozenset(tried))
        for name, column in COLUMNS.items():
            setattr(proxy, column, values[name])
        try:
            with transaction.atomic():
                proxy.save(force_insert=True)
                transaction.on_commit(wake_supervisor)
            return proxy
        except IntegrityError:
            # Somebody was quicker. The checks say which field it was; a port we chose ourselves is chosen anew.
            proxy.pk = None
            tried.add(values["port"])
            if not assigns_port or not Proxy.objects.filter(port=values["port"]).exists() or len(tried) > _PORT_TRIES:
                _check(proxy, values, {"name", "port"}, may_reference_credentials)
                raise


def proxy_check(
    *, proxy: Proxy, owner: User | None, fields: Mapping[str, Any], may_reference_credentials: bool = False
) -> None:
    """What `proxy_create` (of a proxy not saved yet) or `proxy_update` would say of these fields, without saving."""
    stored = {} if proxy._state.adding else fields_of(proxy)
    values = validate(stored, flatten(fields))
    changed = {name for name in COLUMNS if values[name] != stored.get(name)}
    _check(Proxy(pk=proxy.pk, owner=owner), values, changed, may_reference_credentials)


def proxy_update(*, proxy: Proxy, changes: Mapping[str, Any], may_reference_credentials: bool = False) -> Proxy:
    """Changes the given fields (nested or dotted; None: back to the default). The generation rises if anything changed.

    Raises Invalid, and NotFound when the proxy is gone. The new configuration is live when `wait_applied` says so.
    """
    given = flatten(changes)
    with transaction.atomic():
        current = _locked(proxy)
        stored = fields_of(current)
        values = validate(stored, given)
        if values["port"] is None:
            values["port"] = next_free_port(values["bind"] or settings.PROXY_BIND)
        changed = {name for name in COLUMNS if _differs(values[name], stored[name])}
        _check(current, values, changed, may_reference_credentials)
        if changed:
            for name in changed:
                setattr(current, COLUMNS[name], values[name])
            if changed & _NEW_RUN:
                current.faults_reset_at = timezone.now()
            current.generation += 1
            try:
                with transaction.atomic():
                    current.save()
            except IntegrityError:
                _check(current, values, {"name", "port"}, may_reference_credentials)
                raise
            transaction.on_commit(wake_supervisor)
    return current


def proxy_edit(
    *, proxy: Proxy, edit: Callable[[Proxy], Mapping[str, Any]], may_reference_credentials: bool = False
) -> Proxy:
    """Changes what `edit` makes of the proxy as it is stored now: of two edits at once, the second sees the first.

    Raises what `edit` and `proxy_update` raise.
    """
    with transaction.atomic():
        current = _locked(proxy)
        return proxy_update(proxy=current, changes=edit(current), may_reference_credentials=may_reference_credentials)


def proxies_adopt(*, user: User) -> int:
    """Gives the proxies without an owner to the first account there is; how many they were. Later accounts get none."""
    if User.objects.exclude(pk=user.pk).exists():
        return 0
    return Proxy.objects.filter(owner__isnull=True).update(owner=user)


def proxy_start(*, proxy: Proxy) -> Proxy:
    """Wants the proxy running. One that failed or backs off is tried again at once."""
    retries = observe_one(proxy).state in TROUBLE
    return _want(proxy, DesiredState.RUNNING, raises_generation=retries)


def proxy_stop(*, proxy: Proxy) -> Proxy:
    """Wants the proxy stopped: requests in flight finish, new ones are refused."""
    return _want(proxy, DesiredState.STOPPED)


def proxy_kill(*, proxy: Proxy) -> Proxy:
    """Wants the proxy stopped at once, requests in flight cut."""
    return _want(proxy, DesiredState.KILLED)


def proxy_delete(*, proxy: Proxy) -> None:
    """Removes the proxy and its recordings; its log stays. A running one drains: the supervisor stops what has no
    row."""
    recordings_purge(proxy.pk)
    Proxy.objects.filter(pk=proxy.pk).delete()
    transaction.on_commit(wake_supervisor)


def proxy_invalidate(*, proxy: Proxy) -> Proxy:
    """Forgets every recording of the proxy: at once, because keys hold the epoch; the old rows are deleted in the
    background."""
    with transaction.atomic():
        current = _locked(proxy)
        current.cache_epoch += 1
        current.generation += 1
        current.save(update_fields=["cache_epoch", "generation", "updated_at"])
        pk, epoch = current.pk, current.cache_epoch
        transaction.on_commit(partial(async_task, "proxies.services.recordings_purge", pk, epoch))
        transaction.on_commit(wake_supervisor)
    return current


def proxy_reset_faults(*, proxy: Proxy) -> Proxy:
    """Begins a new run: decisions are numbered from 1 again, and everything that rules and scripts count begins anew.
    The same requests then meet the same faults."""
    with transaction.atomic():
        current = _locked(proxy)
        current.faults_reset_at = timezone.now()
        current.generation += 1
        current.save(update_fields=["faults_reset_at", "generation", "updated_at"])
        transaction.on_commit(wake_supervisor)
    return current


def recordings_purge(proxy_id: int, before_epoch: int | None = None) -> int:
    """Deletes a proxy's recordings of epochs before the given one (None: all), in short transactions; how many there
    were."""
    rows = Recording.objects.filter(proxy_id=proxy_id)
    if before_epoch is not None:
        rows = rows.filter(epoch__lt=before_epoch)
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:PURGE_ROWS]):
        deleted += Recording.objects.filter(pk__in=ids).delete()[0]
    return deleted


def recordings_delete(*, ids: Iterable[int]) -> int:
    """Deletes single recordings. The workers' copies in memory go when they take up the raised generation."""
    rows = Recording.objects.filter(pk__in=list(ids))
    with transaction.atomic():
        proxy_ids = set(rows.values_list("proxy_id", flat=True))
        deleted = rows.delete()[0]
        Proxy.objects.filter(pk__in=proxy_ids).update(generation=F("generation") + 1)
        transaction.on_commit(wake_supervisor)
    return deleted


def wait_applied(proxy: Proxy, timeout_s: float = 3.0) -> Progress:
    """Waits until the stored configuration serves, or it is clear that it does not; not for a proxy that is not wanted
    running. Blocks. Raises Proxy.DoesNotExist when it is gone."""
    proxy.refresh_from_db(fields=["generation", "desired_state"])
    progress: Progress

    def look() -> Progress | None:
        nonlocal progress
        progress = progress_of(proxy, observe_one(proxy))
        return None if progress.applied is Applied.APPLYING else progress

    return _poll(look, timeout_s) or last_word(progress)


def wait_site_applied(generation: int, timeout_s: float = 3.0) -> Applied:
    """Waits until every running proxy has taken up the site settings of that generation: LIVE; APPLYING when that
    takes longer, STOPPED when there is no supervisor and so no proxy that runs. Blocks."""

    def look() -> Applied | None:
        if live_supervisor() is None:
            return Applied.STOPPED
        return None if proxies_behind(generation) else Applied.LIVE

    return _poll(look, timeout_s) or Applied.APPLYING


def wait_running(proxy: Proxy, timeout_s: float = 10.0) -> str | None:
    """Waits until the proxy runs: None; else why it does not, in words. Blocks."""

    def look() -> str | None:
        seen = observe_one(proxy)
        if seen.state is ObservedState.RUNNING:
            return ""
        # A reason that was observed of an older generation says nothing of this one.
        return seen.reason if seen.state in TROUBLE and seen.applied_generation >= proxy.generation else None

    proxy.refresh_from_db(fields=["generation", "desired_state"])
    if live_supervisor() is None:
        return NO_SUPERVISOR
    reason = _poll(look, timeout_s)
    if reason is None:
        seen = observe_one(proxy)
        return seen.reason or f"The proxy is still {seen.state.replace('_', ' ')} after {timeout_s:g} s."
    return reason or None


def wait_stopped(proxy: Proxy, timeout_s: float) -> bool:
    """Waits until the proxy no longer serves; whether that came to pass. Blocks."""
    return _poll(lambda: observe_one(proxy).state is ObservedState.STOPPED or None, timeout_s) is not None


def _poll(look: Callable[[], _T | None], timeout_s: float) -> _T | None:
    deadline = time.monotonic() + timeout_s
    while (seen := look()) is None:
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_S)
    return seen


def _differs(value: Any, stored: Any) -> bool:
    """Canned replies are compared as they are sent: 1 is not true, and the order of members counts."""
    return bool(value != stored) or (isinstance(value, list) and json.dumps(value) != json.dumps(stored))


def _locked(proxy: Proxy) -> Proxy:
    current = Proxy.objects.select_for_update().filter(pk=proxy.pk).first()
    if current is None:
        raise NotFound(f"The proxy {proxy.name!r} is gone.")
    return current


def _want(proxy: Proxy, state: DesiredState, *, raises_generation: bool = False) -> Proxy:
    with transaction.atomic():
        current = _locked(proxy)
        current.desired_state = state
        if raises_generation:
            current.generation += 1
        current.save(update_fields=["desired_state", "generation", "updated_at"])
        transaction.on_commit(wake_supervisor)
    return current


def _check(proxy: Proxy, values: Mapping[str, Any], changed: set[str], may_reference_credentials: bool) -> None:
    """What a field's own form cannot tell: other rows, the site's policy, who asks. Raises Invalid or NotAllowed."""
    errors: dict[str, str] = {}
    others = Proxy.objects.exclude(pk=proxy.pk)
    if "name" in changed and others.filter(owner=proxy.owner, name__iexact=values["name"]).exists():
        errors["name"] = "Another proxy of the same owner has this name."
    if "port" in changed and values["port"] is not None and (reason := _taken(values["port"], proxy.owner, others)):
        errors["port"] = reason
    provider = all_providers().get(values["provider"])
    if provider is None:
        errors["provider"] = f"There is no such provider; use one of {', '.join(all_providers())}."
    else:
        errors |= _provider_errors(provider, values, changed)
    if values["upstream"] and changed & {"upstream", "port", "bind"}:
        origin = parse_upstream(values["upstream"])
        may_reach_private = effective_site_settings().allow_private_upstreams
        refusal = host_refusal(origin.host, may_reach_private=may_reach_private)
        if refusal and "upstream" in changed:
            errors["upstream"] = f"{refusal}."
        elif origin.port == settings.WEB_BIND[1] and is_own_address(origin.host, settings.WEB_BIND[0]):
            errors["upstream"] = "This is the web interface of this installation."
        elif (way := _way_back(origin, values, proxy.owner, others)) is not None:
            errors["upstream"] = f"The proxy would be its own upstream{way}."
    _check_credential(values, changed, may_reference_credentials)
    if errors:
        raise Invalid(fields=errors)


def port_refusal(*, user: User, port: int, bind: str) -> str | None:
    """Why a new proxy of the user could not listen there now, in words; None when it could. `bind` "": the default."""
    if (reason := _taken(port, user, Proxy.objects.all())) is not None:
        return reason
    if not can_be_bound(bind or settings.PROXY_BIND, port):
        return f"Port {port} is in use by another program, or may not be used."
    return None


def _taken(port: int, owner: User | None, others: QuerySet[Proxy]) -> str | None:
    taken = others.filter(port=port).first()
    if taken is not None:
        return f"Port {port} belongs to another proxy{_name_for(owner, taken)}."
    return f"Port {port} is the one of the web interface." if port == settings.WEB_BIND[1] else None


def _way_back(origin: Origin, values: Mapping[str, Any], owner: User | None, others: QuerySet[Proxy]) -> str | None:
    """How an upstream leads back to the proxy it belongs to, in words: "" at once, or by way of others on this machine.

    None: it does not. Whoever closes a circle is refused, so there is none among the others.
    """
    bind, way = values["bind"], ""
    seen: set[int] = set()
    while is_own_address(origin.host, bind or settings.PROXY_BIND):
        if origin.port == values["port"]:
            return way
        other = None if origin.port in seen else others.filter(port=origin.port).first()
        if other is None or not other.upstream:
            return None
        seen.add(origin.port)
        way = f", by way of {_port_for(owner, other)}"
        bind, origin = other.bind, parse_upstream(other.upstream)
    return None


def _provider_errors(provider: Provider, values: Mapping[str, Any], changed: set[str]) -> dict[str, str]:
    """What the provider lacks, and what would do nothing with it."""
    errors: dict[str, str] = {}
    if not values["upstream"] and provider.needs_upstream:
        errors["upstream"] = (
            f"{provider.label} has no default upstream: give your own, as in https://example.openai.azure.com."
        )
    if values["credential"] and not provider.takes_credential and changed & {"provider", "credential"}:
        errors["credential"] = f"{provider.label} takes the credentials each request brings: leave this empty."
    if values["region"] and not provider.derives_upstream and changed & {"provider", "region"}:
        errors["region"] = f"{provider.label} has no regions: leave this empty."
    return errors


def _check_credential(values: Mapping[str, Any], changed: set[str], may_reference_credentials: bool) -> None:
    if may_reference_credentials or not values["credential"]:
        return
    if "credential" in changed:
        raise NotAllowed(fields={"credential": "Only staff may refer to credentials of this machine."})
    # Else its owner could send what a member of staff entrusted to one upstream to another of their choice.
    for name in ("upstream", "provider"):
        if name in changed:
            raise NotAllowed(
                fields={name: "This proxy uses credentials of this machine; only staff may change this field."}
            )


def _name_for(owner: User | None, other: Proxy) -> str:
    """The name of a proxy, for its own owner only; of nobody's, for nobody's."""
    return f", {other.name!r}" if _belongs_to(owner, other) else ""


def _port_for(owner: User | None, other: Proxy) -> str:
    """The same with its port: where other people's proxies lead is theirs to know."""
    return f"port {other.port}" if _belongs_to(owner, other) else "another proxy"


def _belongs_to(owner: User | None, other: Proxy) -> bool:
    return bool(other.owner_id == (owner.pk if owner is not None else None))
