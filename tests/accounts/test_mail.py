"""The mails that people get: from whom, with what, in both forms, and what happens when none can be sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from accounts.mail import mail_render
from tests.accounts.provider import Person
from tests.accounts.refusing_mail import AWAY
from tests.accounts.serving import PASSWORD, Browser, Web, new_address, page, plain_text

TEMPLATES = Path(settings.BASE_DIR) / "accounts" / "templates"
VALUES = {
    "email": "ada@example.com",
    "code": "BCDF-GHJK",
    "ip": "192.0.2.7",
    "user_agent": "<b>Netscape</b> & friends",
    "from_email": "old@example.com",
    "to_email": "new@example.com",
    "deleted_email": "old@example.com",
    "current_site": {"domain": "duck.example.com"},
    "provider": {"name": "Google"},
}


def names() -> list[str]:
    found = sorted(
        path.relative_to(TEMPLATES).as_posix().removesuffix("_message.txt") for path in TEMPLATES.rglob("*_message.txt")
    )
    assert len(found) > 10
    return found


def test_a_code_comes_as_text_and_as_a_page_from_the_configured_sender(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    browser.post("auth/password/request", email=address)
    (mail,) = web.mails(address)
    code = web.code(address)
    assert (mail["from"], mail["to"]) == ("Duck <duck@example.net>", address)
    assert mail["subject"] == "Your code for a new password"
    assert f"127.0.0.1:{web.port}" in plain_text(mail)
    assert code in page(mail)
    assert re.search(rf'<p class="code"[^>]*>{code}</p>', page(mail))
    assert "Rubberduck" in page(mail)


def test_a_notice_says_when_from_where_and_with_what(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    browser.log_in(address)
    browser.post("account/password/change", current_password=PASSWORD, new_password="another horse entirely")
    (mail,) = web.mails(address)
    assert f"From: {browser.ip}" in plain_text(mail)
    assert "With: Netscape 4" in plain_text(mail)
    assert re.search(r"When: \d{4}-\d\d-\d\d \d\d:\d\d UTC", plain_text(mail))


def test_every_mail_has_a_subject_of_one_line_and_both_forms_say_the_same() -> None:
    for name in names():
        mail = mail_render(name, ["ada@example.com"], VALUES, sender="duck@example.net")
        assert mail.subject
        assert "\n" not in mail.subject
        ((html, kind),) = mail.alternatives
        assert kind == "text/html"
        text = re.sub(r"<[^>]+>", " ", str(html).partition("</h1>")[2])
        for word in re.findall(r"[a-z]{4,}", str(mail.body)):
            assert word in text, (name, word)


def test_no_mail_holds_a_link_or_loads_anything() -> None:
    for name in names():
        mail = mail_render(name, ["ada@example.com"], VALUES, sender="duck@example.net")
        for content in (str(mail.body), str(mail.alternatives[0][0])):
            assert not re.search(r"https?:|href|src=(?!\"cid:)|url\(|@import", content), name


def test_what_a_client_says_of_itself_is_text_in_the_page() -> None:
    mail = mail_render("account/email/password_changed", ["ada@example.com"], VALUES, sender="duck@example.net")
    assert "<b>Netscape</b> & friends" in str(mail.body)
    assert "&lt;b&gt;Netscape&lt;/b&gt; &amp; friends" in str(mail.alternatives[0][0])


def test_every_subject_and_notice_is_a_sentence_of_ours() -> None:
    for name in names():
        assert render_to_string(f"{name}_subject.txt", VALUES)[0].isupper()
        assert (TEMPLATES / f"{name}_subject.txt").is_file()


@pytest.fixture
def mail_is_away(web: Web) -> Iterator[Callable[[], None]]:
    """No mail can be sent until this is called."""
    web.mail_dir.mkdir(exist_ok=True)
    (web.mail_dir / AWAY).touch()

    def come_back() -> None:
        (web.mail_dir / AWAY).unlink(missing_ok=True)
        web.forget_attempts()

    yield come_back
    come_back()


def test_who_signs_up_without_a_mail_is_told_and_signs_up_again(
    open_web: Web, browser: Browser, mail_is_away: Callable[[], None]
) -> None:
    address = new_address()
    for taken in (address, open_web.add_account(new_address())):
        reply = browser.post("auth/signup", email=taken, password=PASSWORD)
        assert (reply.status, reply.errors) == (503, [(None, "mail_not_sent")]), "whoever has the address"
    assert open_web.accounts(address) == []
    assert browser.get("auth/session").pending == []
    mail_is_away()
    assert browser.post("auth/signup", email=address, password=PASSWORD).pending == ["verify_email"]
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 200


def test_who_signs_in_or_changes_the_address_without_a_mail_is_told(
    open_web: Web, browser: Browser, mail_is_away: Callable[[], None]
) -> None:
    address, new = open_web.add_account(new_address()), new_address("new")
    browser.log_in(address)
    browser.reauthenticate()
    assert browser.post("account/email", email=new).errors == [(None, "mail_not_sent")]
    assert open_web.accounts(address)[0]["verified"] == [address]
    open_web.ask(
        "from allauth.account.models import EmailAddress\n"
        "result = EmailAddress.objects.filter(email=a).update(verified=False)",
        a=address,
    )
    with Browser(open_web) as fresh:
        reply = fresh.log_in(address)
        assert (reply.status, reply.errors) == (503, [(None, "mail_not_sent")])
        assert not fresh.is_signed_in()
        mail_is_away()
        assert fresh.log_in(address).pending == ["verify_email"]


@pytest.mark.parametrize("provider", ["google", "github"])
def test_who_comes_from_a_provider_without_a_mail_is_told(
    open_web: Web, browser: Browser, mail_is_away: Callable[[], None], provider: str
) -> None:
    address, taken = new_address(), open_web.add_account(new_address())
    for number, email in enumerate((address, taken)):
        open_web.provider.person = Person(7000 + number, "Ada", {email: False})
        assert browser.go_through(provider) == "/welcome?error=mail_not_sent&error_process=login"
        assert not browser.is_signed_in()
    mail_is_away()
    open_web.provider.person = Person(7000, "Ada", {address: False})
    assert browser.go_through(provider) == "/welcome"
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 200


@pytest.mark.usefixtures("mail_is_away")
def test_a_mail_that_cannot_be_sent_is_said_and_the_address_is_not_logged(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    reply = browser.post("auth/password/request", email=address)
    assert (reply.status, reply.errors) == (503, [(None, "mail_not_sent")])
    unknown = browser.post("auth/password/request", email=new_address())
    assert (unknown.status, unknown.body) == (reply.status, reply.body)
    browser.log_in(address)
    changed = browser.post("account/password/change", current_password=PASSWORD, new_password="another horse entirely")
    assert changed.status == 200, "a notice that cannot be sent stops nothing"
    (web.mail_dir / AWAY).unlink()
    assert "A mail (account/email/password_reset_code) could not be sent" in web.log
    assert address not in web.log
    with Browser(web) as fresh:
        assert fresh.post("auth/password/request", email=address).status == 401
