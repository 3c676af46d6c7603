"""Signing in by Google and GitHub, against a provider on loopback that gives codes, tokens and signed identities."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.accounts.provider import CLIENTS, KEY_ID, Person
from tests.accounts.serving import PASSWORD, Browser, Program, Web, new_address, plain_text

_uids = itertools.count(1000)
PROVIDERS = ("google", "github")


def person(email: str, verified: bool = True, **others: bool) -> Person:
    return Person(next(_uids), "Ada", {email: verified, **others})


def connected(browser: Browser) -> list[tuple[str, str]]:
    """Provider and uid of each connection."""
    found = browser.get("account/providers").body["data"]
    return [(one["provider"]["id"], one["uid"]) for one in found]


# --- signing up and in


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_verified_address_signs_up_without_a_mail_and_in_again(
    open_web: Web, browser: Browser, other_browser: Browser, provider: str
) -> None:
    address = new_address()
    open_web.provider.person = person(address)
    assert browser.go_through(provider) == "/welcome"
    assert browser.is_signed_in()
    assert open_web.accounts(address) == [{"email": address, "name": "Ada", "is_staff": False, "verified": [address]}]
    assert open_web.mails(address) == []
    assert other_browser.go_through(provider) == "/welcome"
    me = other_browser.get("auth/session").body["data"]["user"]
    assert (me["email"], me["has_usable_password"]) == (address, False)
    assert len(open_web.accounts(address)) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_unverified_address_is_verified_by_a_code(open_web: Web, browser: Browser, provider: str) -> None:
    address = new_address()
    open_web.provider.person = person(address, verified=False)
    browser.go_through(provider)
    assert browser.get("auth/session").pending == ["verify_email"]
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 200
    assert open_web.accounts(address)[0]["verified"] == [address]


def test_of_several_addresses_the_account_gets_a_verified_one(open_web: Web, browser: Browser) -> None:
    primary, verified = new_address(), new_address()
    open_web.provider.person = Person(next(_uids), "Ada", {primary: False, verified: True})
    browser.go_through("github")
    assert open_web.accounts(verified)[0]["verified"] == [verified]
    assert open_web.accounts(primary) == []


def test_somebody_without_any_address_is_asked_for_one(open_web: Web, browser: Browser) -> None:
    address = new_address()
    open_web.provider.person = Person(next(_uids), "Ada", {})
    browser.go_through("github")
    assert browser.get("auth/session").pending == ["provider_signup"]
    assert browser.post("auth/provider/signup", email=address).pending == ["verify_email"]
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 200


def test_saying_no_at_the_provider_leads_back_with_the_reason(open_web: Web, browser: Browser) -> None:
    for provider in PROVIDERS:
        assert browser.go_through(provider) == "/welcome?error=cancelled&error_process=login"
    assert not browser.is_signed_in()


def test_the_provider_is_asked_for_an_address_with_pkce_and_our_callback(open_web: Web, browser: Browser) -> None:
    open_web.provider.person = person(new_address())
    for provider, scope in (("google", {"email", "profile"}), ("github", {"user:email"})):
        browser.go_through(provider)
        asked = open_web.provider.asked[-1]
        assert asked["redirect_uri"] == f"{open_web.url}/accounts/{provider}/login/callback/"
        assert (set(asked["scope"].split()), asked["code_challenge_method"]) == (scope, "S256")


def test_a_callback_that_nobody_asked_for_signs_nobody_in(open_web: Web, browser: Browser) -> None:
    open_web.provider.person = person(new_address())
    for query in ("code=stolen&state=made-up", "code=stolen", ""):
        reply = browser.http.get(f"/accounts/google/login/callback/?{query}")
        assert (reply.status_code, reply.headers["location"]) == (
            302,
            f"{open_web.url}/auth/callback?error=unknown&error_process=login",
        )
    assert not browser.is_signed_in()


def test_a_code_of_another_browser_is_worth_nothing(open_web: Web, browser: Browser, other_browser: Browser) -> None:
    open_web.provider.person = person(new_address())
    browser.go_through("google")
    state = open_web.provider.asked[-1]["state"]
    reply = other_browser.http.get(f"/accounts/google/login/callback/?code=any&state={state}")
    assert "error=unknown" in reply.headers["location"]
    assert not other_browser.is_signed_in()


def test_the_way_back_leads_nowhere_else(open_web: Web, browser: Browser) -> None:
    form = {
        "provider": "google",
        "process": "login",
        "callback_url": "https://evil.example.com/",
        "csrfmiddlewaretoken": browser.csrf_token,
    }
    reply = browser.http.post("/_allauth/browser/v1/auth/provider/redirect", data=form)
    assert reply.headers["location"] == f"{open_web.url}/auth/callback?error=unknown&error_process=login"
    assert (
        browser.http.post(
            "/_allauth/browser/v1/auth/provider/redirect", data=form | {"csrfmiddlewaretoken": ""}
        ).status_code
        == 403
    )


def test_the_page_may_send_its_form_to_the_providers_that_are_configured(web: Web, browser: Browser) -> None:
    policy = browser.http.get("/").headers["content-security-policy"]
    (directive,) = [one for one in policy.split(";") if one.strip().startswith("form-action")]
    assert {"'self'", "https://accounts.google.com", "https://github.com"} == set(directive.split()[1:])


# --- who may


@pytest.mark.parametrize("provider", PROVIDERS)
def test_closed_means_closed_here_too(web: Web, browser: Browser, provider: str) -> None:
    address = new_address()
    web.provider.person = person(address)
    assert browser.go_through(provider) == "/welcome?error=signup_closed&error_process=login"
    assert web.accounts(address) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_listed_address_counts_only_when_the_provider_has_verified_it(
    web: Web, browser: Browser, other_browser: Browser, provider: str
) -> None:
    address = new_address("eve", "corp.example")
    web.set_site(allowed_domains=["corp.example"])
    web.provider.person = person(address, verified=False)
    assert browser.go_through(provider) == "/welcome?error=signup_closed&error_process=login"
    web.provider.person = person(address)
    assert other_browser.go_through(provider) == "/welcome"
    assert web.accounts(address)[0]["verified"] == [address]


def test_of_several_addresses_the_listed_one_opens_and_is_the_accounts(web: Web, browser: Browser) -> None:
    private, listed, unverified = new_address(), new_address("eve", "corp.example"), new_address("mal", "corp.example")
    web.set_site(allowed_domains=["corp.example"])
    web.provider.person = Person(next(_uids), "Eve", {private: True, unverified: False, listed: True})
    assert browser.go_through("github") == "/welcome"
    assert web.accounts(listed)[0]["verified"] == [listed]
    assert web.accounts(private) == []


def test_who_has_an_account_gets_in_whatever_the_list_says(open_web: Web, browser: Browser) -> None:
    address = new_address()
    open_web.provider.person = person(address)
    browser.go_through("google")
    open_web.set_site(allowed_domains=["corp.example"])
    with Browser(open_web) as again:
        assert again.go_through("google") == "/welcome"
        assert again.is_signed_in()


def test_people_sign_up_by_a_provider_while_passwords_are_off(web: Web, browser: Browser) -> None:
    web.set_site(allow_registration=True, allow_password_login=False)
    address = new_address()
    web.provider.person = person(address)
    assert browser.go_through("google") == "/welcome"
    assert browser.is_signed_in()


# --- the switch


def test_switched_off_no_provider_is_offered_or_taken(open_web: Web, browser: Browser) -> None:
    address = new_address()
    open_web.provider.person = person(address)
    assert [one["id"] for one in browser.config["socialaccount"]["providers"]] == ["github", "google"]
    open_web.set_site(allow_registration=True, allow_social_login=False)
    assert browser.get("config").body["data"]["socialaccount"]["providers"] == []
    assert "provider_redirect" not in browser.get("auth/session").flows
    form = {"provider": "google", "process": "login", "callback_url": "/welcome"}
    token = {"csrfmiddlewaretoken": browser.csrf_token}
    reply = browser.http.post("/_allauth/browser/v1/auth/provider/redirect", data=form | token)
    assert reply.status_code == 403
    open_web.set_site(allow_registration=True)
    assert browser.go_through("google") == "/welcome"


def test_switched_off_while_somebody_is_at_the_provider(open_web: Web, browser: Browser) -> None:
    address = new_address()
    open_web.provider.person = person(address)
    form = {"provider": "github", "process": "login", "callback_url": "/welcome"}
    reply = browser.http.post(
        "/_allauth/browser/v1/auth/provider/redirect", data=form | {"csrfmiddlewaretoken": browser.csrf_token}
    )
    back = browser.http.get(reply.headers["location"]).headers["location"]
    open_web.set_site(allow_registration=True, allow_social_login=False)
    assert browser.http.get(back).headers["location"] == "/welcome?error=permission_denied&error_process=login"
    assert not browser.is_signed_in()
    assert open_web.accounts(address) == []


def test_switched_off_while_somebody_is_about_to_connect(web: Web, browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    browser.reauthenticate()
    web.provider.person = person(new_address())
    form = {"provider": "google", "process": "connect", "callback_url": "/welcome"}
    place = "/_allauth/browser/v1/auth/provider/redirect"
    reply = browser.http.post(place, data=form | {"csrfmiddlewaretoken": browser.csrf_token})
    back = browser.http.get(reply.headers["location"]).headers["location"]
    web.set_site(allow_social_login=False)
    assert browser.http.get(back).headers["location"] == "/welcome?error=permission_denied&error_process=connect"
    assert connected(browser) == []
    assert browser.http.post(place, data=form | {"csrfmiddlewaretoken": browser.csrf_token}).status_code == 403


@pytest.mark.parametrize("site", [{}, {"allow_registration": True, "allow_social_login": False}])
def test_closed_before_an_address_is_given_no_account_is_made(
    open_web: Web, browser: Browser, site: dict[str, bool]
) -> None:
    address = new_address()
    open_web.provider.person = Person(next(_uids), "Ada", {})
    browser.go_through("github")
    open_web.set_site(**site)
    assert browser.post("auth/provider/signup", email=address).status == 403
    assert open_web.accounts(address) == []


def test_closed_before_the_address_is_verified_nobody_is_signed_in(open_web: Web, browser: Browser) -> None:
    address = new_address()
    open_web.provider.person = person(address, verified=False)
    browser.go_through("google")
    open_web.set_site(allow_registration=True, allow_social_login=False)
    assert browser.post("auth/email/verify", key=open_web.code(address)).status == 403
    assert not browser.is_signed_in()


def test_with_passwords_off_an_address_is_still_verified_by_a_code(web: Web, browser: Browser) -> None:
    web.set_site(allow_registration=True, allow_password_login=False)
    address = new_address()
    web.provider.person = person(address, verified=False)
    browser.go_through("github")
    assert browser.post("auth/email/verify", key=web.code(address)).status == 200
    assert browser.is_signed_in()


# --- accounts that exist


@pytest.mark.parametrize("spelled", [str, str.upper])
@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_account_with_the_same_address_is_not_handed_over(
    open_web: Web, browser: Browser, provider: str, verified: bool, spelled: Callable[[str], str]
) -> None:
    address = open_web.add_account(new_address())
    open_web.provider.person = person(spelled(address), verified)
    browser.go_through(provider)
    assert not browser.is_signed_in()
    assert open_web.accounts(address.upper()) == []
    (mail,) = open_web.mails(address)
    assert mail["subject"] == "You already have an account"
    assert "connect it in the settings" in plain_text(mail)
    with Browser(open_web) as owner:
        owner.log_in(address)
        assert connected(owner) == []


def test_of_two_people_with_the_same_address_the_second_does_not_get_the_firsts_account(
    open_web: Web, browser: Browser, other_browser: Browser
) -> None:
    address = new_address()
    open_web.provider.person = person(address)
    browser.go_through("github")
    first = open_web.provider.person.uid
    for provider in PROVIDERS:
        open_web.provider.person = person(address)
        assert open_web.provider.person.uid != first
        with Browser(open_web) as second:
            second.go_through(provider)
            assert not second.is_signed_in()
    assert connected(browser) == [("github", str(first))]
    assert len(open_web.accounts(address)) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_connecting_signing_in_by_it_and_disconnecting(
    web: Web, browser: Browser, other_browser: Browser, provider: str
) -> None:
    address = web.add_account(new_address())
    web.provider.person = person(new_address("other"))
    browser.log_in(address)
    assert browser.go_through(provider, "connect") == "/welcome?error=reauthentication_required&error_process=connect"
    browser.reauthenticate()
    assert browser.go_through(provider, "connect") == "/welcome"
    uid = str(web.provider.person.uid)
    assert connected(browser) == [(provider, uid)]
    assert other_browser.go_through(provider) == "/welcome"
    assert other_browser.get("auth/session").body["data"]["user"]["email"] == address
    assert web.accounts(address)[0]["verified"] == [address], "the provider's address is not added"
    refused = other_browser.call("DELETE", "account/providers", provider=provider, account=uid)
    assert (refused.status, "reauthenticate" in refused.flows) == (401, True)
    assert browser.call("DELETE", "account/providers", provider=provider, account=uid).status == 200
    assert connected(browser) == []
    with Browser(web) as fresh:
        assert fresh.go_through(provider) == "/welcome?error=signup_closed&error_process=login"
    name = {"google": "Google", "github": "GitHub"}[provider]
    assert [mail["subject"] for mail in web.mails(address)] == [
        f"{name} has been connected to your account",
        f"{name} has been disconnected from your account",
    ]


def test_connecting_takes_somebody_who_is_signed_in(web: Web, browser: Browser) -> None:
    web.provider.person = person(new_address())
    assert browser.go_through("google", "connect") == "/welcome?error=permission_denied&error_process=connect"


def test_what_is_connected_to_one_account_cannot_be_connected_to_another(
    web: Web, browser: Browser, other_browser: Browser
) -> None:
    web.provider.person = person(new_address())
    for visitor, answer in (
        (browser, "/welcome"),
        (other_browser, "/welcome?error=connected_other&error_process=connect"),
    ):
        visitor.log_in(web.add_account(new_address()))
        visitor.reauthenticate()
        assert visitor.go_through("google", "connect") == answer
    assert connected(other_browser) == []


def test_the_last_way_in_cannot_be_taken_away(open_web: Web, browser: Browser) -> None:
    open_web.provider.person = person(new_address())
    browser.go_through("google")
    uid = str(open_web.provider.person.uid)
    refused = browser.call("DELETE", "account/providers", provider="google", account=uid)
    assert refused.errors == [(None, "no_password")]
    assert connected(browser) == [("google", uid)]


def test_with_passwords_off_the_last_connection_stays(web: Web, browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    browser.reauthenticate()
    web.provider.person = person(new_address())
    browser.go_through("google", "connect")
    uid = str(web.provider.person.uid)
    web.set_site(allow_password_login=False)
    assert browser.call("DELETE", "account/providers", provider="google", account=uid).errors == [
        (None, "disconnect_last")
    ]
    web.set_site()
    assert browser.call("DELETE", "account/providers", provider="google", account=uid).status == 200


def test_connections_are_seen_and_taken_away_while_the_switch_is_off(web: Web, browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    browser.reauthenticate()
    web.provider.person = person(new_address())
    browser.go_through("google", "connect")
    uid = str(web.provider.person.uid)
    web.set_site(allow_social_login=False)
    assert connected(browser) == [("google", uid)]
    assert browser.call("DELETE", "account/providers", provider="google", account=uid).status == 200


def test_an_account_that_is_switched_off_stays_out(open_web: Web, browser: Browser, other_browser: Browser) -> None:
    address = new_address()
    open_web.provider.person = person(address)
    browser.go_through("google")
    open_web.ask(
        "from accounts.models import User\nresult = User.objects.filter(email=a).update(is_active=False)", a=address
    )
    assert "error=" in other_browser.go_through("google")
    assert not other_browser.is_signed_in()


def test_the_second_factor_is_asked_for_here_too(web: Web, browser: Browser, other_browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    browser.reauthenticate()
    web.provider.person = person(new_address())
    browser.go_through("google", "connect")
    web.ask(
        "from allauth.mfa.models import Authenticator\n"
        "from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes\n"
        "from allauth.mfa.totp.internal.auth import TOTP\n"
        "from allauth.socialaccount.models import SocialAccount\n"
        "TOTP.activate(SocialAccount.objects.get(uid=uid).user, 'A' * 32)\nresult = None",
        uid=str(web.provider.person.uid),
    )
    assert other_browser.go_through("google") == "/welcome"
    assert other_browser.get("auth/session").pending == ["mfa_authenticate"]


# --- identities that programs bring


def bring(program: Program, token: str, client_id: str = CLIENTS["google"][0]) -> int:
    body = {"provider": "google", "process": "login", "token": {"client_id": client_id, "id_token": token}}
    return program.call("POST", "auth/provider/token", **body).status


def test_a_program_signs_in_with_an_identity_that_google_signed_for_us(open_web: Web) -> None:
    somebody = person(new_address())
    with Program(open_web) as program:
        assert bring(program, open_web.provider.id_token(somebody)) == 200
    assert open_web.accounts(next(iter(somebody.emails)))


def test_a_forged_identity_is_refused(open_web: Web) -> None:
    somebody = person(new_address())
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed = open_web.provider.id_token
    claims = jwt.decode(signed(somebody), options={"verify_signature": False})
    forged = {
        "by another key": signed(somebody, key=forger),
        "not signed": jwt.encode(claims, None, algorithm="none", headers={"kid": KEY_ID}),
        "by a key without a name": jwt.encode(claims, forger, algorithm="RS256"),
        "by a key of another name": jwt.encode(claims, forger, algorithm="RS256", headers={"kid": "key-2"}),
        "by a shared secret": jwt.encode(claims, "secret" * 8, algorithm="HS256", headers={"kid": KEY_ID}),
        "for somebody else": signed(somebody, aud="another-client"),
        "by somebody else": signed(somebody, iss="https://evil.example.com"),
        "too old": signed(somebody, exp=1),
        "no token": "nonsense",
    }
    for what, token in forged.items():
        with Program(open_web) as program:
            assert bring(program, token) == 400, what
    assert open_web.accounts(next(iter(somebody.emails))) == []


def test_identities_that_programs_bring_obey_the_policy(web: Web) -> None:
    somebody = person(new_address())
    with Program(web) as program:
        assert bring(program, web.provider.id_token(somebody)) == 403
    web.set_site(allow_registration=True, allow_social_login=False)
    with Program(web) as program:
        assert bring(program, web.provider.id_token(somebody)) == 403
    assert web.accounts(next(iter(somebody.emails))) == []


def test_neither_tokens_nor_secrets_of_providers_are_stored(open_web: Web, browser: Browser) -> None:
    open_web.provider.person = person(new_address())
    browser.go_through("google")
    stored = open_web.ask(
        "from allauth.socialaccount.models import SocialApp, SocialToken\n"
        "result = [SocialApp.objects.count(), SocialToken.objects.count()]"
    )
    assert stored == [0, 0]
    assert PASSWORD not in open_web.log
    for secret in ("google-secret", "github-secret", *open_web.provider.tokens):
        assert secret not in open_web.log
