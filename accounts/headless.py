"""allauth's API as it is served here: with an answer to the malformed requests that it would stumble over."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
from allauth.headless.constants import Client
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.headless.socialaccount.views import ProviderTokenView as AllauthProviderTokenView
from allauth.socialaccount.adapter import get_adapter
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase, JsonResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

PREFIX = "/_allauth/"


class ProviderTokenView(AllauthProviderTokenView):
    """Identities that programs bring from a provider.

    allauth believes what a signed identity says about its own key and algorithm, and breaks on all but the usual. The
    keys are for RS256. Source: allauth 65.21.1, `jwtkit.fetch_key`; developers.google.com/identity/openid-connect.
    """

    def handle_input(self, data: Any) -> ErrorResponse | None:
        token = data.get("token") if isinstance(data, dict) else None
        identity = token.get("id_token") if isinstance(token, dict) else None
        if isinstance(identity, str) and not _names_its_key(identity):
            return ErrorResponse(self.request, exception=get_adapter().validation_error("invalid_token"))
        answer: ErrorResponse | None = super().handle_input(data)
        return answer


def _names_its_key(identity: str) -> bool:
    try:
        header = jwt.get_unverified_header(identity)
    except jwt.PyJWTError:
        return False
    return header.get("alg") == "RS256" and isinstance(header.get("kid"), str)


class WellFormedTextMiddleware:
    """Refuses JSON that holds halves of characters (`"\\ud800"`): no hash, token or database takes them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PREFIX) and request.content_type == "application/json":
            try:
                json.dumps(json.loads(request.body), ensure_ascii=False).encode()
            except (ValueError, RecursionError):  # a UnicodeEncodeError, and what is no JSON at all
                if request.body:
                    return HttpResponseBadRequest()
        return self._get_response(request)


@csrf_exempt
def not_here(request: HttpRequest, *args: Any) -> JsonResponse:
    return JsonResponse({"status": 404}, status=404)


def _provider_token(client: str) -> Any:
    return path(
        f"{client}/v1/auth/provider/token", ProviderTokenView.as_api_view(client=Client(client)), name="provider_token"
    )


urlpatterns = [
    # Accounts have no telephone numbers; allauth routes these all the same, and breaks.
    re_path(r"^(?:app|browser)/v1/(?:account|auth)/phone(?:/.*)?$", not_here),
    _provider_token("app"),
    _provider_token("browser"),
    path("", include("allauth.headless.urls")),
]
