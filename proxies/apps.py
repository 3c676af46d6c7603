"""The proxies app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProxiesConfig(AppConfig):
    name = "proxies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.signals import site_settings_changed

        site_settings_changed.connect(_wake_supervisor, dispatch_uid="proxies.wake_supervisor")
        post_migrate.connect(_ensure_schedules, sender=self, dispatch_uid="proxies.ensure_schedules")


def _wake_supervisor(**kwargs: Any) -> None:
    from proxies.wakeup import wake_supervisor

    wake_supervisor()


def _ensure_schedules(*, using: str, **kwargs: Any) -> None:
    from proxies.housekeeping import ensure_schedules

    ensure_schedules(using)
