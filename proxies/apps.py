"""The proxies app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save


class ProxiesConfig(AppConfig):
    name = "proxies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.signals import site_settings_awaited, site_settings_changed

        site_settings_changed.connect(_wake_supervisor, dispatch_uid="proxies.wake_supervisor")
        site_settings_awaited.connect(_wait_for_proxies, dispatch_uid="proxies.wait_for_proxies")
        post_save.connect(_adopt_proxies, sender=settings.AUTH_USER_MODEL, dispatch_uid="proxies.adopt_proxies")


def _wake_supervisor(**kwargs: Any) -> None:
    from proxies.wakeup import wake_supervisor

    wake_supervisor()


def _wait_for_proxies(*, generation: int, **kwargs: Any) -> str:
    from proxies.services import wait_site_applied

    return wait_site_applied(generation)


def _adopt_proxies(*, instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    from proxies.services import proxies_adopt

    if created and not raw:
        proxies_adopt(user=instance)
