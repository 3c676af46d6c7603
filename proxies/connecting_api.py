"""The REST API of a proxy's two sides: what clients are told, and whether the upstream can be reached."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.authentication import api_auth
from providers.registry import get_provider
from proxies.api import SnippetOut
from proxies.requests import user_of
from proxies.selectors import base_url, proxy_owned_by, shown_model
from proxies.upstream_check import check_upstream

router = Router(tags=["proxies"], auth=api_auth)


class SnippetsOut(Schema):
    base_url: str
    model: str
    snippets: list[SnippetOut]


class UpstreamCheckOut(Schema):
    """`stage`: how far it came: none (nothing to connect to), resolve, policy, connect, tls, done. `is_ok` null: it
    cannot be said without a request."""

    is_ok: bool | None
    stage: str
    message: str
    upstream: str
    tls: str
    duration_ms: float


@router.get("/proxies/{int:proxy_id}/snippets", response=SnippetsOut, summary="How clients reach the proxy")
def snippets_show(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Code for the official SDKs, written for this proxy's own address and model."""
    proxy = proxy_owned_by(user_of(request), proxy_id)
    url, model = base_url(proxy), shown_model(proxy)
    return {"base_url": url, "model": model, "snippets": list(get_provider(proxy.provider).snippets(url, model))}


@router.post("/proxies/{int:proxy_id}/upstream-check", response=UpstreamCheckOut, summary="Try the upstream's address")
def upstream_check(request: HttpRequest, proxy_id: int) -> dict[str, Any]:
    """Looks it up, asks the address policy, connects, and agrees on TLS, as the proxy does; sends no request."""
    return asdict(check_upstream(proxy_owned_by(user_of(request), proxy_id)))
