"""Sessions that are over go, others stay, and the tasks process is told to look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from accounts.housekeeping import EXPIRY_NAME, ensure_schedule, sessions_expire
from accounts.models import User

pytestmark = pytest.mark.django_db


def session(key: str, *, hours_left: int, user: User) -> None:
    expire_date = timezone.now() + timedelta(hours=hours_left)
    Session.objects.create(session_key=key, session_data="", expire_date=expire_date)
    UserSession.objects.create(user=user, session_key=key, ip="192.0.2.7", user_agent="Lynx")


def test_only_sessions_that_are_over_are_deleted() -> None:
    user = User.objects.create_user("user@example.com")
    session("over", hours_left=-1, user=user)
    session("running", hours_left=1, user=user)
    UserSession.objects.create(user=user, session_key="gone", ip="192.0.2.7", user_agent="Lynx")
    assert sessions_expire() == 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["running"]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == ["running"]
    assert sessions_expire() == 0


def test_the_task_is_scheduled_once_and_repaired_by_every_migration() -> None:
    ensure_schedule()
    Schedule.objects.filter(name=EXPIRY_NAME).update(func="gone")
    call_command("migrate", verbosity=0)
    row = Schedule.objects.get(name=EXPIRY_NAME)
    assert import_string(row.func) is sessions_expire
    assert row.schedule_type == Schedule.DAILY
