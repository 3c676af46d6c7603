"""The accounts app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Users and site settings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        post_migrate.connect(_ensure_schedule, sender=self, dispatch_uid="accounts.ensure_schedule")
        user_logged_in.connect(_list_session, dispatch_uid="accounts.list_session")


def _ensure_schedule(*, using: str, **kwargs: Any) -> None:
    from accounts.housekeeping import ensure_schedule

    ensure_schedule(using)


def _list_session(request: Any, **kwargs: Any) -> None:
    """Every session is in its user's list, that of the admin's sign-in page, too: allauth lists only its own."""
    from allauth.usersessions.models import UserSession

    if request.META.get("REMOTE_ADDR"):  # or there is nobody at the other end
        UserSession.objects.create_from_request(request)
