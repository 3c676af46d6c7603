"""Signing in by password: as a page, a program and the admin do it; the switch, rate limits, CSRF, nonsense."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.accounts.serving import PASSWORD, Browser, Program, Web, new_address

OTHER_PASSWORD = "another horse entirely"


def test_signing_in_and_out(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    assert browser.get("auth/session").flows >= {"login", "provider_redirect"}
    reply = browser.log_in(address)
    assert reply.status == 200
    assert reply.body["data"]["user"]["email"] == address
    assert browser.get("auth/session").body["data"]["user"]["email"] == address
    assert browser.call("DELETE", "auth/session").status == 401
    assert not browser.is_signed_in()


def test_the_address_may_be_typed_in_any_case(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    assert browser.log_in(address.upper()).status == 200


def test_whoever_the_command_line_makes_is_verified(web: Web, browser: Browser) -> None:
    address = new_address()
    web.ask(
        "from accounts.models import User\nUser.objects.create_superuser(address, password)\nresult = None",
        address=address,
        password=PASSWORD,
    )
    assert browser.log_in(address).status == 200
    assert web.mails(address) == []


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    wrong, unknown = browser.log_in(address, "wrong"), browser.log_in(new_address(), "wrong")
    assert wrong.errors == [("password", "email_password_mismatch")]
    assert wrong == unknown


def test_an_account_that_is_switched_off_stays_out_at_once(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    assert browser.log_in(address).status == 200
    web.ask(
        "from accounts.models import User\nresult = User.objects.filter(email=a).update(is_active=False)", a=address
    )
    assert not browser.is_signed_in()
    assert other_browser.log_in(address).errors == [("password", "email_password_mismatch")]


def test_without_the_csrf_token_nothing_happens(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    body = {"email": address, "password": PASSWORD}
    assert browser.http.post("/_allauth/browser/v1/auth/login", json=body).status_code == 403
    foreign = {"x-csrftoken": browser.csrf_token, "origin": "https://evil.example.com"}
    assert browser.http.post("/_allauth/browser/v1/auth/login", json=body, headers=foreign).status_code == 403
    assert not browser.is_signed_in()


# --- the switch


def test_with_passwords_off_no_password_is_asked(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address(), is_staff=True, is_superuser=True)
    assert browser.log_in(address).status == 200
    web.set_site(allow_password_login=False)
    for password in (PASSWORD, "wrong"):
        assert other_browser.log_in(address, password).errors == [(None, "password_login_off")]
    assert b"switched off" in other_browser.admin_log_in(address).content
    assert browser.is_signed_in()
    staff = web.add_account(new_address(), is_staff=True, is_superuser=True)
    assert b"switched off" in browser.admin_log_in(staff).content, "nor by one who is signed in, for somebody else"
    assert browser.post("auth/reauthenticate", password=PASSWORD).status == 200
    web.set_site()
    assert other_browser.log_in(address).status == 200


# --- rate limits


def test_an_account_takes_five_wrong_passwords_then_no_right_one_either(web: Web) -> None:
    address, other = web.add_account(new_address()), web.add_account(new_address())
    for _ in range(5):
        with Browser(web) as attacker:
            assert attacker.log_in(address, "wrong").errors == [("password", "email_password_mismatch")]
    with Browser(web) as owner:
        assert owner.log_in(address).errors == [(None, "too_many_login_attempts")]
        assert owner.log_in(other).status == 200
    web.forget_attempts()
    with Browser(web) as owner:
        assert owner.log_in(address).status == 200


def test_guesses_made_at_the_same_time_are_counted_one_by_one(web: Web) -> None:
    address = web.add_account(new_address())

    def guess(number: int) -> list[tuple[str | None, str]]:
        with Browser(web) as attacker:
            return attacker.log_in(address, f"guess {number}").errors

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(guess, range(10)))
    assert 1 <= answers.count([("password", "email_password_mismatch")]) <= 5
    assert all(answers)


def test_right_passwords_are_not_counted_against_an_account(web: Web) -> None:
    address = web.add_account(new_address())
    for _ in range(7):
        with Browser(web) as owner:
            assert owner.log_in(address).status == 200


def test_a_client_that_goes_through_many_accounts_is_stopped(web: Web, browser: Browser) -> None:
    answers = [browser.log_in(new_address(), "wrong").errors for _ in range(11)]
    assert answers == [[("password", "email_password_mismatch")]] * 10 + [[(None, "too_many_login_attempts")]]
    assert [browser.log_in(new_address(), "wrong").status for _ in range(20)][-1] == 429
    address = web.add_account(new_address())
    with Browser(web) as elsewhere:
        assert elsewhere.log_in(address).status == 200


def test_an_address_that_a_client_makes_up_does_not_help_it(web: Web) -> None:
    """What stands further left in X-Forwarded-For than the trusted proxy's own entry was written by the client."""
    with Browser(web) as browser:
        for number in range(10):
            browser.http.headers["x-forwarded-for"] = f"198.51.100.{number}, {browser.ip}"
            assert browser.log_in(new_address(), "wrong").status == 400
        browser.http.headers["x-forwarded-for"] = f"198.51.100.99, {browser.ip}"
        assert browser.log_in(new_address(), "wrong").errors == [(None, "too_many_login_attempts")]


