"""The REST API under /api/v1, with its interactive documentation at /api/v1/docs."""

from __future__ import annotations

from collections.abc import Mapping

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError

from accounts.errors import Ambiguous, DomainError, NotAllowed, NotFound
from proxies.api import router as proxies_router
from proxies.settings_api import router as settings_router

api = NinjaAPI(
    title="Rubberduck",
    version=settings.VERSION,
    urls_namespace="api-1",
    # Swagger UI draws its arrows from data: images in its style sheet.
    docs_decorator=csp_update({"img-src": ["data:"]}),
)
api.add_router("", proxies_router)
api.add_router("", settings_router)

_STATUS: dict[type[DomainError], int] = {NotAllowed: 403, NotFound: 404, Ambiguous: 409}
_CODES = {401: "not_signed_in", 403: "not_allowed"}


@api.exception_handler(DomainError)
def refuse(request: HttpRequest, error: DomainError) -> HttpResponse:
    """What a service refuses, in the one shape that errors have."""
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)
    return _error(request, status, error.code, error.message, error.fields)


@api.exception_handler(HttpError)
def refuse_access(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja refuses: no session, no CSRF token."""
    message = "Sign in first." if error.status_code == 401 else f"{error}."
    return _error(request, error.status_code, _CODES.get(error.status_code, "refused"), message, {})


def _error(request: HttpRequest, status: int, code: str, message: str, fields: Mapping[str, str]) -> HttpResponse:
    body = {"error": {"code": code, "message": message, "fields": dict(fields)}}
    return api.create_response(request, body, status=status)
