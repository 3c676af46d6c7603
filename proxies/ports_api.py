"""The REST API of ports: the next free one, and whether one is."""

from __future__ import annotations

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.authentication import api_auth
from proxies.errors import Invalid
from proxies.ports import next_free_port
from proxies.requests import user_of
from proxies.schemas import Bind, validate_one
from proxies.services import port_refusal

router = Router(tags=["ports"], auth=api_auth)
BindTo = Annotated[str, Query(max_length=64, description="The address to listen on; empty: the default one.")]


class PortOut(Schema):
    port: int


class PortCheck(Schema):
    """`reason`: why the port is not available, in words; empty when it is."""

    port: int
    is_available: bool
    reason: str


@router.get("/ports/next", response=PortOut, summary="The next free port")
def port_next(request: HttpRequest, bind: BindTo = "") -> dict[str, Any]:
    """The one that a proxy without a port would be given now."""
    address = validate_one(Bind, bind, "bind") or settings.PROXY_BIND
    return {"port": next_free_port(address)}


@router.get("/ports/{int:port}", response=PortCheck, summary="Whether a port is free")
def port_check(request: HttpRequest, port: int, bind: BindTo = "") -> dict[str, Any]:
    """Whether a new proxy could listen there now."""
    if not 1 <= port <= 65535:
        raise Invalid(fields={"port": "Ports are numbers from 1 to 65535."})
    reason = port_refusal(user=user_of(request), port=port, bind=validate_one(Bind, bind, "bind"))
    return {"port": port, "is_available": reason is None, "reason": reason or ""}
