"""Reads accounts and site settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.models import SiteSettings, User

SITE_FIELDS = ("global_allow", "global_block", "trusted_proxies", "allow_private_upstreams")


@dataclass(frozen=True, slots=True)
class EffectiveSiteSettings:
    """The site settings that hold: the environment's where a variable is set, else the stored ones.

    `generation` is the stored row's, 0 while there is none. `locked` names the fields the environment decides.
    """

    global_allow: tuple[str, ...]
    global_block: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    allow_private_upstreams: bool
    generation: int
    locked: frozenset[str]


def effective_site_settings() -> EffectiveSiteSettings:
    """One query, no write: works on a database that is locked for writers."""
    row = SiteSettings.objects.filter(pk=1).first() or SiteSettings(generation=0)
    values = {name: settings.SITE_OVERRIDES.get(name, getattr(row, name)) for name in SITE_FIELDS}
    return EffectiveSiteSettings(
        global_allow=tuple(values["global_allow"]),
        global_block=tuple(values["global_block"]),
        trusted_proxies=tuple(values["trusted_proxies"]),
        allow_private_upstreams=values["allow_private_upstreams"],
        generation=row.generation,
        locked=frozenset(settings.SITE_OVERRIDES),
    )


def site_settings_version() -> tuple[int, datetime] | None:
    """What changes with every change of the stored site settings; None while there are none. One small query."""
    return SiteSettings.objects.filter(pk=1).values_list("generation", "updated_at").first()


def only_staff_user() -> User | None:
    """The staff user, when there is exactly one who may sign in."""
    staff = list(User.objects.filter(is_staff=True, is_active=True)[:2])
    return staff[0] if len(staff) == 1 else None
