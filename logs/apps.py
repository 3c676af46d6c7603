"""The logs app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LogsConfig(AppConfig):
    name = "logs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_ensure_schedule, sender=self, dispatch_uid="logs.ensure_schedule")


def _ensure_schedule(*, using: str, **kwargs: Any) -> None:
    from logs.housekeeping import ensure_schedule

    ensure_schedule(using)
