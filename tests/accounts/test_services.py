"""Site settings: validated, counted in generations, overruled by the environment; users; tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from accounts.errors import Invalid, LastStaff, NotFound, NotSignedIn
from accounts.models import SiteSettings, User
from accounts.selectors import effective_site_settings, only_staff_user
from accounts.services import Asker, site_settings_update, token_create, token_delete, user_update
from accounts.signals import site_settings_changed

pytestmark = pytest.mark.django_db


def test_without_a_row_the_defaults_hold_and_nothing_is_written(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        effective = effective_site_settings()
    assert effective.generation == 0
    assert (effective.global_allow, effective.global_block, effective.trusted_proxies) == ((), (), ())
    assert effective.allow_private_upstreams
    assert not SiteSettings.objects.exists()


def test_a_list_longer_than_workers_should_hold_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^global_block: The list has 50001 entries; 50000 is the most"):
        site_settings_update({"global_block": ["10.0.0.1"] * 50_001})


def test_a_change_raises_the_generation_and_the_same_again_does_not() -> None:
    before = SiteSettings.load().generation
    changes = {"global_block": ["10.0.0.0/8"], "allow_private_upstreams": False}
    assert site_settings_update(changes).generation == before + 1
    assert site_settings_update(changes).generation == before + 1
    effective = effective_site_settings()
    assert effective.global_block == ("10.0.0.0/8",)
    assert not effective.allow_private_upstreams
    assert effective.generation == before + 1


def test_others_are_told_after_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[Any] = []
    site_settings_changed.connect(lambda **kwargs: heard.append(kwargs["sender"]), weak=False, dispatch_uid="test")
    try:
        with django_capture_on_commit_callbacks(execute=True):
            site_settings_update({"global_block": ["10.0.0.9"]})
            assert heard == []
        assert heard == [SiteSettings]
        with django_capture_on_commit_callbacks(execute=True):
            site_settings_update({"global_block": ["10.0.0.9"]})
        assert heard == [SiteSettings]
    finally:
        site_settings_changed.disconnect(dispatch_uid="test")


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"global_allow": ["10.0.0.1", "nonsense"]}, "global_allow", "line 2: 'nonsense' is not an IP address"),
        ({"trusted_proxies": "10.0.0.1"}, "trusted_proxies", "Use a list"),
        ({"trusted_proxies": [1]}, "trusted_proxies", "line 1: '1' is not text"),
        ({"allow_private_upstreams": "yes"}, "allow_private_upstreams", "true or false"),
        ({"colour": "blue"}, "colour", "no such setting"),
    ],
)
def test_what_is_not_accepted_is_named_and_changes_nothing(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        site_settings_update({"global_block": ["10.0.0.1"], **changes})
    assert list(caught.value.fields) == [field]
    assert reason in caught.value.fields[field]
    assert effective_site_settings().global_block == ()


def test_the_environment_wins_and_locks(settings: Settings) -> None:
    site_settings_update({"global_block": ["10.0.0.1"]})
    settings.SITE_OVERRIDES = {"global_block": ["10.0.0.2"], "allow_private_upstreams": False}
    effective = effective_site_settings()
    assert effective.global_block == ("10.0.0.2",)
    assert not effective.allow_private_upstreams
    assert effective.locked == {"global_block", "allow_private_upstreams"}
    with pytest.raises(Invalid, match="RUBBERDUCK_GLOBAL_BLOCK is set"):
        site_settings_update({"global_block": []})


def test_the_only_staff_user_is_one_who_may_sign_in() -> None:
    assert only_staff_user() is None
    User.objects.create_user("user@example.com")
    User.objects.create_superuser("left@example.com", is_active=False)
    staff = User.objects.create_superuser("staff@example.com")
    assert only_staff_user() == staff
    User.objects.create_superuser("second@example.com")
    assert only_staff_user() is None


# --- nobody is locked out

GITHUB = {"github": {"APPS": [{"client_id": "id", "secret": "secret"}]}}


def make_staff(email: str = "staff@example.com", password: str | None = "password", **fields: Any) -> User:
    return User.objects.create_superuser(email, password, **fields)


def connect(user: User, provider: str = "github") -> None:
    SocialAccount.objects.create(user=user, provider=provider, uid=str(user.pk))


def test_passwords_stay_while_staff_has_no_other_way_in(settings: Settings) -> None:
    staff = make_staff()
    connect(staff)
    with pytest.raises(LastStaff, match="Nobody of the staff could sign in"):
        site_settings_update({"allow_password_login": False})  # nothing is configured
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    with pytest.raises(LastStaff, match="allow_social_login"):
        site_settings_update({"allow_password_login": False, "allow_social_login": False})
    site_settings_update({"allow_password_login": False})
    with pytest.raises(LastStaff):
        site_settings_update({"allow_social_login": False})
    effective = effective_site_settings()
    assert (effective.allow_password_login, effective.allow_social_login) == (False, True)


@pytest.mark.parametrize(
    "others",
    [
        lambda: connect(User.objects.create_user("user@example.com")),
        lambda: connect(make_staff("left@example.com", is_active=False)),
        lambda: connect(User.objects.create_user("look@example.com", is_staff=True)),
        lambda: connect(make_staff("other@example.com"), "google"),
    ],
)
def test_an_account_that_is_no_way_in_for_staff_does_not_count(settings: Settings, others: Callable[[], None]) -> None:
    make_staff()
    others()
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    with pytest.raises(LastStaff):
        site_settings_update({"allow_password_login": False})
    assert effective_site_settings().allow_password_login


def test_social_log_in_stays_while_staff_has_no_password(settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    staff = make_staff(password=None)
    connect(staff)
    with pytest.raises(LastStaff):
        site_settings_update({"allow_social_login": False})
    staff.set_password("password")
    staff.save()
    assert not site_settings_update({"allow_social_login": False}).allow_social_login


def test_who_asks_must_have_a_way_in_themselves(settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    connect(make_staff("other@example.com"))
    asker = Asker(make_staff(), "127.0.0.1", "")
    with pytest.raises(LastStaff, match="You could not sign in any more"):
        site_settings_update({"allow_password_login": False}, asker=asker)
    connect(asker.user)
    assert not site_settings_update({"allow_password_login": False}, asker=asker).allow_password_login


def test_what_is_switched_off_already_can_be_sent_again() -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"allow_password_login": False})
    site_settings_update({"allow_password_login": False, "allow_registration": True})
    assert effective_site_settings().allow_registration


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "changes", "field"),
    [
        ("192.0.2.7", "", {"global_block": ["192.0.2.0/24"]}, "global_block"),
        ("192.0.2.7", "", {"global_allow": ["10.0.0.0/8"]}, "global_allow"),
        ("10.0.0.1", "192.0.2.7", {"global_block": ["192.0.2.7"], "trusted_proxies": ["10.0.0.1"]}, "global_block"),
        ("10.0.0.1", "192.0.2.7", {"global_block": ["192.0.2.7"]}, None),
        ("192.0.2.7", "", {"global_block": ["192.0.2.8"], "global_allow": ["192.0.2.7", "::1"]}, None),
    ],
)
def test_no_list_refuses_the_address_that_asks_for_it(
    peer: str, forwarded_for: str, changes: dict[str, Any], field: str | None
) -> None:
    asker = Asker(make_staff(), peer, forwarded_for)
    if field is None:
        assert site_settings_update(changes, asker=asker).global_block == changes["global_block"]
        return
    with pytest.raises(LastStaff) as caught:
        site_settings_update(changes, asker=asker)
    assert list(caught.value.fields) == [field]
    assert not SiteSettings.objects.filter(generation__gt=1).exists()


def test_trusting_a_proxy_may_bring_a_block_to_light() -> None:
    site_settings_update({"global_block": ["192.0.2.7"]})
    asker = Asker(make_staff(), "10.0.0.1", "192.0.2.7")
    with pytest.raises(LastStaff, match="trusted_proxies: Your own address"):
        site_settings_update({"trusted_proxies": ["10.0.0.1"]}, asker=asker)
    assert effective_site_settings().trusted_proxies == ()


# --- users


def test_staff_who_could_not_sign_in_is_nobody_to_leave_alone(settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = GITHUB
    settings.SITE_OVERRIDES = {"allow_password_login": False}
    first, second = make_staff("a@example.com"), make_staff("b@example.com")
    connect(first)
    connect(second, "google")  # which is not configured
    for change in ({"is_active": False}, {"is_staff": False}):
        with pytest.raises(LastStaff):
            user_update(user=first, **change)
    connect(second)
    assert not user_update(user=first, is_active=False).is_active


def test_of_two_who_leave_at_the_same_time_one_stays() -> None:
    first, second = make_staff("a@example.com"), make_staff("b@example.com")
    user_update(user=first, is_staff=False)
    with pytest.raises(LastStaff):
        user_update(user=second, is_active=False)
    with pytest.raises(NotFound):
        user_update(user=User(pk=2**40), name="Nobody")
    assert User.objects.get(pk=second.pk).is_active


def test_sessions_that_are_listed_end_with_the_account(client: Client) -> None:
    user = User.objects.create_user("user@example.com", "password")
    client.force_login(user)
    key = str(client.session.session_key)
    UserSession.objects.create(user=user, session_key=key, ip="127.0.0.1")
    user_update(user=user, is_active=False)
    assert not UserSession.objects.exists()
    assert not Session.objects.filter(session_key=key).exists()


# --- tokens


def test_who_has_been_deactivated_meanwhile_gets_no_token() -> None:
    asking = User.objects.create_user("user@example.com", "password")
    user_update(user=asking, is_active=False)
    asking.is_active = True  # as a request that has begun before still sees it
    with pytest.raises(NotSignedIn):
        token_create(user=asking, name="late")
    user_update(user=asking, is_active=True)
    assert not asking.api_tokens.exists()


def test_a_token_that_has_been_revoked_meanwhile_makes_no_other() -> None:
    user = User.objects.create_user("user@example.com", "password")
    parent, _ = token_create(user=user, name="parent")
    token_delete(user=user, token_id=parent.pk)
    with pytest.raises(NotSignedIn):
        token_create(user=user, name="child", parent=parent)
    assert not user.api_tokens.exists()
