"""Sign-ups that meet an account of the same address: answered alike, and with the same work."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db.models.signals import pre_save
from django.test import Client
from pytest_django import Settings

from accounts.models import SiteSettings, User
from accounts.services import user_create

PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.django_db(transaction=True)  # an insert that fails ends what the test is in


class CountingHasher(MD5PasswordHasher):
    """`count`: passwords hashed so far."""

    count = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).count += 1
        hashed: str = super().encode(password, salt)
        return hashed


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    SiteSettings.objects.create(pk=1, allow_registration=True)
    user_create(email="first@example.com", password=PASSWORD)


def sign_up(address: str) -> tuple[int, dict[str, Any], int]:
    """Status, flows, and how many passwords were hashed."""
    before = CountingHasher.count
    reply = Client(raise_request_exception=False).post(
        "/_allauth/app/v1/auth/signup", {"email": address, "password": PASSWORD}, content_type="application/json"
    )
    data = reply.json()["data"] if reply.status_code == 401 else {}
    return reply.status_code, data, CountingHasher.count - before


def test_a_taken_address_takes_as_long_as_a_free_one() -> None:
    free, taken = sign_up("free@example.com"), sign_up("first@example.com")
    assert free == taken
    assert free[2] == 1


def test_of_two_sign_ups_at_the_same_time_the_second_meets_an_account() -> None:
    def be_quicker(instance: User, **kwargs: Any) -> None:
        if not rivals:
            rivals.append(instance.email)
            rivals.append(User.objects.create_user(instance.email, PASSWORD))

    rivals: list[Any] = []
    pre_save.connect(be_quicker, sender=User)
    try:
        status, data, _ = sign_up("wanted@example.com")
    finally:
        pre_save.disconnect(be_quicker, sender=User)
    assert status == 401
    assert data == sign_up("another@example.com")[1]
    assert User.objects.get(email="wanted@example.com") == rivals[1]
