"""The page on which the first account is made: plain HTML, for it must work before anything else is built."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.api import setup_state, setup_with
from accounts.errors import Conflict, DomainError, TooManyAttempts

_FIELDS = (
    ("email", "E-mail address", "email", "username"),
    ("name", "Name (optional)", "text", "name"),
    ("password", "Password", "password", "new-password"),
    ("code", "Code from the console of the web process", "text", "one-time-code"),
)


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def setup_page(request: HttpRequest) -> HttpResponse:
    """A form while there is no account; leads to the start page as soon as there is one."""
    state = setup_state(request)
    if not state["needed"]:
        return redirect("/")
    given = {name: request.POST.get(name, "") for name, *_ in _FIELDS}
    refused: DomainError | None = None
    if request.method == "POST":
        try:
            setup_with(request, **given)
            return redirect("/")
        except Conflict:
            return redirect("/")
        except DomainError as error:
            refused = error
    fields = [
        {
            "name": name,
            "label": label,
            "type": kind,
            "autocomplete": autocomplete,
            "required": name != "name",
            "value": "" if kind == "password" else given[name],
            "error": refused.fields.get(name, "") if refused else "",
        }
        for name, label, kind, autocomplete in _FIELDS
        if name != "code" or state["code_needed"]
    ]
    message = refused.message if refused and not refused.fields else ""
    status = 200 if refused is None else 429 if isinstance(refused, TooManyAttempts) else 400
    return render(request, "accounts/setup.html", {"fields": fields, "message": message}, status=status)
