"""What each field of the site settings accepts, and how it is stored."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import SiteSettings
from accounts.site_fields import SITE_FIELDS, address_list_error, site_field_clean


def test_every_field_of_the_row_is_here() -> None:
    own = {"id", "generation", "updated_at"}
    assert {field.name for field in SiteSettings._meta.get_fields()} - own == set(SITE_FIELDS)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("allow_registration", True, True),
        ("allowed_emails", [" Ada@Example.COM ", "b@example.org"], ["ada@example.com", "b@example.org"]),
        ("allowed_domains", ["Example.com", "bücher.example"], ["example.com", "bücher.example"]),
        ("global_block", ["10.0.0.0/8", "10.1.*.*"], ["10.0.0.0/8", "10.1.*.*"]),
        ("retention_days", 30, 30),
        ("retention_days", None, None),
    ],
)
def test_it_is_stored(name: str, value: Any, stored: Any) -> None:
    assert site_field_clean(name, value) == stored


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("allow_registration", "yes", "Use true or false."),
        ("allow_password_login", None, "Use true or false."),
        ("allowed_emails", "a@example.com", "Use a list of addresses."),
        ("allowed_emails", ["a@example.com", "b"], "line 2: 'b' is not an e-mail address."),
        ("allowed_emails", [7], "line 1: '7' is not an e-mail address."),
        ("allowed_emails", ["a\x00@example.com"], r"line 1: 'a\\x00@example.com' is not an e-mail address"),
        ("allowed_emails", ["a@example.com"] * 10_001, "The list has 10001 entries; 10000 is the most."),
        ("allowed_domains", ["@example.com"], "write what stands behind the @ alone"),
        ("allowed_domains", ["exa mple.com"], "is not a domain, as in example.com"),
        ("allowed_domains", [""], "line 1: '' is not a domain"),
        ("global_allow", ["10.0.0.300"], "line 1: '10.0.0.300' is not an IP address"),
        ("trusted_proxies", {"a": 1}, "Use a list of addresses."),
        ("retention_days", 0, "from 1 to 36500"),
        ("retention_days", True, "from 1 to 36500"),
        ("retention_days", 1.5, "from 1 to 36500"),
    ],
)
def test_it_is_refused_with_the_reason(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        site_field_clean(name, value)


def test_the_environment_can_decide_every_field(tmp_path: Path) -> None:
    values = {
        "allow_registration": "1",
        "allow_social_login": "0",
        "allow_password_login": "1",
        "allowed_emails": "ada@example.com",
        "allowed_domains": "example.com",
        "global_allow": "127.0.0.0/8",
        "global_block": "10.0.0.1, 10.0.0.2",
        "trusted_proxies": "::1",
        "allow_private_upstreams": "0",
        "retention_days": "30",
    }
    assert set(values) == set(SITE_FIELDS)
    code = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.models import SiteSettings
from accounts.selectors import effective_site_settings
from accounts.site_fields import SITE_FIELDS
stored = {name: not value for name, value in vars(SiteSettings()).items() if isinstance(value, bool)}
SiteSettings.objects.update_or_create(pk=1, defaults={**stored, "retention_days": 7, "global_block": ["10.9.9.9"]})
site = effective_site_settings()
print([sorted(site.locked), {name: getattr(site, name) for name in SITE_FIELDS}])
"""
    done = subprocess.run(
        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "shell", "--no-imports", "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "RUBBERDUCK_ENV_FILE": "",
            "RUBBERDUCK_DATA_DIR": str(tmp_path),
            **{f"RUBBERDUCK_{name.upper()}": value for name, value in values.items()},
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ast.literal_eval(done.stdout) == [
        sorted(SITE_FIELDS),
        {
            "allow_registration": True,
            "allow_social_login": False,
            "allow_password_login": True,
            "allowed_emails": ("ada@example.com",),
            "allowed_domains": ("example.com",),
            "global_allow": ("127.0.0.0/8",),
            "global_block": ("10.0.0.1", "10.0.0.2"),
            "trusted_proxies": ("::1",),
            "allow_private_upstreams": False,
            "retention_days": 30,
        },
    ]


def test_a_list_of_addresses_is_fine_or_says_which_line_is_not() -> None:
    assert address_list_error(["::1", "*"]) is None
    assert "line 2" in (address_list_error(["::1", "1.2.3.4/8"]) or "")
