"""What the tasks process does now and then, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django_q.models import Schedule

from accounts.housekeeping import sessions_expire
from logs.housekeeping import records_expire
from proxies.housekeeping import recordings_expire

SCHEDULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "sessions expire": {
        "func": f"{sessions_expire.__module__}.{sessions_expire.__name__}",
        "schedule_type": Schedule.DAILY,
    },
    "recordings expire": {
        "func": f"{recordings_expire.__module__}.{recordings_expire.__name__}",
        "schedule_type": Schedule.MINUTES,
        "minutes": 15,
    },
    "log records expire": {
        "func": f"{records_expire.__module__}.{records_expire.__name__}",
        "schedule_type": Schedule.MINUTES,
        "minutes": 30,
    },
}
"""Name -> fields of django-q's Schedule."""


def ensure_schedules(using: str = DEFAULT_DB_ALIAS) -> None:
    """Brings django-q's schedule up to date, however often it is called; to be called after migrations."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # only some apps were migrated
    schedules = Schedule.objects.using(using)
    for name, wanted in SCHEDULES.items():
        if not schedules.filter(name=name).update(**wanted):
            schedules.create(name=name, **wanted)
