"""What the tasks process does now and then for the accounts, and the schedule by which it does."""

from __future__ import annotations

from typing import Final

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from django_q.models import Schedule

EXPIRY_NAME: Final = "sessions expire"


def sessions_expire() -> int:
    """Deletes the sessions that are over, of people and of passers-by, and what stands of them in people's lists. How
    many there were."""
    deleted: int = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return deleted


def ensure_schedule(using: str = DEFAULT_DB_ALIAS) -> None:
    """Puts the task above on django-q's schedule, once however often it is called; to be called after migrations."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # only some apps were migrated
    schedules = Schedule.objects.using(using)
    wanted = {"func": f"{__name__}.{sessions_expire.__name__}", "schedule_type": Schedule.DAILY}
    if not schedules.filter(name=EXPIRY_NAME).update(**wanted):
        schedules.create(name=EXPIRY_NAME, **wanted)
