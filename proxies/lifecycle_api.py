"""The REST API of starting and stopping proxies, one or many."""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.authentication import api_auth
from proxies.api_replies import AppliedOut, ProxyApplied, describe_applied
from proxies.errors import Invalid, NotFound
from proxies.lifecycle import SETTLE_S, proxy_want, settle, wait_settled
from proxies.models import DesiredState, ObservedState
from proxies.requests import documented, object_of, user_of
from proxies.selectors import proxies_of, proxy_owned_by

router = Router(tags=["proxies"], auth=api_auth)

MOST_AT_ONCE = 200
_STATES: Final = {"type": "string", "enum": DesiredState.values}
_ONE: Final = {
    "type": "object",
    "properties": {"desired_state": _STATES},
    "required": ["desired_state"],
    "additionalProperties": False,
}
_MANY: Final = {
    "type": "object",
    "properties": {
        "ids": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
            "minItems": 1,
            "maxItems": MOST_AT_ONCE,
        },
        "desired_state": _STATES,
    },
    "required": ["ids", "desired_state"],
    "additionalProperties": False,
}
Wait = Annotated[float, Query(ge=0, le=60, description="Answer after so many seconds at the latest, settled or not.")]


class LifecycleOut(AppliedOut):
    id: int
    desired_state: DesiredState
    state: ObservedState
    reason_code: str


class LifecycleList(Schema):
    items: list[LifecycleOut]


@router.put(
    "/proxies/{int:proxy_id}/desired-state",
    response=ProxyApplied,
    openapi_extra=documented(_ONE),
    summary="Start, stop or kill a proxy",
)
def desired_state_set(request: HttpRequest, proxy_id: int, wait_s: Wait = SETTLE_S) -> dict[str, Any]:
    """`running`: start, and try again at once what has failed. `stopped`: drain, so that requests in flight finish.
    `killed`: cut them. Answers when it is so, or with what there is after `wait_s`."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    state = _state(_members(request, {"desired_state"}))
    proxy = proxy_want(proxy=proxy, state=state)
    return describe_applied(proxy, settle(proxy, wait_s))


@router.post(
    "/proxies/desired-states",
    response=LifecycleList,
    openapi_extra=documented(_MANY),
    summary="Start, stop or kill several proxies",
)
def desired_states_set(request: HttpRequest, wait_s: Wait = SETTLE_S) -> dict[str, Any]:
    """All of them, or none when one of the ids is not yours."""
    members = _members(request, {"ids", "desired_state"})
    state = _state(members)
    ids = members.get("ids")
    if not isinstance(ids, list) or not all(type(one) is int and 0 < one < 2**63 for one in ids):
        raise Invalid(fields={"ids": "Use a list of the proxies' ids."})
    if not 0 < len(ids) <= MOST_AT_ONCE:
        raise Invalid(fields={"ids": f"Name 1 to {MOST_AT_ONCE} proxies."})
    found = list(proxies_of(user_of(request)).filter(pk__in=ids).order_by("name"))
    missing = set(ids) - {proxy.pk for proxy in found}
    if missing:
        raise NotFound("There is no such proxy.", fields={"ids": ", ".join(map(str, sorted(missing)))})
    with transaction.atomic():
        proxies = [proxy_want(proxy=proxy, state=state) for proxy in found]
    settled = wait_settled(proxies, wait_s)
    items = []
    for proxy in proxies:
        seen = settled[proxy.pk].seen
        items.append(
            {
                "id": proxy.pk,
                "desired_state": proxy.desired_state,
                "state": seen.state,
                "reason": seen.reason,
                "reason_code": seen.reason_code,
                "generation": proxy.generation,
                "applied": settled[proxy.pk].applied,
            }
        )
    return {"items": items}


def _members(request: HttpRequest, known: set[str]) -> dict[str, Any]:
    members = object_of(request)
    if unknown := sorted(set(members) - known):
        raise Invalid(fields=dict.fromkeys(unknown, "There is no such field."))
    return members


def _state(members: dict[str, Any]) -> DesiredState:
    value = members.get("desired_state")
    if value not in DesiredState.values:
        raise Invalid(fields={"desired_state": f"Use one of {', '.join(DesiredState.values)}."})
    return DesiredState(value)
