"""The accounts app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Users and site settings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        user_logged_in.connect(_list_session, dispatch_uid="accounts.list_session")


def _list_session(request: Any, **kwargs: Any) -> None:
    """Every session is in its user's list, that of the admin's sign-in page, too: allauth lists only its own."""
    from allauth.usersessions.models import UserSession

    if request.META.get("REMOTE_ADDR"):  # or there is nobody at the other end
        UserSession.objects.create_from_request(request)
