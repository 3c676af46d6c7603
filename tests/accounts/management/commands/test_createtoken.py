"""`manage.py createtoken`."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("user@example.com")


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("createtoken", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_token_alone_is_printed_and_works(client: Client, user: User) -> None:
    token = create("User@Example.com")
    reply = client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
    assert reply.json()["email"] == user.email
    row = ApiToken.objects.get()
    assert (row.name, row.scope, row.expires_at) == ("command line", "write", None)


def test_an_object_is_printed_for_scripts(user: User) -> None:
    found = json.loads(create(user.email, "--name", "ci", "--scope", "read", "--expires-days", "7", "--json"))
    row = ApiToken.objects.get()
    assert found["token"].startswith(row.hint)
    assert (found["id"], found["name"], found["scope"], found["user"]) == (row.pk, "ci", "read", user.email)
    assert row.expires_at is not None
    assert found["expires_at"] == row.expires_at.isoformat()
    assert timedelta(days=6) < row.expires_at - timezone.now() <= timedelta(days=7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody@example.com"], "no active account with the address nobody@example.com"),
        (["user@example.com", "--expires-days", "0"], "use a number from 1 to 3650"),
        (["user@example.com", "--name", " "], "Give the token a name"),
        (["user@example.com", "--scope", "all"], "invalid choice: 'all'"),
    ],
)
@pytest.mark.usefixtures("user")
def test_what_is_wrong_is_said(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        create(*arguments)
    assert not ApiToken.objects.exists()


def test_who_is_deactivated_gets_none(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(CommandError, match="no active account"):
        create(user.email)
    assert not ApiToken.objects.exists()
