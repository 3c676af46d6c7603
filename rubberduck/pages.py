"""The one page of the built frontend."""

from __future__ import annotations

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.selectors import setup_is_needed

_NOT_BUILT = "The web pages are not built yet. Run `make setup`, then start again. The admin is at /admin/.\n"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The page that loads everything else, never from a browser's cache: the files it names change with every build.

    On an installation without an account it leads to where the first one is made.
    """
    try:
        if setup_is_needed():
            return redirect("setup")
    except AnyDatabaseError:
        pass  # the page shows what is wrong
    try:
        content = (settings.FRONTEND_DIST / "index.html").read_bytes()
    except FileNotFoundError:
        return HttpResponse(_NOT_BUILT, status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(content, headers={"Cache-Control": "no-cache"})
