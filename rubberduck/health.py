"""`/healthz` and `/readyz`: whether this installation is well, for people, load balancers and process managers."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any, Final

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from proxies.selectors import failed_proxies, live_supervisor, running_proxies
from rubberduck.access import REFUSAL, global_access

PATIENCE_S: Final = 3.0
"""A database that takes longer counts as one that fails: who asks has a limit of their own, often 5 seconds."""


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponseBase:
    """200, or 503 when the database fails; what else is wrong shows in the body."""
    return _answer(request, _examine(), ("ok", "degraded"))


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponseBase:
    """As `/healthz`, and 503 as well when the supervisor is missing or a proxy has failed."""
    return _answer(request, _examine(), ("ok",))


def _answer(request: HttpRequest, found: dict[str, Any], well: tuple[str, ...]) -> HttpResponseBase:
    """To whom the global access lists let in: those the examination has just read, or those known before."""
    peer, forwarded_for = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    if global_access.refuses_as_known(peer, forwarded_for):
        return HttpResponse(REFUSAL, status=403, content_type="text/plain; charset=utf-8")
    body = {"status": "ok", "version": settings.VERSION, **found}
    if body["database"] != "ok":
        body["status"] = "error"
    elif body["supervisor"] != "ok" or body["failed_proxies"]:
        body["status"] = "degraded"
    if settings.TESTING:
        body["testing"] = {
            "connect_to": [
                f"{host}:{port} -> {address}:{real}" for (host, port), (address, real) in settings.CONNECT_TO.items()
            ]
        }
    return JsonResponse(body, status=200 if body["status"] in well else 503)


_FAILED: Final = {"database": "error", "supervisor": "unknown", "running_proxies": None, "failed_proxies": None}
_lock = threading.Lock()
_under_way: Future[dict[str, Any]] | None = None


def _examine() -> dict[str, Any]:
    """What the database says, in PATIENCE_S at the latest. Who asks meanwhile gets the same answer: one that hangs is
    waited for by one thread."""
    global _under_way
    with _lock:
        future = _under_way
        if future is None:
            future = _under_way = Future()
            threading.Thread(target=_run, args=(future,), name="health", daemon=True).start()
    try:
        return future.result(PATIENCE_S)
    except TimeoutError:
        return _FAILED


def _run(future: Future[dict[str, Any]]) -> None:
    global _under_way
    found: dict[str, Any] = _FAILED
    try:
        found = _ask_database()
    finally:
        connection.close()
        with _lock:
            _under_way = None
        future.set_result(found)


def _ask_database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        global_access.refresh()
        return {
            "database": "ok",
            "supervisor": "ok" if live_supervisor() is not None else "missing",
            "running_proxies": running_proxies(),
            "failed_proxies": failed_proxies(),
        }
    except Error:
        return _FAILED
