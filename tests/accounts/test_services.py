"""Site settings: validated, counted in generations, overruled by the environment."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from accounts.errors import Invalid
from accounts.models import SiteSettings, User
from accounts.selectors import effective_site_settings, only_staff_user
from accounts.services import site_settings_update
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
