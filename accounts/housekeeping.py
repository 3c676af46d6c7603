"""What the tasks process does now and then for the accounts."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone


def sessions_expire() -> int:
    """Deletes the sessions that are over, of people and of passers-by, and what stands of them in people's lists. How
    many there were."""
    deleted: int = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return deleted
