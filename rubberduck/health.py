"""`/healthz` and `/readyz`: whether this installation is well, for people, load balancers and process managers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from proxies.selectors import failed_proxies, live_supervisor, running_proxies


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200, or 503 when the database fails; what else is wrong shows in the body."""
    body = _examine()
    return JsonResponse(body, status=200 if body["database"] == "ok" else 503)


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """As `/healthz`, and 503 as well when the supervisor is missing or a proxy has failed."""
    body = _examine()
    return JsonResponse(body, status=200 if body["status"] == "ok" else 503)


def _examine() -> dict[str, Any]:
    """`status` is "ok", "degraded" (supervisor missing, proxies failed) or "error"; None: unknown without a
    database."""
    body: dict[str, Any] = {
        "status": "ok",
        "version": settings.VERSION,
        "database": "ok",
        "supervisor": "ok",
        "running_proxies": 0,
        "failed_proxies": 0,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        body["supervisor"] = "ok" if live_supervisor() is not None else "missing"
        body["running_proxies"] = running_proxies()
        body["failed_proxies"] = failed_proxies()
    except Error:
        body |= {"status": "error", "database": "error", "supervisor": "unknown"}
        body |= {"running_proxies": None, "failed_proxies": None}
    if body["status"] == "ok" and (body["supervisor"] != "ok" or body["failed_proxies"]):
        body["status"] = "degraded"
    if settings.TESTING:
        body["testing"] = {
            "connect_to": [
                f"{host}:{port} -> {address}:{real}" for (host, port), (address, real) in settings.CONNECT_TO.items()
            ]
        }
    return body
