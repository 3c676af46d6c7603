"""Changes accounts and site settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from accounts.errors import Invalid
from accounts.models import SiteSettings, User
from accounts.selectors import SITE_FIELDS
from accounts.signals import site_settings_changed
from proxies.dataplane.access import AccessList, InvalidAccessEntry

MAX_ADDRESSES = 50_000  # of one list; every worker holds them


def site_settings_update(changes: Mapping[str, Any]) -> SiteSettings:
    """Stores the given fields; the generation rises when something changed. Raises Invalid, naming field, line and
    reason."""
    clean: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in changes.items():
        if name not in SITE_FIELDS:
            errors[name] = "There is no such setting."
        elif name in settings.SITE_OVERRIDES:
            errors[name] = f"The environment decides this: RUBBERDUCK_{name.upper()} is set."
        elif name == "allow_private_upstreams":
            clean[name] = value
            if not isinstance(value, bool):
                errors[name] = "Use true or false."
        else:
            clean[name] = value
            if reason := address_list_error(value):
                errors[name] = reason
    if errors:
        raise Invalid(fields=errors)
    with transaction.atomic():
        row, _ = SiteSettings.objects.select_for_update().get_or_create(pk=1)
        changed = [name for name, value in clean.items() if getattr(row, name) != value]
        if changed:
            for name in changed:
                setattr(row, name, clean[name])
            row.generation += 1
            row.save()
            transaction.on_commit(partial(site_settings_changed.send, sender=SiteSettings))
    return row


def email_mark_verified(*, user: User) -> None:
    """The user's address counts as verified and is the one mail goes to."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def address_list_error(entries: Sequence[str]) -> str | None:
    """Why a list of client addresses is not accepted, with the line; None when it is."""
    if not isinstance(entries, list | tuple):
        return "Use a list of addresses."
    if len(entries) > MAX_ADDRESSES:
        return f"The list has {len(entries)} entries; {MAX_ADDRESSES} is the most. A range such as 10.0.0.0/8 is one."
    try:
        AccessList.parse(entries)
    except InvalidAccessEntry as error:
        return f"{error}."
    return None
