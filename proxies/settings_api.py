"""The REST API of a proxy's faults, rate limits and access lists, and of what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.security import django_auth
from pydantic import BaseModel

from logs.selectors import newest_decision
from proxies.catalog import catalog, rules_schema
from proxies.dataplane.config import LimitScope, OverLimit
from proxies.errors import Invalid
from proxies.models import Proxy
from proxies.requests import document_of, documented, user_of
from proxies.schemas import GROUPS, AccessFields, FaultFields, LimitFields, group_of
from proxies.selectors import proxy_seen_by
from proxies.services import proxy_reset_faults, proxy_update, wait_applied

router = Router(tags=["proxies"], auth=django_auth)
_READ_ONLY = frozenset({"applied", "decisions"})  # what a reply says besides may be sent back, and does nothing


class FaultsOut(Schema):
    """`decisions`: how many exchanges of the present run the fault stage has seen, as far as they are logged."""

    rules: list[Any]
    seed: int
    enabled: bool
    per_request: bool
    decisions: int


class LimitsOut(Schema):
    rpm: int | None
    tpm: int | None
    per: LimitScope
    over_limit: OverLimit
    hold_s: float
    counts_hits: bool
    quota_headers: bool


class AccessOut(Schema):
    allow: list[str]
    block: list[str]


class Applied(Schema):
    """`applied`: "live", "applying" (not taken up yet), "stopped" (the proxy is), or why it does not serve."""

    applied: str


class FaultsApplied(FaultsOut, Applied): ...


class LimitsApplied(LimitsOut, Applied): ...


class AccessApplied(AccessOut, Applied): ...


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
    """`operations`: their names by provider. `rule`: the JSON schema of one rule."""

    faults: list[FaultOut]
    presets: list[PresetOut]
    reasons: list[str]
    operations: dict[str, list[str]]
    rule: dict[str, Any]


@router.get("/catalog", tags=["catalog"], response=CatalogOut, summary="What a proxy can be told to simulate")
def catalog_show(request: HttpRequest) -> dict[str, Any]:
    """Faults with their settings, presets, reasons of errors, and the operations that rules may name."""
    return catalog()


def _schema(group: type[BaseModel], **better: Any) -> dict[str, Any]:
    """The JSON schema of a group's fields. The enums in it are described with the replies."""
    schema = group.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {**schema, "properties": {**schema["properties"], **better}}


# --- faults


@router.get("/proxies/{int:proxy_id}/faults", response=FaultsOut)
def faults_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """The fault rules as they were written, and how far the present run has come."""
    return _faults(proxy_seen_by(user_of(request), proxy_id))


@router.put(
    "/proxies/{int:proxy_id}/faults",
    response=FaultsApplied,
    openapi_extra=documented(_schema(FaultFields, rules=rules_schema())),
)
def faults_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets all of it, JSON or YAML: what is left out goes back to its default. Other rules, or another seed, begin a
    new run."""
    proxy, applied = _replace(request, proxy_id, "faults")
    return {**_faults(proxy), "applied": applied}


@router.post("/proxies/{int:proxy_id}/faults/reset", response=FaultsApplied)
def faults_reset(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Begins a new run: the decision counter, and everything that rules and scripts count, begins again."""
    proxy = proxy_reset_faults(proxy=proxy_seen_by(user_of(request), proxy_id))
    return {"applied": wait_applied(proxy), **_faults(proxy)}


# --- rate limits


@router.get("/proxies/{int:proxy_id}/limits", response=LimitsOut)
def limits_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """How many requests and tokens a minute may have."""
    return group_of(proxy_seen_by(user_of(request), proxy_id), "limits")


@router.put(
    "/proxies/{int:proxy_id}/limits",
    response=LimitsApplied,
    openapi_extra=documented(_schema(LimitFields)),
)
def limits_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets all of it, JSON or YAML: what is left out goes back to its default."""
    proxy, applied = _replace(request, proxy_id, "limits")
    return {**group_of(proxy, "limits"), "applied": applied}


# --- access lists


@router.get("/proxies/{int:proxy_id}/access", response=AccessOut)
def access_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """The proxy's own access lists; those for every port are site settings."""
    return group_of(proxy_seen_by(user_of(request), proxy_id), "access")


@router.put(
    "/proxies/{int:proxy_id}/access",
    response=AccessApplied,
    openapi_extra=documented(_schema(AccessFields)),
)
def access_replace(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Sets both lists, JSON or YAML: one that is left out is empty then."""
    proxy, applied = _replace(request, proxy_id, "access")
    return {**group_of(proxy, "access"), "applied": applied}


def _faults(proxy: Proxy) -> dict[str, Any]:
    return {**group_of(proxy, "faults"), "decisions": newest_decision(proxy.pk, proxy.faults_reset_at)}


def _replace(request: HttpRequest, proxy_id: int, group: str) -> tuple[Proxy, str]:
    """Sets all fields of a group to what the body says; the proxy, and whether it serves so."""
    user = user_of(request)
    proxy = proxy_seen_by(user, proxy_id)
    document = document_of(request, field=group)
    if group == "faults" and isinstance(document, list):
        document = {"rules": document}
    if not isinstance(document, Mapping):
        raise Invalid(fields={group: f"Send an object with {', '.join(GROUPS[group].model_fields)}."})
    changes: dict[str, Any] = {f"{group}.{name}": None for name in GROUPS[group].model_fields}
    changes |= {f"{group}.{name}": value for name, value in document.items() if name not in _READ_ONLY}
    changed = proxy_update(proxy=proxy, changes=changes, may_reference_credentials=user.is_staff)
    return changed, wait_applied(changed)
