"""What each field of the site settings accepts, and how it is stored."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_a_list_of_addresses_is_fine_or_says_which_line_is_not() -> None:
    assert address_list_error(["::1", "*"]) is None
    assert "line 2" in (address_list_error(["::1", "1.2.3.4/8"]) or "")
