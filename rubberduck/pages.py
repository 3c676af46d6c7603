"""The one page of the built frontend, and what stands in the place of a page that has failed."""

from __future__ import annotations

import sys

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.headless import PREFIX
from accounts.selectors import setup_is_needed
from rubberduck.api_errors import MEANINGS

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


def failed(request: HttpRequest) -> HttpResponse:
    """What nobody has caught: 503 for a database that is locked or away, else 500. The console says more."""
    status = 503 if isinstance(sys.exc_info()[1], OperationalError | InterfaceError) else 500
    code, message = MEANINGS[status]
    if request.path_info.startswith(PREFIX):
        return JsonResponse({"status": status, "errors": [{"code": code, "message": message}]}, status=status)
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8")
