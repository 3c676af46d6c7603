"""System checks: what is refused before anything starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from rubberduck.checks import check_settings, serious_findings


def ids() -> list[str | None]:
    return [message.id for message in check_settings(None)]


def test_the_defaults_are_fine() -> None:
    assert ids() == []
    assert serious_findings() == []


@pytest.mark.parametrize(
    ("host", "debug", "found"),
    [
        ("127.0.0.1", True, []),
        ("::1", True, []),
        ("localhost", True, []),
        ("192.0.2.7", False, []),
        ("192.0.2.7", True, ["rubberduck.E001"]),
        ("0.0.0.0", False, ["rubberduck.W001"]),
        ("::", True, ["rubberduck.E001", "rubberduck.W001"]),
    ],
)
def test_debug_is_refused_where_others_can_reach_it(
    settings: Settings, host: str, debug: bool, found: list[str]
) -> None:
    settings.WEB_BIND, settings.DEBUG, settings.HTTPS = (host, 8000), debug, not host.startswith("127")
    assert ids() == found


@pytest.mark.parametrize(
    ("host", "https", "implied", "found"),
    [
        ("192.0.2.7", True, True, ["rubberduck.W003"]),
        ("192.0.2.7", True, False, []),
        ("192.0.2.7", False, False, ["rubberduck.W004"]),
        ("127.0.0.1", True, False, []),
    ],
)
def test_a_web_that_others_reach_is_to_say_how_it_is_protected(
    settings: Settings, host: str, https: bool, implied: bool, found: list[str]
) -> None:
    settings.WEB_BIND, settings.HTTPS, settings.IMPLIED_HTTPS = (host, 8000), https, implied
    assert ids() == found


def test_an_environment_that_leaves_no_way_in_is_said(settings: Settings) -> None:
    settings.SITE_OVERRIDES = {"allow_password_login": False}
    assert ids() == ["rubberduck.W005"]
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [{"client_id": "a", "secret": "b"}]}}
    assert ids() == []
    settings.SITE_OVERRIDES = {"allow_password_login": False, "allow_social_login": False}
    assert ids() == ["rubberduck.W005"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("allowed_emails", ["ada@example.com", "grace"], "line 2: 'grace' is not an e-mail address."),
        ("allowed_domains", ["@example.com"], "line 1: '@example.com' is not a domain; write what stands behind"),
    ],
)
def test_a_bad_list_for_sign_up_is_refused(settings: Settings, name: str, value: list[str], words: str) -> None:
    settings.SITE_OVERRIDES = {name: value}
    assert [finding.partition(words)[1] for finding in serious_findings()] == [words]


def test_a_bad_address_list_is_refused_with_variable_line_and_reason(settings: Settings) -> None:
    settings.SITE_OVERRIDES = {"global_block": ["10.0.0.1", "10.0.0.300"], "allow_private_upstreams": True}
    assert serious_findings() == [
        "rubberduck.E002: RUBBERDUCK_GLOBAL_BLOCK: line 2: '10.0.0.300' is not an IP address, a CIDR range or a "
        "wildcard such as 10.1.*.*."
    ]


def test_a_short_secret_key_is_refused(settings: Settings) -> None:
    settings.SECRET_KEY = "short"
    assert ids() == ["rubberduck.E003"]


def test_the_web_does_not_start_with_debug_on_for_everybody(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import rubberduck.asgi"],
        env={
            "PATH": os.environ["PATH"],
            "RUBBERDUCK_ENV_FILE": "",
            "RUBBERDUCK_DATA_DIR": str(tmp_path),
            "RUBBERDUCK_DEBUG": "1",
            "RUBBERDUCK_WEB_BIND": "0.0.0.0:8000",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("rubberduck.E001: RUBBERDUCK_DEBUG is on")
    assert "Traceback" not in result.stderr
