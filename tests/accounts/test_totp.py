"""The second factor: setting it up, signing in with it everywhere, recovery codes, taking it away."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.accounts.serving import PASSWORD, Browser, Program, Reply, Web, new_address, totp_code


def with_code(secret: str, send: Callable[[str], Reply]) -> Reply:
    """The reply to the code of this moment; asked again should the moment have passed on the way."""
    period = time.time() // 30
    reply = send(totp_code(secret))
    return reply if time.time() // 30 == period else send(totp_code(secret))


def set_up(browser: Browser, address: str) -> str:
    """Signs in and sets an authenticator app up; its secret."""
    assert browser.log_in(address).status == 200
    browser.reauthenticate()
    offer = browser.get("account/authenticators/totp")
    assert offer.status == 404
    secret: str = offer.body["meta"]["secret"]
    assert offer.body["meta"]["totp_url"].startswith("otpauth://totp/")
    assert "issuer=Rubberduck" in offer.body["meta"]["totp_url"]
    reply = with_code(secret, lambda code: browser.post("account/authenticators/totp", code=code))
    assert reply.status == 200
    return secret


def recovery_codes(browser: Browser) -> list[str]:
    codes: list[str] = browser.get("account/authenticators/recovery-codes").body["data"]["unused_codes"]
    return codes


def test_setting_it_up_takes_the_password_and_a_right_code(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    browser.log_in(address)
    secret = browser.get("account/authenticators/totp").body["meta"]["secret"]
    refused = with_code(secret, lambda code: browser.post("account/authenticators/totp", code=code))
    assert (refused.status, "reauthenticate" in refused.flows) == (401, True)
    browser.reauthenticate()
    browser.get("account/authenticators/totp")
    assert browser.post("account/authenticators/totp", code="000000").errors == [("code", "incorrect_code")]
    assert browser.get("account/authenticators").body["data"] == []


def test_signing_in_then_takes_a_code(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    secret = set_up(browser, address)
    assert [mail["subject"] for mail in web.mails(address)] == ["Your account asks for a second factor now"]
    reply = other_browser.log_in(address)
    assert (reply.status, reply.pending) == (401, ["mfa_authenticate"])
    assert not other_browser.is_signed_in()
    assert other_browser.post("auth/2fa/authenticate", code="000000").errors == [("code", "incorrect_code")]
    assert with_code(secret, lambda code: other_browser.post("auth/2fa/authenticate", code=code)).status == 200
    assert other_browser.is_signed_in()


def test_a_code_works_once(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    secret = set_up(browser, address)
    sent = []
    with Browser(web) as owner:
        owner.log_in(address)

        def send(code: str) -> Reply:
            sent.append(code)
            return owner.post("auth/2fa/authenticate", code=code)

        assert with_code(secret, send).status == 200
    with Browser(web) as thief:
        thief.log_in(address)
        assert thief.post("auth/2fa/authenticate", code=sent[-1]).errors == [("code", "incorrect_code")]


def test_a_recovery_code_stands_in_for_a_lost_telephone_once(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    first, second, *rest = recovery_codes(browser)
    assert len(rest) == 8
    for code, status in ((first, 200), (first, 400), (second, 200)):
        with Browser(web) as visitor:
            visitor.log_in(address)
            assert visitor.post("auth/2fa/authenticate", code=code).status == status
    assert recovery_codes(browser) == rest
    assert browser.post("account/authenticators/recovery-codes").status == 200
    assert not set(recovery_codes(browser)) & {first, second, *rest}


def test_codes_cannot_be_tried_out(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    code = recovery_codes(browser)[0]
    for _ in range(5):
        with Browser(web) as attacker:
            attacker.log_in(address)
            assert attacker.post("auth/2fa/authenticate", code="000000").errors == [("code", "incorrect_code")]
    with Browser(web) as owner:
        owner.log_in(address)
        assert owner.post("auth/2fa/authenticate", code=code).errors == [("code", "too_many_login_attempts")]
    web.forget_attempts()
    with Browser(web) as owner:
        owner.log_in(address)
        assert owner.post("auth/2fa/authenticate", code=code).status == 200


def test_a_reset_password_does_not_get_around_it(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    other_browser.post("auth/password/request", email=address)
    other_browser.post("auth/password/reset", key=web.code(address), password="another horse entirely")
    assert not other_browser.is_signed_in()
    assert other_browser.log_in(address, "another horse entirely").pending == ["mfa_authenticate"]


def test_the_admin_asks_for_the_code_too(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address(), is_staff=True, is_superuser=True)
    set_up(browser, address)
    codes = recovery_codes(browser)
    for wrong in ("", "000000", "no code at all"):
        with Browser(web) as attacker:
            assert attacker.admin_log_in(address, code=wrong).status_code == 200
            assert not attacker.is_signed_in()
            assert attacker.http.get("/admin/").status_code == 302
    with Browser(web) as owner:
        assert owner.admin_log_in(address, code=codes[0]).headers["location"] == "/admin/"
        assert owner.http.get("/admin/").status_code == 200
    with Browser(web) as thief:
        assert b"Incorrect code" in thief.admin_log_in(address, code=codes[0]).content
    for _ in range(5):
        with Browser(web) as attacker:
            attacker.admin_log_in(address, code="000000")
    with Browser(web) as owner:
        assert b"Too many failed login attempts" in owner.admin_log_in(address, code=codes[1]).content
        assert not owner.is_signed_in()


def test_a_session_from_before_is_not_enough_for_the_admin_of_another(web: Web, browser: Browser) -> None:
    """Half a sign-in, stopped before the code, opens neither the admin nor the API."""
    address = web.add_account(new_address(), is_staff=True, is_superuser=True)
    set_up(browser, address)
    with Browser(web) as attacker:
        assert attacker.log_in(address).pending == ["mfa_authenticate"]
        assert attacker.http.get("/admin/").status_code == 302
        assert attacker.http.get("/api/v1/proxies").status_code == 401


def test_a_program_gives_the_code_too(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    code = recovery_codes(browser)[0]
    with Program(web) as program:
        assert program.call("POST", "auth/login", email=address, password=PASSWORD).pending == ["mfa_authenticate"]
        reply = program.call("POST", "auth/2fa/authenticate", code=code)
        assert (reply.status, "access_token" in reply.body["meta"]) == (200, True)


def test_it_can_be_used_to_reauthenticate_and_be_taken_away(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    first, second, *_ = recovery_codes(browser)
    other_browser.log_in(address)
    other_browser.post("auth/2fa/authenticate", code=first)
    refused = other_browser.call("DELETE", "account/authenticators/totp")
    assert (refused.status, "mfa_reauthenticate" in refused.flows) == (401, True)
    assert other_browser.post("auth/2fa/reauthenticate", code=second).status == 200
    assert other_browser.call("DELETE", "account/authenticators/totp").status == 200
    assert other_browser.get("account/authenticators").body["data"] == [], "recovery codes go with it"
    assert web.mails(address)[-1]["subject"] == "Your account asks for no second factor any more"
    with Browser(web) as fresh:
        assert fresh.log_in(address).status == 200


def test_its_secrets_are_not_to_be_read_in_the_database(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    secret = set_up(browser, address)
    code = """
