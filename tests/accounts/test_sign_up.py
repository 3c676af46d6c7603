"""Making an account by oneself: who may, the code in the mail, and what is not told to strangers."""

from __future__ import annotations

import pytest

from tests.accounts.serving import PASSWORD, Browser, Reply, Web, new_address, plain_text


def sign_up(browser: Browser, address: str, password: str = PASSWORD) -> Reply:
    return browser.post("auth/signup", email=address, password=password)


def test_signing_up_leads_over_a_code_in_a_mail_to_a_session(open_web: Web, browser: Browser) -> None:
    address = new_address()
    reply = sign_up(browser, address)
    assert (reply.status, reply.pending) == (401, ["verify_email"])
    assert not browser.is_signed_in()
    reply = browser.post("auth/email/verify", key=open_web.code(address))
    assert reply.status == 200
    assert reply.body["data"]["user"]["email"] == address
    assert browser.is_signed_in()
    assert open_web.accounts(address) == [{"email": address, "name": "", "is_staff": False, "verified": [address]}]
    assert browser.call("DELETE", "auth/session").status == 401
    assert browser.log_in(address).status == 200


def test_nobody_signs_in_before_the_address_is_verified(
    open_web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = new_address()
    sign_up(browser, address)
    open_web.forget_attempts()
    reply = other_browser.log_in(address)
    assert (reply.status, reply.pending) == (401, ["verify_email"])
    assert other_browser.post("auth/email/verify", key=open_web.code(address)).status == 200
    assert other_browser.is_signed_in()


def test_right_after_a_code_was_sent_signing_in_sends_no_second_one(
    open_web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = new_address()
    sign_up(browser, address)
    assert other_browser.log_in(address).errors == [(None, "too_many_login_attempts")]
    assert len(open_web.mails(address)) == 1


def test_three_wrong_codes_end_the_attempt(open_web: Web, browser: Browser) -> None:
    address = new_address()
    sign_up(browser, address)
    for _ in range(3):
        assert browser.post("auth/email/verify", key="WRNG-CODE").errors == [("key", "incorrect_code")]
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 409
    assert not browser.is_signed_in()


def test_a_code_is_for_the_browser_that_asked_and_works_once(
    open_web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = new_address()
    sign_up(browser, address)
    code = open_web.code(address)
    assert other_browser.post("auth/email/verify", key=code).status == 409
    assert browser.post("auth/email/verify", key=code.lower().replace("-", " ")).status == 200
    assert browser.post("auth/email/verify", key=code).status == 409


def test_a_new_code_can_be_asked_for_and_replaces_the_old_one(open_web: Web, browser: Browser) -> None:
    address = new_address()
    sign_up(browser, address)
    old = open_web.code(address)
    assert browser.post("auth/email/verify/resend").status == 429
    open_web.forget_attempts()
    assert browser.post("auth/email/verify/resend").status == 200
    new = open_web.code(address)
    assert new != old
    assert browser.post("auth/email/verify", key=old).status == 400
    assert browser.post("auth/email/verify", key=new).status == 200


def test_a_new_installation_is_closed(web: Web, browser: Browser) -> None:
    address = new_address()
    assert not browser.config["account"]["is_open_for_signup"]
    assert "signup" not in browser.get("auth/session").flows
    assert sign_up(browser, address).status == 403
    assert web.accounts(address) == []
    assert web.mails(address) == []


def test_listed_addresses_and_domains_may_sign_up_while_registration_is_closed(web: Web, browser: Browser) -> None:
    listed, colleague = new_address("listed"), new_address("eve", "corp.example")
    web.set_site(allowed_emails=[listed], allowed_domains=["corp.example"])
    assert browser.get("config").body["data"]["account"]["is_open_for_signup"]
    for stranger in (new_address("stranger"), new_address("eve", "sub.corp.example"), f"x{listed}"):
        reply = sign_up(browser, stranger)
        assert (reply.status, reply.errors) == (400, [("email", "email_not_allowed")])
        assert web.accounts(stranger) == []
    for friend in (listed.upper(), colleague.replace("corp", "CORP")):
        with Browser(web) as fresh:
            assert sign_up(fresh, friend).pending == ["verify_email"]
            assert fresh.post("auth/email/verify", key=web.code(friend.lower())).status == 200


def test_an_open_registration_takes_everybody_listed_or_not(web: Web, browser: Browser) -> None:
    web.set_site(allow_registration=True, allowed_emails=["somebody@example.com"])
    assert sign_up(browser, new_address()).pending == ["verify_email"]


def test_the_switch_works_while_the_server_runs(web: Web, browser: Browser) -> None:
    assert sign_up(browser, new_address()).status == 403
    web.set_site(allow_registration=True)
    assert "signup" in browser.get("auth/session").flows
    assert sign_up(browser, new_address()).status == 401
    web.set_site()
    with Browser(web) as fresh:
        assert sign_up(fresh, new_address()).status == 403


def test_without_passwords_nobody_signs_up_by_one(web: Web, browser: Browser) -> None:
    web.set_site(allow_registration=True, allow_password_login=False)
    assert not browser.get("config").body["data"]["account"]["is_open_for_signup"]
    address = new_address()
    assert sign_up(browser, address).errors == [("password", "password_login_off")]
    assert web.accounts(address) == []


@pytest.mark.parametrize("password", ["short", "password123", "839261047261"])
def test_a_weak_password_is_refused_with_the_reason(open_web: Web, browser: Browser, password: str) -> None:
    reply = sign_up(browser, new_address(), password)
    assert reply.status == 400
    assert {param for param, _ in reply.errors} == {"password"}


def test_a_taken_address_looks_to_a_stranger_like_a_free_one(
    open_web: Web, browser: Browser, other_browser: Browser
) -> None:
    taken, free = open_web.add_account(new_address()), new_address()
    for_taken, for_free = sign_up(browser, taken), sign_up(other_browser, free)
    assert (for_taken.status, for_taken.body["data"]) == (for_free.status, for_free.body["data"])
    assert browser.post("auth/email/verify", key="WRNG-CODE").errors == [("key", "incorrect_code")]
    (mail,) = open_web.mails(taken)
    assert mail["subject"] == "You already have an account"
    assert "it has not been changed" in plain_text(mail)
    with Browser(open_web) as owner:
        assert owner.log_in(taken).status == 200


def test_sign_ups_from_one_address_are_limited(open_web: Web) -> None:
    with Browser(open_web) as browser:
        answers = [sign_up(browser, "not an address").status for _ in range(21)]
        assert answers == [400] * 20 + [429]
    with Browser(open_web) as elsewhere:
        assert sign_up(elsewhere, new_address()).status == 401


def test_before_the_first_account_nobody_signs_up(open_web: Web, browser: Browser) -> None:
    others = open_web.ask("from accounts.models import User\nresult = list(User.objects.values_list('pk', flat=True))")
    assert others
    open_web.ask("from accounts.models import User\nUser.objects.all().delete()\nresult = None")
    try:
        assert sign_up(browser, new_address()).status == 403
        assert not browser.get("config").body["data"]["account"]["is_open_for_signup"]
    finally:
        open_web.add_account("first@example.com", is_staff=True, is_superuser=True)


def test_a_code_that_is_a_quarter_of_an_hour_old_is_worth_nothing(open_web: Web, browser: Browser) -> None:
    address = new_address()
    sign_up(browser, address)
    open_web.age_sessions(14 * 60)
    assert browser.post("auth/email/verify", key="WRNG-CODE").status == 400, "there is still something to verify"
    open_web.age_sessions(2 * 60)
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 409
    assert not browser.is_signed_in()
    assert open_web.accounts(address)[0]["verified"] == []


def test_who_gave_anothers_address_is_not_let_in_when_its_owner_comes(
    open_web: Web, browser: Browser, other_browser: Browser
) -> None:
    """Whoever signs up with an address before its owner does has neither a session nor a password afterwards."""
    address = new_address("victim")
    sign_up(browser, address)
    other_browser.post("auth/password/request", email=address)
    reset = other_browser.post("auth/password/reset", key=open_web.code(address), password="another horse entirely")
    assert reset.status == 401
    assert other_browser.log_in(address, "another horse entirely").status == 200
    open_web.forget_attempts()
    assert browser.get("auth/session").pending == ["verify_email"]
    assert browser.post("auth/email/verify", key="WRNG-CODE").status == 400
    assert browser.log_in(address).status == 400
    assert not browser.is_signed_in()


# --- a switch that is turned in between


def test_an_account_that_was_made_while_registration_was_open_is_verified_afterwards(
    open_web: Web, browser: Browser
) -> None:
    address = new_address()
    sign_up(browser, address)
    open_web.set_site()
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 200


def test_with_passwords_off_a_sign_up_that_has_begun_leads_to_no_session(open_web: Web, browser: Browser) -> None:
    address = new_address()
    sign_up(browser, address)
    open_web.set_site(allow_registration=True, allow_password_login=False)
    reply = browser.post("auth/email/verify", key=open_web.code(address))
    assert (reply.status, reply.errors) == (400, [(None, "password_login_off")])
    assert not browser.is_signed_in()
    open_web.set_site()
    assert browser.log_in(address).status == 200, "the address is verified all the same"