# --- the admin


def test_the_admin_is_signed_in_to_by_password_and_its_session_is_everywhere(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address(), is_staff=True, is_superuser=True)
    reply = browser.admin_log_in(address)
    assert (reply.status_code, reply.headers["location"]) == (302, "/admin/")
    assert browser.http.get("/admin/").status_code == 200
    assert browser.is_signed_in()
    (session,) = browser.get("auth/sessions").body["data"]
    assert (session["ip"], session["is_current"]) == (browser.ip, True)
    assert browser.call("DELETE", "auth/session").status == 401
    assert browser.http.get("/admin/").status_code == 302
    assert browser.log_in(address).status == 200
    assert browser.http.get("/admin/").status_code == 200, "a session from the pages opens the admin"


def test_the_admin_lets_only_verified_staff_in(web: Web, browser: Browser) -> None:
    person, staff = web.add_account(new_address()), web.add_account(new_address(), is_staff=True)
    assert b"for a staff account" in browser.admin_log_in(person).content
    assert b"for a staff account" in browser.admin_log_in(staff, "wrong").content
    web.ask(
        "from allauth.account.models import EmailAddress\n"
        "result = EmailAddress.objects.filter(email=a).update(verified=False)",
        a=staff,
    )
    assert b"Verify your e-mail address first" in browser.admin_log_in(staff).content
    assert not browser.is_signed_in()


def test_the_admin_counts_wrong_passwords_with_all_other_ways(web: Web) -> None:
    address = web.add_account(new_address(), is_staff=True)
    for number in range(5):
        with Browser(web) as attacker:
            if number % 2:
                assert attacker.log_in(address, "wrong").status == 400
            else:
                assert attacker.admin_log_in(address, "wrong").status_code == 200
    with Browser(web) as owner:
        assert b"Too many failed login attempts" in owner.admin_log_in(address).content
        assert owner.log_in(address).errors == [(None, "too_many_login_attempts")]
        assert not owner.is_signed_in()


# --- programs


def test_a_program_signs_in_without_cookies_and_out_again(web: Web) -> None:
    address = web.add_account(new_address())
    with Program(web) as program:
        reply = program.call("POST", "auth/login", email=address, password=PASSWORD)
        assert reply.status == 200
        assert reply.body["meta"].keys() >= {"session_token", "access_token", "refresh_token"}
        assert program.call("GET", "auth/session").status == 200
        assert "set-cookie" not in program.http.get("/_allauth/app/v1/config").headers
        assert program.call("DELETE", "auth/session").status == 401
        assert program.call("GET", "auth/session").status == 410


