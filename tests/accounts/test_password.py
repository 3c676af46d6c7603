"""Resetting, changing and setting a password; changing the address; proving anew who is there."""

from __future__ import annotations

import re

from tests.accounts.serving import PASSWORD, Browser, Web, new_address, plain_text

NEW = "another horse entirely"


def ask_for_code(browser: Browser, address: str) -> None:
    reply = browser.post("auth/password/request", email=address)
    assert (reply.status, reply.pending) == (401, ["password_reset_by_code"])


def test_a_code_from_a_mail_replaces_a_forgotten_password(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    assert other_browser.log_in(address).status == 200
    ask_for_code(browser, address)
    assert browser.post("auth/password/reset", key=web.code(address), password=NEW).status == 401
    assert not other_browser.is_signed_in(), "the thief who knew the old password is out"
    assert browser.log_in(address, PASSWORD).status == 400
    assert browser.log_in(address, NEW).status == 200
    assert [mail["subject"] for mail in web.mails(address)] == [
        "Your code for a new password",
        "Your password has been reset",
    ]


def test_three_wrong_codes_end_a_reset(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    ask_for_code(browser, address)
    for _ in range(3):
        reply = browser.post("auth/password/reset", key="WRNG-CODE", password=NEW)
        assert reply.errors == [("key", "incorrect_code")]
    assert browser.post("auth/password/reset", key=web.code(address), password=NEW).status == 409
    assert browser.log_in(address).status == 200


def test_a_code_for_a_reset_works_in_its_own_browser_alone(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    ask_for_code(browser, address)
    reply = other_browser.post("auth/password/reset", key=web.code(address), password=NEW)
    assert reply.status == 409
    assert browser.log_in(address).status == 200


def test_a_weak_new_password_is_refused_and_the_code_stays_good(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    ask_for_code(browser, address)
    reply = browser.post("auth/password/reset", key=web.code(address), password="short")
    assert {param for param, _ in reply.errors} == {"password"}
    assert browser.post("auth/password/reset", key=web.code(address), password=NEW).status == 401
    assert browser.log_in(address, NEW).status == 200


def test_an_unknown_address_gets_the_same_answer_and_a_mail_that_says_so(
    web: Web, browser: Browser, other_browser: Browser
) -> None:
    known, unknown = web.add_account(new_address()), new_address()
    answers = [
        visitor.post("auth/password/request", email=address)
        for visitor, address in ((browser, known), (other_browser, unknown))
    ]
    assert answers[0] == answers[1]
    wrong = [visitor.post("auth/password/reset", key="WRNG-CODE", password=NEW) for visitor in (browser, other_browser)]
    assert wrong[0] == wrong[1]
    (mail,) = web.mails(unknown)
    assert mail["subject"] == "There is no account with this address"
    assert web.accounts(unknown) == []


def test_resets_of_one_account_are_limited(web: Web) -> None:
    address = web.add_account(new_address())
    answers = []
    for _ in range(6):
        with Browser(web) as browser:
            answers.append(browser.post("auth/password/request", email=address).status)
    assert answers == [401] * 5 + [429]
    assert len(web.mails(address)) == 5


def test_with_passwords_off_there_is_nothing_to_reset(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    ask_for_code(browser, address)
    web.set_site(allow_password_login=False)
    assert other_browser.post("auth/password/request", email=address).errors == [("email", "password_login_off")]
    reply = browser.post("auth/password/reset", key=web.code(address), password=NEW)
    assert reply.errors == [("password", "password_login_off")]
    assert len(web.mails(address)) == 1
    web.set_site()
    assert other_browser.log_in(address).status == 200


def test_an_address_that_may_not_sign_up_can_reset_its_password(web: Web, browser: Browser) -> None:
    web.set_site(allowed_domains=["corp.example"])
    address = web.add_account(new_address())
    ask_for_code(browser, address)
    assert browser.post("auth/password/reset", key=web.code(address), password=NEW).status == 401


def test_changing_the_password_takes_the_old_one_and_ends_other_sessions(
    web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = web.add_account(new_address())
    assert browser.post("account/password/change", current_password=PASSWORD, new_password=NEW).status == 401
    browser.log_in(address)
    other_browser.log_in(address)
    wrong = browser.post("account/password/change", current_password="wrong", new_password=NEW)
    assert wrong.errors == [("current_password", "enter_current_password")]
    weak = browser.post("account/password/change", current_password=PASSWORD, new_password="short")
    assert {param for param, _ in weak.errors} == {"new_password"}
    assert browser.post("account/password/change", current_password=PASSWORD, new_password=NEW).status == 200
    assert browser.is_signed_in()
    assert not other_browser.is_signed_in()
    assert other_browser.log_in(address, NEW).status == 200
    assert [mail["subject"] for mail in web.mails(address)] == ["Your password has been changed"]


def test_an_account_without_a_password_gets_one(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address(), None)
    ask_for_code(browser, address)
    assert browser.post("auth/password/reset", key=web.code(address), password=NEW).status == 401
    assert browser.log_in(address, NEW).status == 200


# --- the address


def test_changing_the_address_takes_the_password_and_a_code_to_the_new_one(web: Web, browser: Browser) -> None:
    old, new = web.add_account(new_address()), new_address("new")
    browser.log_in(old)
    refused = browser.post("account/email", email=new)
    assert (refused.status, "reauthenticate" in refused.flows) == (401, True)
    assert browser.post("auth/reauthenticate", password="wrong").errors == [("password", "incorrect_password")]
    browser.reauthenticate()
    assert browser.post("account/email", email=new).status == 200
    assert web.accounts(old), "nothing has changed before the code"
    assert browser.post("auth/email/verify", key="WRNG-CODE").status == 400
    assert browser.post("auth/email/verify", key=web.code(new)).status == 200
    assert web.accounts(old) == []
    assert web.accounts(new) == [{"email": new, "name": "", "is_staff": False, "verified": [new]}]
    (told,) = web.mails(old)
    assert told["subject"] == "The address of your account has been changed"
    assert new in plain_text(told)
    with Browser(web) as fresh:
        assert fresh.log_in(old).status == 400
        assert fresh.log_in(new).status == 200


def test_the_address_of_another_account_cannot_be_taken(web: Web, browser: Browser) -> None:
    mine, theirs = web.add_account(new_address()), web.add_account(new_address())
    browser.log_in(mine)
    browser.reauthenticate()
    browser.post("account/email", email=theirs)
    assert browser.post("auth/email/verify", key=web.code(theirs)).errors == [("key", "email_taken")]
    assert web.accounts(theirs)[0]["verified"] == [theirs]
    assert web.accounts(mine)[0]["verified"] == [mine]


def test_attempts_to_reauthenticate_are_limited(web: Web, browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    answers = [browser.post("auth/reauthenticate", password="wrong").status for _ in range(11)]
    assert answers[0] == 400
    assert answers[-1] == 429


def test_a_code_for_a_reset_ends_after_a_quarter_of_an_hour(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    ask_for_code(browser, address)
    web.age_sessions(16 * 60)
    assert browser.post("auth/password/reset", key=web.code(address), password=NEW).status == 409
    assert browser.log_in(address).status == 200


def test_a_new_address_that_nobody_verifies_in_time_changes_nothing(web: Web, browser: Browser) -> None:
    old, new = web.add_account(new_address()), new_address("new")
    browser.log_in(old)
    browser.reauthenticate()
    browser.post("account/email", email=new)
    web.age_sessions(16 * 60)
    assert browser.post("auth/email/verify", key=web.code(new)).status == 409
    assert web.accounts(old)[0]["verified"] == [old]
    assert web.accounts(new) == []


def test_of_two_who_want_the_same_new_address_the_first_gets_it(
    web: Web, browser: Browser, other_browser: Browser
) -> None:
    new, loser = new_address("new"), new_address()
    for visitor, address in ((browser, new_address()), (other_browser, loser)):
        visitor.log_in(web.add_account(address))
        visitor.reauthenticate()
        assert visitor.post("account/email", email=new).status == 200
        web.forget_attempts()
    codes = [re.findall(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", plain_text(mail), re.MULTILINE)[0] for mail in web.mails(new)]
    assert browser.post("auth/email/verify", key=codes[0]).status == 200
    assert other_browser.post("auth/email/verify", key=codes[1]).errors == [("key", "email_taken")]
    assert web.accounts(loser)[0]["verified"] == [loser]
    assert len(web.accounts(new)) == 1
