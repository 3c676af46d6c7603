"""The page on which the first account is made, without a line of JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User

pytestmark = pytest.mark.django_db
FORM = {"email": "first@example.com", "password": "correct horse battery staple", "name": "Ada"}


def test_the_form_makes_the_account_and_signs_in(client: Client) -> None:
    page = client.get("/setup")
    text = page.content.decode()
    assert page.status_code == 200
    assert re.findall(r'<input id="(\w+)"', text) == ["email", "name", "password"]
    assert "<script" not in text
    assert "style=" not in text
    reply = client.post("/setup", FORM)
    assert (reply.status_code, reply["Location"]) == (302, "/")
    user = User.objects.get()
    assert (user.email, user.name, user.is_staff) == ("first@example.com", "Ada", True)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_its_style_sheet_is_served(client: Client) -> None:
    place = re.search(r'href="([^"]+\.css)"', client.get("/setup").content.decode())
    assert place
    reply = client.get(place[1])
    assert (reply.status_code, reply["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    reply.close()


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost_but_the_password(client: Client) -> None:
    reply = client.post("/setup", {**FORM, "password": "short"})
    text = reply.content.decode()
    assert reply.status_code == 400
    assert 'aria-describedby="password-error"' in text
    assert "This password is too short" in text
    assert 'value="first@example.com"' in text
    assert 'value="short"' not in text
    assert not User.objects.exists()


def test_behind_something_the_code_is_asked_for(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    text = client.get("/setup", headers={"x-forwarded-for": "192.0.2.7"}).content.decode()
    assert 'autocomplete="one-time-code"' in text
    reply = client.post("/setup", {**FORM, "code": "AAAA"}, headers={"x-forwarded-for": "192.0.2.7"})
    assert (reply.status_code, "Not the code on the console." in reply.content.decode()) == (400, True)


def test_with_an_account_it_leads_away(client: Client) -> None:
    User.objects.create_user("user@example.com")
    for reply in (client.get("/setup"), client.post("/setup", FORM)):
        assert (reply.status_code, reply["Location"]) == (302, "/")
    assert User.objects.count() == 1


def test_the_form_is_refused_without_its_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/setup", FORM).status_code == 403
    assert not User.objects.exists()
