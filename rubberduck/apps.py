"""The wiring as a Django app: system checks, and the schedule of the tasks process."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class RubberduckConfig(AppConfig):
    name = "rubberduck"

    def ready(self) -> None:
        from rubberduck import checks  # noqa: F401  registers itself

        # This app has no models, and Django announces the migrations of apps that do.
        tasks = apps.get_app_config("django_q")
        post_migrate.connect(_ensure_schedules, sender=tasks, dispatch_uid="rubberduck.ensure_schedules")


def _ensure_schedules(*, using: str, **kwargs: Any) -> None:
    from rubberduck.schedules import ensure_schedules

    ensure_schedules(using)
