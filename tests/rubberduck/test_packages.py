"""The packages the product is committed to are all in use."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = ("accounts", "proxies", "logs", "providers", "rubberduck", "tests")


def imported_packages() -> set[str]:
    found: set[str] = set()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize(
    "package",
    ["django", "allauth", "channels", "ninja", "httpx", "django_q", "whitenoise", "pytest_django", "model_bakery"],
)
def test_a_fixed_package_is_imported(package: str) -> None:
    assert package in imported_packages()


def test_daphne_serves_the_web_by_its_own_command() -> None:
    assert "daphne" in (ROOT / "Procfile").read_text()
    assert "daphne" not in settings.INSTALLED_APPS
