"""The REST API of proxies themselves: make, list, read, change, copy, delete, and create or update by name."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status

from accounts.authentication import api_auth
from proxies.api_replies import ProxyApplied, ProxyItem, ProxyOut, describe_applied, describe_item, describe_proxy
from proxies.cursors import MAX_CURSOR, MAX_PAGE, read_cursor, write_cursor
from proxies.declaring import proxy_clone, proxy_put
from proxies.errors import Invalid, NotFound
from proxies.field_schemas import READ_ONLY, body
from proxies.lifecycle import proxy_want, settle
from proxies.models import DesiredState, ObservedState, Proxy
from proxies.requests import documented, object_of, user_of
from proxies.schemas import Name, validate_one
from proxies.selectors import Observation, observe, observe_one, proxies_of, proxy_owned_by, shown_model
from proxies.services import proxy_create, proxy_delete, proxy_update, wait_applied

router = Router(tags=["proxies"], auth=api_auth)
_PLAIN: Final = r"^[^\x00-\x1f\x7f]*$"
_HEAVY = ("emulation_replies", "faults_rules", "allow", "block", "cache_ignored_pointers")


class ProxySort(StrEnum):
    """With a minus in front: the other way round."""

    NAME = "name"
    NAME_DOWN = "-name"
    PORT = "port"
    PORT_DOWN = "-port"
    PROVIDER = "provider"
    PROVIDER_DOWN = "-provider"
    STATE = "state"
    STATE_DOWN = "-state"
    CREATED_AT = "created_at"
    CREATED_AT_DOWN = "-created_at"
    UPDATED_AT = "updated_at"
    UPDATED_AT_DOWN = "-updated_at"


class ProxyPage(Schema):
    """`total`: how many fit the question. `next_cursor`: ask again with it for those after these; null: there are
    none."""

    items: list[ProxyItem]
    next_cursor: str | None
    total: int


@router.get("/proxies", response=ProxyPage, summary="Your proxies")
def proxy_list(
    request: HttpRequest,
    search: Annotated[
        str,
        Query(
            max_length=200,
            pattern=_PLAIN,
            description="Part of the name, description, model, upstream, a tag or the port.",
        ),
    ] = "",
    provider: Annotated[str, Query(max_length=200, pattern=_PLAIN, description="An id, as in `GET /providers`.")] = "",
    state: Annotated[ObservedState | None, Query(description="What is observed.")] = None,
    tag: Annotated[str, Query(max_length=200, pattern=_PLAIN, description="A whole tag.")] = "",
    sort: Annotated[ProxySort, Query()] = ProxySort.NAME,
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> dict[str, Any]:
    """All of those of the question: filters narrow it down together."""
    proxies = list(proxies_of(user_of(request)).defer(*_HEAVY))
    seen = observe(proxies)
    found = [
        (_key(proxy, seen[proxy.pk], sort), proxy.pk, proxy)
        for proxy in proxies
        if _fits(proxy, search.casefold())
        and (not provider or proxy.provider == provider)
        and (not tag or tag in proxy.tags)
        and (state is None or seen[proxy.pk].state == state)
    ]
    is_down = sort.startswith("-")
    found.sort(key=lambda one: one[:2], reverse=is_down)
    place = read_cursor(cursor, sort.value, int if sort.endswith("port") else str, int)
    rest = [one for one in found if place is None or (one[:2] < place if is_down else one[:2] > place)]
    page = rest[:limit]
    return {
        "items": [describe_item(proxy, seen[proxy.pk]) for _, _, proxy in page],
        "next_cursor": write_cursor(sort.value, *page[-1][:2]) if len(rest) > limit else None,
        "total": len(found),
    }


@router.post(
    "/proxies",
    response={201: ProxyApplied},
    openapi_extra=documented(body("ProxyNew")),
    summary="Make a proxy",
)
def proxy_make(request: HttpRequest) -> Status[dict[str, Any]]:
    """With `desired_state: running` it answers when the proxy runs, or says in `reason` why it does not. A port is
    assigned if none is named."""
    user = user_of(request)
    fields, state = _fields(request)
    proxy = proxy_create(owner=user, fields=fields, may_reference_credentials=user.is_staff)
    return Status(201, _wanted(proxy, state))


@router.get("/proxies/{int:proxy_id}", response=ProxyOut, summary="One proxy")
def proxy_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """With all its fields and what is observed of it."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    return describe_proxy(proxy, observe_one(proxy))


