"""The REST API under /api/v1, with its interactive documentation at /api/v1/docs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from accounts.api import router as accounts_router
from accounts.authentication import api_auth
from accounts.errors import DomainError
from proxies.api import router as providers_router
from proxies.cache_api import router as cache_router
from proxies.connecting_api import router as connecting_router
from proxies.field_schemas import bodies
from proxies.lifecycle_api import router as lifecycle_router
from proxies.ports_api import router as ports_router
from proxies.proxies_api import router as proxies_router
from proxies.requests import object_of
from proxies.settings_api import router as settings_router
from rubberduck.api_errors import MEANINGS, STATUS, ErrorCode, document_errors, error_body

log = logging.getLogger(__name__)

# As the proxies' own fields say it.
_WORDS = {"missing": "This field is required.", "extra_forbidden": "There is no such field."}
DESCRIPTION = """Everything the web pages do, for scripts too: send `Authorization: Bearer rdk_...`.

Bodies are JSON or YAML, as their content type says. Errors have one shape, \
`{"error": {"code": ..., "message": ..., "fields": {...}}}`; fields are named with dots where they are nested."""


class BodyParser(Parser):
    """Reads the bodies that ninja reads as those that the operations read themselves: JSON or YAML."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        return object_of(request)


class Api(NinjaAPI):
    """ninja's, with every error in the schema."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        schema["components"].setdefault("schemas", {}).update(bodies())
        for operation in (operation for methods in schema["paths"].values() for operation in methods.values()):
            for content in (operation["requestBody"]["content"],) if "requestBody" in operation else ():
                content.setdefault("application/yaml", content["application/json"])
        document_errors(schema)
        return schema

    def get_openapi_operation_id(self, operation: Any) -> str:
        name: str = operation.view_func.__name__
        return name


api = Api(
    title="Rubberduck",
    version=settings.VERSION,
    description=DESCRIPTION,
    urls_namespace="api-1",
    parser=BodyParser(),
    # Of the routers too, each for itself; here it makes the documentation send the CSRF token with what is tried out.
    auth=api_auth,
    # Swagger UI draws its arrows from data: images in its style sheet.
    docs_decorator=csp_update({"img-src": ["data:"]}),
)
for router in (
    accounts_router,
    providers_router,
    settings_router,
    # Before the proxies by name or number, which end in whatever follows.
    lifecycle_router,
    cache_router,
    connecting_router,
    proxies_router,
    ports_router,
):
    api.add_router("", router)


@api.exception_handler(DomainError)
def refuse(request: HttpRequest, error: DomainError) -> HttpResponse:
    """What a service refuses."""
    return _error(request, STATUS.get(error.code, 400), error.code, error.message, error.fields)


@api.exception_handler(HttpError)
def refuse_access(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja refuses: no session, no CSRF token, a body that the parser above has refused."""
    if isinstance(error.__cause__, DomainError):
        return refuse(request, error.__cause__)
    status = error.status_code
    code, message = MEANINGS.get(status, (ErrorCode.REFUSED, ""))
    said = str(error).removesuffix(".")
    if said == "CSRF check Failed":
        message = "The CSRF cookie is missing, or its header X-CSRFToken, or they do not fit."
    elif said and said not in ("Unauthorized", "Forbidden"):
        message = f"{said}."
    return _error(request, status, code, message)


@api.exception_handler(ValidationError)
def refuse_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Values that ninja has read and that do not fit."""
    fields: dict[str, str] = {}
    for one in error.errors:
        # ("query", name), ("path", name), ("body", parameter, name, place in a list, ...)
        place = one["loc"][2 if one["loc"][0] == "body" else 1 :]
        entries = [f"entry {part + 1}: " for part in place if isinstance(part, int)]
        words = _WORDS.get(one["type"]) or one["msg"].rstrip(".").removeprefix("Value error, ") + "."
        name = ".".join(part for part in place if isinstance(part, str)) or "body"
        fields.setdefault(name, "".join(entries[:1]) + words)
    message = " ".join(f"{name}: {reason}" for name, reason in fields.items())
    return _error(request, 400, ErrorCode.INVALID, message, fields)


@api.exception_handler(RequestDataTooBig)
def refuse_size(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return _known(request, 413)


@api.exception_handler(Http404)
@api.exception_handler(ObjectDoesNotExist)
def miss(request: HttpRequest, error: Exception) -> HttpResponse:
    """What was there a moment ago, too."""
    return _known(request, 404)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def excuse(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database is locked, or away."""
    log.error("%s %s: the database failed: %s", request.method, request.path, type(error).__name__, exc_info=error)
    return _known(request, 503)


@api.exception_handler(Exception)
def fail(request: HttpRequest, error: Exception) -> HttpResponse:
    """A bug. Its text may hold what was sent, and is for the console alone."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _known(request, 500)


def _known(request: HttpRequest, status: int) -> HttpResponse:
    return _error(request, status, *MEANINGS[status])


def _error(
    request: HttpRequest, status: int, code: str, message: str, fields: Mapping[str, str] | None = None
) -> HttpResponse:
    return api.create_response(request, error_body(code, message, fields), status=status)
