"""The wiring as a Django app: it registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig


class RubberduckConfig(AppConfig):
    name = "rubberduck"

    def ready(self) -> None:
        from rubberduck import checks  # noqa: F401  registers itself
