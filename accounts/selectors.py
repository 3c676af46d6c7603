"""Reads accounts, tokens and site settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.errors import NotFound
from accounts.models import ApiToken, SiteSettings, User
from accounts.site_fields import SITE_FIELDS

SOCIAL_NAMES = {"google": "Google", "github": "GitHub"}


@dataclass(frozen=True, slots=True)
class EffectiveSiteSettings:
    """The site settings that hold: the environment's where a variable is set, else the stored ones.

    `generation` is the stored row's, 0 while there is none. `locked` names the fields the environment decides.
    `allowed_emails` and `allowed_domains` are lower-case; `retention_days` None: log records are kept.
    """

    allow_registration: bool
    allow_social_login: bool
    allow_password_login: bool
    allowed_emails: tuple[str, ...]
    allowed_domains: tuple[str, ...]
    global_allow: tuple[str, ...]
    global_block: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    allow_private_upstreams: bool
    retention_days: int | None
    generation: int
    locked: frozenset[str]

    def may_sign_up(self, email: str) -> bool:
        """Whether this address may have an account made by itself."""
        address = email.strip().lower()
        return (
            self.allow_registration
            or address in self.allowed_emails
            or address.rpartition("@")[2] in self.allowed_domains
        )

    def changed(self, changes: Mapping[str, Any]) -> EffectiveSiteSettings:
        """As they would be with these fields stored."""
        return replace(self, **_frozen(changes))


def effective_site_settings() -> EffectiveSiteSettings:
    """One query, no write: works on a database that is locked for writers."""
    row = SiteSettings.objects.filter(pk=1).first() or SiteSettings(generation=0)
    values = {name: settings.SITE_OVERRIDES.get(name, getattr(row, name)) for name in SITE_FIELDS}
    return EffectiveSiteSettings(
        **_frozen(values), generation=row.generation, locked=frozenset(settings.SITE_OVERRIDES)
    )


def _frozen(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def site_settings_version() -> tuple[int, datetime] | None:
    """What changes with every change of the stored site settings; None while there are none. One small query."""
    return SiteSettings.objects.filter(pk=1).values_list("generation", "updated_at").first()


def only_staff_user() -> User | None:
    """The staff user, when there is exactly one who may sign in."""
    staff = list(User.objects.filter(is_staff=True, is_active=True)[:2])
    return staff[0] if len(staff) == 1 else None


def social_providers() -> dict[str, str]:
    """The providers of social log-in that are configured in the environment: id -> name."""
    configured = settings.SOCIALACCOUNT_PROVIDERS
    return {name: SOCIAL_NAMES.get(name, name.title()) for name, provider in configured.items() if provider.get("APPS")}


def staff_can_sign_in(site: EffectiveSiteSettings, user: User | None = None) -> bool:
    """Whether this user, or (None) anybody of the staff, has a way in under these settings."""
    return _have_a_way_in(site, _keepers() if user is None else User.objects.filter(pk=user.pk))


def is_last_staff(user: User) -> bool:
    """Whether nobody else can sign in and change everything."""
    keepers = _keepers()
    others = keepers.exclude(pk=user.pk)
    return keepers.filter(pk=user.pk).exists() and not _have_a_way_in(effective_site_settings(), others)


def staff_needs_password(user: User) -> bool:
    """Whether nobody of the staff could sign in if this user had no password."""
    return is_last_staff(user) and not _are_connected(effective_site_settings(), User.objects.filter(pk=user.pk))


def staff_needs_connection(account: SocialAccount) -> bool:
    """Whether nobody of the staff could sign in without this connection to a provider."""
    site, user = effective_site_settings(), User.objects.get(pk=account.user_id)
    if not is_last_staff(user) or (site.allow_password_login and user.has_usable_password()):
        return False
    return not _are_connected(site, User.objects.filter(pk=user.pk), without=account)


def _have_a_way_in(site: EffectiveSiteSettings, users: QuerySet[User]) -> bool:
    if site.allow_password_login and any(one.has_usable_password() for one in users.only("password")):
        return True
    return _are_connected(site, users)


def _are_connected(site: EffectiveSiteSettings, users: QuerySet[User], *, without: SocialAccount | None = None) -> bool:
    """Whether one of them can sign in by a provider that is configured."""
    accounts = SocialAccount.objects.filter(user__in=users, provider__in=social_providers())
    if without is not None:
        accounts = accounts.exclude(pk=without.pk)
    return bool(site.allow_social_login and accounts.exists())


def _keepers() -> QuerySet[User]:
    """Staff with all rights, which is what staff is unless somebody has limited it in the admin."""
    return User.objects.filter(is_staff=True, is_active=True, is_superuser=True)


def setup_is_needed() -> bool:
    """Whether there is no account at all yet."""
    return not User.objects.exists()


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """The user's API tokens, the newest first."""
    return ApiToken.objects.filter(user=user).order_by("-pk")


def user_by_id(user_id: int) -> User:
    """Raises NotFound."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such account.")
    return user


def user_by_email(email: str) -> User:
    """Who may sign in by that address. Raises NotFound."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise NotFound(f"There is no active account with the address {email}.")
    return user


def users_page(*, search: str = "", after: int = 0, limit: int = 50) -> list[User]:
    """Users behind that id, in the order they were made; one more than `limit` when there is another page."""
    wanted = search.replace("\x00", "").strip()
    found = User.objects.filter(Q(email__icontains=wanted) | Q(name__icontains=wanted), pk__gt=after)
    return list(found.order_by("pk")[: limit + 1])