import json
from allauth.mfa.models import Authenticator
result = json.dumps(list(Authenticator.objects.filter(user__email=address).values_list("data", flat=True)))
"""
    stored = web.ask(code, address=address)
    assert secret not in stored
    assert not [code for code in recovery_codes(browser) if code in stored]
    assert "gAAAA" in stored


def test_staff_take_a_lost_second_factor_away_and_cannot_read_it(web: Web, browser: Browser) -> None:
    staff = web.add_account(new_address(), is_staff=True, is_superuser=True)
    address = web.add_account(new_address())
    with Browser(web) as owner:
        set_up(owner, address)
    browser.admin_log_in(staff)
    listed = browser.http.get("/admin/mfa/authenticator/", params={"q": address})
    assert listed.text.count(address) >= 2
    place = next(
        part for part in listed.text.split('"') if part.startswith("/admin/mfa/authenticator/") and "change" in part
    )
    assert "gAAAA" not in browser.http.get(place.partition("?")[0]).text
    assert browser.http.get("/admin/mfa/authenticator/add/").status_code == 403
    pks = web.ask(
        "from allauth.mfa.models import Authenticator\n"
        "result = list(Authenticator.objects.filter(user__email=address).values_list('pk', flat=True))",
        address=address,
    )
    for pk in pks:
        form = {"post": "yes", "csrfmiddlewaretoken": browser.csrf_token}
        assert browser.http.post(f"/admin/mfa/authenticator/{pk}/delete/", data=form).status_code == 302
    with Browser(web) as owner:
        assert owner.log_in(address).status == 200


def test_passwords_that_are_switched_off_before_the_code_let_nobody_in(
    web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    first, second, *_ = recovery_codes(browser)
    assert other_browser.log_in(address).pending == ["mfa_authenticate"]
    web.set_site(allow_password_login=False)
    reply = other_browser.post("auth/2fa/authenticate", code=first)
    assert (reply.status, reply.errors) == (400, [(None, "password_login_off")])
    assert not other_browser.is_signed_in()
    web.set_site()
    with Browser(web) as fresh:
        fresh.log_in(address)
        assert fresh.post("auth/2fa/authenticate", code=second).status == 200


def test_all_that_concerns_it_takes_a_proof_that_is_not_five_minutes_old(
    web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = web.add_account(new_address())
    set_up(browser, address)
    first, second, *_ = recovery_codes(browser)
    other_browser.log_in(address)
    assert other_browser.post("auth/2fa/authenticate", code=first).status == 200
    places = (
        *(("GET", "account/authenticators/recovery-codes"), ("POST", "account/authenticators/recovery-codes")),
        *(("DELETE", "account/authenticators/totp"), ("POST", "account/email")),
    )

    def refused(visitor: Browser) -> list[str]:
        body = {"email": new_address()}
        replies = {place: visitor.call(method, place, **body) for method, place in places}
        assert all("reauthenticate" in reply.flows for reply in replies.values() if reply.status == 401)
        return [place for place, reply in replies.items() if reply.status == 401]

    asked = sorted({place for _, place in places})
    assert sorted(refused(other_browser)) == asked, "a sign-in is no such proof"
    assert other_browser.post("auth/2fa/reauthenticate", code=second).status == 200
    assert other_browser.get("account/authenticators/recovery-codes").status == 200
    web.age_sessions(6 * 60)
    assert sorted(refused(other_browser)) == asked
    assert other_browser.is_signed_in()
