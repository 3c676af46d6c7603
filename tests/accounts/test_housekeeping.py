"""Sessions that are over go, others stay, and the tasks process is told to look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.housekeeping import sessions_expire
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
