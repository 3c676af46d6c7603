"""allauth's API as it is served here: with an answer to what it would stumble over or keep quiet about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
from allauth.headless.account.inputs import SignupInput as AllauthSignupInput
from allauth.headless.account.views import SignupView as AllauthSignupView
from allauth.headless.constants import Client
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.headless.socialaccount.views import ProviderTokenView as AllauthProviderTokenView
from allauth.socialaccount.adapter import get_adapter
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase, JsonResponse
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


class SignupInput(AllauthSignupInput):
    """A sign-up that does not tell, by its time either, whether there is an account of that address. `made`: the new
    account."""

    made: Any = None

    def try_save(self, request: HttpRequest) -> Any:
        """Raises what the adapter does."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password"])  # most of the time that making an account takes
            return super().try_save(request)
        try:
            self.made, answer = super().try_save(request)
            return self.made, answer
        except IntegrityError:  # somebody was quicker with the same address
            self.account_already_exists = True
            return super().try_save(request)


class SignupView(AllauthSignupView):
    """Making an account by password.

    allauth says nothing when the mail with the code could not be sent, and leaves an account that nobody can make
    again. Here there is none then, and the answer says so. Source: allauth 65.21.1, `headless/account/views.py`.
    """

    input_class = {"POST": SignupInput}  # noqa: RUF012  as allauth declares it
    input: SignupInput

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().post(request, *args, **kwargs)
        unsent: HttpResponse | None = getattr(request.allauth, "unsent_mail", None)  # type: ignore[attr-defined]
        if unsent is None:
            return answer
        if self.input.made is not None:
            self.input.made.delete()  # no transaction around it all: a mail server may take its time
        request.session.flush()  # it knows the number that the account had
        return unsent


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


def _routes(client: str) -> list[Any]:
    """Those that are answered here in the place of allauth's own."""
    views = {"provider/token": ProviderTokenView, "signup": SignupView}
    return [
        path(f"{client}/v1/auth/{place}", view.as_api_view(client=Client(client)), name=place.replace("/", "_"))
        for place, view in views.items()
    ]


urlpatterns = [
    # Accounts have no telephone numbers; allauth routes these all the same, and breaks.
    re_path(r"^(?:app|browser)/v1/(?:account|auth)/phone(?:/.*)?$", not_here),
    *_routes("app"),
    *_routes("browser"),
    path("", include("allauth.headless.urls")),
]
