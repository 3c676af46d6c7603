"""Which path of the web port leads where."""

from __future__ import annotations

from allauth.socialaccount.providers.github.views import oauth2_callback as github_callback
from allauth.socialaccount.providers.google.views import oauth2_callback as google_callback
from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from accounts.setup_page import setup_page
from rubberduck.api import api
from rubberduck.health import healthz, readyz
from rubberduck.pages import index

handler500 = "rubberduck.pages.failed"
urlpatterns = [
    path("", index, name="index"),
    path("favicon.ico", RedirectView.as_view(url=static("duck.svg"))),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("setup", setup_page, name="setup"),
    path("api/v1/", api.urls),
    path("_allauth/", include("accounts.headless")),
    # Where the providers that are configured send people back to. What else allauth has for people is pages, which are
    # not served.
    *(
        path(f"accounts/{provider}/login/callback/", callback, name=f"{provider}_callback")
        for provider, callback in (("github", github_callback), ("google", google_callback))
        if provider in settings.SOCIALACCOUNT_PROVIDERS
    ),
    path("admin/", admin.site.urls),
]