@router.patch(
    "/proxies/{int:proxy_id}",
    response=ProxyApplied,
    openapi_extra=documented(body("ProxyChanges")),
    summary="Change a proxy",
)
def proxy_change(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Changes the fields that are sent, inside of groups too; null goes back to the default. Answers when the change is
    live."""
    user = user_of(request)
    proxy = proxy_owned_by(user, proxy_id)
    fields, state = _fields(request)
    return _wanted(proxy_update(proxy=proxy, changes=fields, may_reference_credentials=user.is_staff), state)


@router.delete("/proxies/{int:proxy_id}", response={204: None}, summary="Delete a proxy")
def proxy_remove(request: HttpRequest, proxy_id: int) -> Status[None]:
    """With its recordings; its log stays. One that runs finishes the requests in flight."""
    proxy_delete(proxy=proxy_owned_by(user_of(request), proxy_id))
    return Status(204, None)


@router.post(
    "/proxies/{int:proxy_id}/clone",
    response={201: ProxyApplied},
    openapi_extra=documented(body("ProxyChanges"), required=False),
    summary="Copy a proxy",
)
def proxy_copy(request: HttpRequest, proxy_id: int) -> Status[dict[str, Any]]:
    """A copy of all fields, with another port and, if the body names none, another name; fields in the body differ."""
    user = user_of(request)
    proxy = proxy_owned_by(user, proxy_id)
    fields, state = _fields(request)
    copy = proxy_clone(proxy=proxy, owner=user, changes=fields, may_reference_credentials=user.is_staff)
    return Status(201, _wanted(copy, state))


@router.get("/proxies/by-name/{path:name}", response=ProxyOut, summary="One proxy, by its name")
def proxy_show_by_name(request: HttpRequest, name: str) -> dict[str, Any]:
    """In upper or lower case."""
    try:
        name = validate_one(Name, name, "name")
    except Invalid:
        raise NotFound("There is no such proxy.") from None
    proxy = proxies_of(user_of(request)).filter(name__iexact=name).first()
    if proxy is None:
        raise NotFound("There is no such proxy.")
    return describe_proxy(proxy, observe_one(proxy))


@router.put(
    "/proxies/by-name/{path:name}",
    response={200: ProxyApplied, 201: ProxyApplied},
    openapi_extra=documented(body("ProxyByName")),
    summary="Make a proxy of this name, or make it as described",
)
def proxy_put_by_name(request: HttpRequest, name: str) -> Status[dict[str, Any]]:
    """The same twice changes nothing. A field that is left out has its default, but for `port`, `credential` and
    `desired_state`, which stay as they are."""
    user = user_of(request)
    fields, state = _fields(request)
    if fields.pop("name", None) not in (None, name):
        raise Invalid(fields={"name": "The address names another one; leave this out, or rename with PATCH."})
    proxy, is_new = proxy_put(owner=user, name=name, fields=fields, may_reference_credentials=user.is_staff)
    return Status(201 if is_new else 200, _wanted(proxy, state))


def _fields(request: HttpRequest) -> tuple[dict[str, Any], DesiredState | None]:
    """What the body says of fields, and of what is wanted."""
    fields = {name: value for name, value in object_of(request).items() if name not in READ_ONLY}
    return fields, desired_state_of(fields.pop("desired_state", None))


def desired_state_of(value: Any) -> DesiredState | None:
    """Raises Invalid, which names the field."""
    if value is None:
        return None
    if value not in DesiredState.values:
        raise Invalid(fields={"desired_state": f"Use one of {', '.join(DesiredState.values)}."})
    return DesiredState(value)


def _wanted(proxy: Proxy, state: DesiredState | None) -> dict[str, Any]:
    """As a ProxyApplied, once the proxy is as it is wanted."""
    if state is None:
        return describe_applied(proxy, wait_applied(proxy))
    proxy = proxy_want(proxy=proxy, state=state)
    return describe_applied(proxy, settle(proxy))


def _fits(proxy: Proxy, words: str) -> bool:
    texts = (proxy.name, proxy.description, shown_model(proxy), proxy.upstream, str(proxy.port), *proxy.tags)
    return not words or any(words in text.casefold() for text in texts)


def _key(proxy: Proxy, seen: Observation, sort: ProxySort) -> str | int:
    match sort.removeprefix("-"):
        case "name":
            return proxy.name.casefold()
        case "port":
            return proxy.port
        case "provider":
            return proxy.provider
        case "state":
            return str(seen.state)
        case "created_at":
            return proxy.created_at.isoformat(timespec="microseconds")
    return proxy.updated_at.isoformat(timespec="microseconds")
