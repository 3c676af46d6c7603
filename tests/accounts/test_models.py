"""Users: the e-mail is the login."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.models import SiteSettings, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def test_an_address_is_one_login_however_it_is_typed() -> None:
    user = User.objects.create_user(" Ada@Example.COM ", PASSWORD)
    assert user.email == "ada@example.com"
    assert authenticate(username="ADA@example.com", password=PASSWORD) == user
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ADA@EXAMPLE.COM", PASSWORD)


def test_an_account_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="email: an e-mail address is required"):
        User.objects.create_user("", PASSWORD)


def test_createsuperuser_makes_staff_that_counts_as_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--no-input", "--email", "Root@Example.com", verbosity=0)
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser) == ("root@example.com", True, True)
    assert user.check_password(PASSWORD)
    address = EmailAddress.objects.get()
    assert (address.user, address.email, address.verified, address.primary) == (user, "root@example.com", True, True)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", "--no-input", "--email", "ROOT@example.com", verbosity=0)


def test_there_is_one_row_of_site_settings() -> None:
    assert SiteSettings.load() == SiteSettings.load()
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteSettings.objects.create(pk=2)
