"""The REST API of a proxy's faults, rate limits and access lists, and of what there is to choose from."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.authentication import api_auth
from accounts.selectors import effective_site_settings
from logs.selectors import client_verdicts, newest_decision
from proxies.api import ProviderOut, described_providers
from proxies.api_replies import AccessOut, AppliedOut, FaultFieldsOut, LimitsOut, applied_members
from proxies.catalog import catalog
from proxies.dataplane.access import AccessList
from proxies.errors import Invalid
from proxies.field_schemas import body, fields_schema
from proxies.group_changes import replace_group
from proxies.models import Proxy
from proxies.requests import documented, user_of
from proxies.schemas import group_of
from proxies.selectors import proxy_owned_by
from proxies.services import proxy_reset_faults, wait_applied

router = Router(tags=["proxies"], auth=api_auth)


class FaultsOut(FaultFieldsOut):
    """`decisions`: how many exchanges of the present run the fault stage has seen, as far as they are logged."""

    decisions: int


class FaultsApplied(FaultsOut, AppliedOut): ...


class LimitsApplied(LimitsOut, AppliedOut): ...


class AccessApplied(AccessOut, AppliedOut): ...


class AddressTest(Schema):
    """`decided_by`: the entry that refuses the address, or that it is in no allow list; empty when it is let in."""

    address: str
    is_allowed: bool
    decided_by: str


class VerdictsOut(Schema):
    """How the proxy's clients have dealt with failures; see docs/faults.md."""

    calls: int
    retries: int
    waited_as_told: int
    came_too_soon: int
    backed_off: int
    retried_at_once: int
    pauses_grew: int
    pauses_did_not_grow: int
    recovered: int
    gave_up: int
    gave_up_at_once: int
    never_gave_up: int
    left_alone: int
    retried_in_vain: int
    open: int


class SettingOut(Schema):
    """One setting of a fault. `type`: boolean, integer, number, text or choice; `words` say it with its range."""

    name: str
    type: str
    words: str
    help: str
    default: Any
    is_nullable: bool
    ge: float | None
    gt: float | None
    le: float | None
    max_length: int | None
    choices: list[str]
    example: Any


class FaultOut(Schema):
    """`stage`: delay, replace or damage. `streams`: for streams only, for whole replies only, or (null) for both."""

    kind: str
    title: str
    summary: str
    stage: str
    streams: bool | None
    settings: list[SettingOut]


class PresetOut(Schema):
    """`providers`: whose bad day it is; empty: anybody's."""

    name: str
    title: str
    description: str
    providers: list[str]
    rules: list[Any]


class CatalogOut(Schema):
    """`operations`: their names by provider. `rule`: the JSON schema of one rule; `fields`: of a proxy's fields."""

    faults: list[FaultOut]
    presets: list[PresetOut]
    reasons: list[str]
    operations: dict[str, list[str]]
    rule: dict[str, Any]
    fields: dict[str, Any]
    providers: list[ProviderOut]


@router.get(
    "/catalog",
    tags=["catalog"],
    response=CatalogOut,
    summary="What a proxy can be told to be and to simulate",
)
def catalog_show(request: HttpRequest) -> dict[str, Any]:
    """Providers, the fields of a proxy, faults with their settings, presets, reasons of errors, and the operations that
    rules may name."""
    return {**catalog(), "fields": fields_schema(), "providers": described_providers()}


# --- faults


@router.get("/proxies/{int:proxy_id}/faults", response=FaultsOut)
def faults_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """The fault rules as they were written, and how far the present run has come."""
    return _faults(proxy_owned_by(user_of(request), proxy_id))


@router.put(
    "/proxies/{int:proxy_id}/faults",
    response=FaultsApplied,
    openapi_extra=documented(body("FaultSettings")),
)
def faults_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets all of it, JSON or YAML: what is left out goes back to its default. Other rules, or another seed, begin a
    new run."""
    proxy, applied = replace_group(request, proxy_id, "faults")
    return {**_faults(proxy), **applied}


@router.post("/proxies/{int:proxy_id}/faults/reset", response=FaultsApplied)
def faults_reset(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Begins a new run: the decision counter, and everything that rules and scripts count, begins again."""
    proxy = proxy_reset_faults(proxy=proxy_owned_by(user_of(request), proxy_id))
    return {**_faults(proxy), **applied_members(proxy, wait_applied(proxy))}


@router.get("/proxies/{int:proxy_id}/verdicts", response=VerdictsOut)
def verdicts_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """How clients have dealt with failures in the last day, or since the present run began."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    return asdict(client_verdicts(proxy.pk, proxy.faults_reset_at))


# --- rate limits


@router.get("/proxies/{int:proxy_id}/limits", response=LimitsOut)
def limits_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """How many requests and tokens a minute may have."""
    return group_of(proxy_owned_by(user_of(request), proxy_id), "limits")


@router.put(
    "/proxies/{int:proxy_id}/limits",
    response=LimitsApplied,
    openapi_extra=documented(body("LimitSettings")),
)
def limits_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets all of it, JSON or YAML: what is left out goes back to its default."""
    proxy, applied = replace_group(request, proxy_id, "limits")
    return {**group_of(proxy, "limits"), **applied}


# --- access lists


@router.get("/proxies/{int:proxy_id}/access", response=AccessOut)
def access_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """The proxy's own access lists; those for every port are site settings."""
    return group_of(proxy_owned_by(user_of(request), proxy_id), "access")


@router.put(
    "/proxies/{int:proxy_id}/access",
    response=AccessApplied,
    openapi_extra=documented(body("AccessSettings")),
)
def access_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets both lists, JSON or YAML: one that is left out is empty then."""
    proxy, applied = replace_group(request, proxy_id, "access")
    return {**group_of(proxy, "access"), **applied}


@router.get("/proxies/{int:proxy_id}/access/test", response=AddressTest)
def access_test(request: HttpRequest, proxy_id: int, address: Annotated[str, Query(max_length=100)]) -> dict[str, Any]:
    """Whether a client of this address would be let in, by the lists for every port and by the proxy's own."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    try:
        address = str(ipaddress.ip_address(address.strip()))
    except ValueError:
        raise Invalid(fields={"address": "Use an IP address, as in 192.0.2.7 or 2001:db8::7."}) from None
    site = effective_site_settings()
    everywhere = AccessList.parse(site.global_allow, site.global_block).check(address)
    own = AccessList.parse(proxy.allow, proxy.block).check(address)
    decided = f"for every port: {everywhere}" if everywhere else f"of this proxy: {own}" if own else ""
    return {"address": address, "is_allowed": not decided, "decided_by": decided}


def _faults(proxy: Proxy) -> dict[str, Any]:
    return {**group_of(proxy, "faults"), "decisions": newest_decision(proxy.pk, proxy.faults_reset_at)}