def test_a_programs_access_token_is_renewed_and_dies_with_the_session(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    with Program(web) as program:
        meta = program.call("POST", "auth/login", email=address, password=PASSWORD).body["meta"]
        first = {"authorization": f"Bearer {meta['access_token']}"}
        assert program.call("GET", "auth/session", headers=first).status == 200
        renewed = program.call("POST", "tokens/refresh", headers={}, refresh_token=meta["refresh_token"])
        assert renewed.status == 200
        again = program.call("POST", "tokens/refresh", headers={}, refresh_token=meta["refresh_token"])
        assert again.status == 400
        second = {"authorization": f"Bearer {renewed.body['data']['access_token']}"}
        assert program.call("GET", "auth/session", headers=second).status == 200
        assert program.http.get("/api/v1/me", headers=second).json()["email"] == address
        browser.log_in(address)
        (other,) = [one for one in browser.get("auth/sessions").body["data"] if not one["is_current"]]
        assert browser.call("DELETE", "auth/sessions", sessions=[other["id"]]).status == 200
        for headers in (first, second):
            assert program.call("GET", "auth/session", headers=headers).status == 401
            assert program.http.get("/api/v1/me", headers=headers).status_code == 401
        fresh = renewed.body["data"]["refresh_token"]
        assert program.call("POST", "tokens/refresh", headers={}, refresh_token=fresh).status == 400


def test_a_new_password_ends_the_tokens_of_programs(web: Web, browser: Browser) -> None:
    address = web.add_account(new_address())
    ways = (
        lambda: browser.log_in(address),
        lambda: browser.post("account/password/change", current_password=PASSWORD, new_password=OTHER_PASSWORD),
    )
    with Program(web) as program:
        meta = program.call("POST", "auth/login", email=address, password=PASSWORD).body["meta"]
        bearer = {"authorization": f"Bearer {meta['access_token']}"}
        assert program.http.get("/api/v1/me", headers=bearer).status_code == 200
        assert [way().status for way in ways] == [200, 200]
        assert program.http.get("/api/v1/me", headers=bearer).status_code == 401
        refused = program.call("POST", "tokens/refresh", headers={}, refresh_token=meta["refresh_token"])
        assert refused.status == 400


def test_only_the_access_token_opens_the_api_and_not_for_long(web: Web) -> None:
    with Program(web) as program:
        address = web.add_account(new_address())
        meta = program.call("POST", "auth/login", email=address, password=PASSWORD).body["meta"]
        for name, status in (("access_token", 200), ("refresh_token", 401), ("session_token", 401)):
            bearer = {"authorization": f"Bearer {meta[name]}"}
            assert program.http.get("/api/v1/me", headers=bearer).status_code == status, name
        claims = jwt.decode(meta["access_token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 300
        forged = jwt.encode({**claims, "exp": claims["exp"] + 9}, "another key" * 4, algorithm="HS256")
        assert program.http.get("/api/v1/me", headers={"authorization": f"Bearer {forged}"}).status_code == 401
        assert program.call("DELETE", "auth/session").status == 401
        bearer = {"authorization": f"Bearer {meta['access_token']}"}
        assert program.http.get("/api/v1/me", headers=bearer).status_code == 401, "signed out"


# --- nonsense

PLACES = (
    *("auth/login", "auth/signup", "auth/email/verify", "auth/email/verify/resend", "auth/reauthenticate"),
    *("auth/password/request", "auth/password/reset", "auth/provider/signup", "auth/provider/token"),
    *("auth/2fa/authenticate", "auth/2fa/reauthenticate", "auth/sessions", "auth/session", "tokens/refresh"),
    *("account/password/change", "account/email", "account/providers", "account/authenticators/totp"),
    *("account/authenticators/recovery-codes", "account/authenticators", "config", "nothing"),
    *("account/phone", "auth/phone/verify", "auth/phone/verify/resend", "auth/code/confirm"),
)
FIELDS = (
    *("email", "password", "key", "code", "provider", "process", "account", "sessions", "refresh_token"),
    *("current_password", "new_password", "primary", "phone"),
)
NONSENSE = [
    *("{", "null", "\xff\xfe", "{}"),
    *(
        "{" + ", ".join([*(f'"{field}": {value}' for field in FIELDS), f'"token": {token}']) + "}"
        for value, token in (
            ("null", '{"client_id": []}'),
            ('{"a": [1e400]}', '{"client_id": "google-client", "id_token": "a.b.c"}'),
            ('"a\\u0000b@example.com"', '{"client_id": "\\u0000"}'),
            ('"\\ud800"', '"text"'),
            ('"a@example.com", "password": "\\udc00"', "[]"),
        )
    ),
]


@pytest.mark.parametrize(("client", "is_signed_in"), [("app", False), ("browser", False), ("browser", True)])
def test_nonsense_is_refused_and_breaks_nothing(web: Web, client: str, is_signed_in: bool) -> None:
    address = web.add_account(new_address())
    for number, place in enumerate(PLACES):
        with Browser(web) as browser:
            if is_signed_in:
                browser.log_in(address)
            for content in NONSENSE:
                browser.http.headers["x-forwarded-for"] = f"172.16.{number}.{len(content) % 256}"
                method = "DELETE" if len(content) % 3 == 0 else "POST"
                headers = {"x-csrftoken": browser.csrf_token, "content-type": "application/json"}
                where = f"/_allauth/{client}/v1/{place}"
                reply = browser.http.request(method, where, content=content.encode("latin-1"), headers=headers)
                assert reply.status_code < 500, (method, where, content[:200], reply.text[:300])


def test_telephone_numbers_are_no_part_of_an_account(web: Web, browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    for method in ("GET", "POST"):
        body = {"phone": "+15552345678"} if method == "POST" else {}
        assert browser.call(method, "account/phone", **body).status == 404
