"""The proxies app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class ProxiesConfig(AppConfig):
    name = "proxies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.signals import site_settings_changed

        site_settings_changed.connect(_wake_supervisor, dispatch_uid="proxies.wake_supervisor")


def _wake_supervisor(**kwargs: Any) -> None:
    from proxies.wakeup import wake_supervisor

    wake_supervisor()
