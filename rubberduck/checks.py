"""System checks: combinations of settings that are refused (E) or warned about (W) before anything starts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks

from accounts.selectors import social_providers
from accounts.site_fields import site_field_clean

TAG = "rubberduck"
MIN_SECRET_KEY_LENGTH = 32


@register(TAG)
def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    host, port = settings.WEB_BIND
    is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    if settings.DEBUG and not is_loopback:
        found.append(
            Error(
                f"RUBBERDUCK_DEBUG is on and RUBBERDUCK_WEB_BIND is {host}:{port}, which other machines can reach.",
                hint="Debug pages show settings and source to whoever comes: bind to 127.0.0.1 or switch debug off.",
                id="rubberduck.E001",
            )
        )
    for name, value in settings.SITE_OVERRIDES.items():
        try:
            site_field_clean(name, value)
        except ValueError as error:
            found.append(Error(f"RUBBERDUCK_{name.upper()}: {error}", id="rubberduck.E002"))
    if len(settings.SECRET_KEY) < MIN_SECRET_KEY_LENGTH:
        found.append(
            Error(
                f"RUBBERDUCK_SECRET_KEY is shorter than {MIN_SECRET_KEY_LENGTH} characters.",
                hint="Use a long random text, or leave it out: one is made in the data directory.",
                id="rubberduck.E003",
            )
        )
    if not is_loopback and ipaddress.ip_address(host).is_unspecified and not settings.EXTRA_HOSTS:
        found.append(
            Warning(
                "The web is bound to all addresses, but answers to loopback names only.",
                hint="Set RUBBERDUCK_ALLOWED_HOSTS to the names and addresses under which browsers reach it.",
                id="rubberduck.W001",
            )
        )
    if settings.IMPLIED_HTTPS:
        found.append(
            Warning(
                f"The web is bound to {host}, and therefore answers by https only.",
                hint="Put something in front of it that ends TLS (docs/deployment.md) and set RUBBERDUCK_HTTPS=1; or, "
                "in a network where nobody listens, RUBBERDUCK_HTTPS=0.",
                id="rubberduck.W003",
            )
        )
    if not settings.HTTPS and not is_loopback:
        found.append(
            Warning(
                f"RUBBERDUCK_HTTPS is 0 and the web is bound to {host}: passwords and tokens travel in the clear.",
                id="rubberduck.W004",
            )
        )
    if not _leaves_a_way_in():
        found.append(
            Warning(
                "Nobody can sign in: RUBBERDUCK_ALLOW_PASSWORD_LOGIN is 0, and no social log-in is configured and on.",
                id="rubberduck.W005",
            )
        )
    if settings.IGNORED_CONNECT_TO:
        found.append(
            Warning("RUBBERDUCK_CONNECT_TO is ignored: it needs RUBBERDUCK_TESTING=1 beside it.", id="rubberduck.W002")
        )
    return found


def _leaves_a_way_in() -> bool:
    """Whether the environment leaves open any way to sign in; what is stored may close more, with care."""
    overrides = settings.SITE_OVERRIDES
    return overrides.get("allow_password_login", True) or (
        overrides.get("allow_social_login", True) and bool(social_providers())
    )


def serious_findings() -> list[str]:
    """What must stop a start, in words; for a server that is not started by `manage.py`, which checks by itself."""
    return [
        f"{message.id}: {message.msg} {message.hint or ''}".strip()
        for message in run_checks(tags=[TAG])
        if message.is_serious()
    ]
