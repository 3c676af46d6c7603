"""Which path of the web port leads where."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from rubberduck.api import api
from rubberduck.health import healthz, readyz
from rubberduck.pages import index

urlpatterns = [
    path("", index, name="index"),
    path("favicon.ico", RedirectView.as_view(url=static("duck.svg"))),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]
