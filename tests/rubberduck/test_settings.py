"""The settings as a whole: documented, used, safe by default, and refused in words."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.models import SiteSettings
from accounts.site_fields import SITE_FIELDS
from rubberduck import settings as project_settings
from rubberduck.env import read_env_file

ROOT = Path(settings.BASE_DIR)


def run_manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py ...` with nothing in its environment but these variables."""
    base = {"PATH": os.environ["PATH"], "RUBBERDUCK_ENV_FILE": "", "RUBBERDUCK_DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**base, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read_setting(tmp_path: Path, expression: str, **environment: str) -> str:
    code = f"from django.conf import settings; print({expression})"
    result = run_manage(tmp_path, "shell", "--no-imports", "-c", code, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def settings_from_variables() -> list[str]:
    source = Path(project_settings.__file__).read_text()
    return sorted(set(re.findall(r"^([A-Z_]+) = env\.", source, re.MULTILINE)))


def documented_variables() -> set[str]:
    return set(re.findall(r"^#([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    assert documented_variables() == project_settings.env.asked


def test_every_documented_value_is_accepted(tmp_path: Path) -> None:
    text = re.sub(r"^#([A-Z])", r"\1", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text)
    values = read_env_file(tmp_path / ".env")
    skipped = {"RUBBERDUCK_DATA_DIR", "RUBBERDUCK_ENV_FILE", "RUBBERDUCK_UPSTREAM_CA_FILE"}  # these name places
    files = {name for name in values if name.endswith("_FILE")}  # what holds a secret in the place of another variable
    result = run_manage(
        tmp_path, "check", **{name: value for name, value in values.items() if name not in skipped | files}
    )
    assert result.returncode == 0, result.stderr
    assert values.keys() == project_settings.env.asked


def test_the_values_shown_are_the_defaults_or_marked_as_examples_here(tmp_path: Path) -> None:
    examples = {
        *("RUBBERDUCK_ALLOWED_HOSTS", "RUBBERDUCK_HTTPS", "RUBBERDUCK_UPSTREAM_CA_FILE", "REDIS_URL"),
        *("EMAIL_URL", "SENDGRID_API_KEY", "RUBBERDUCK_CONNECT_TO"),
        *("RUBBERDUCK_GOOGLE_CLIENT_ID", "RUBBERDUCK_GOOGLE_CLIENT_SECRET"),
        *("RUBBERDUCK_GITHUB_CLIENT_ID", "RUBBERDUCK_GITHUB_CLIENT_SECRET"),
        *(name for name in documented_variables() if name.endswith("_FILE")),
        # Of this installation, not of the program; an override is there because it is set.
        *("RUBBERDUCK_DATA_DIR", "RUBBERDUCK_ENV_FILE"),
        *(f"RUBBERDUCK_{name.upper()}" for name in SITE_FIELDS),
    }
    text = re.sub(r"^#([A-Z])", r"\1", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text)
    shown = {name: value for name, value in read_env_file(tmp_path / ".env").items() if name not in examples}
    # All of one process at once: a dictionary of what each setting is.
    expression = "{name: repr(getattr(settings, name)) for name in dir(settings) if name.isupper()}"
    assert ast.literal_eval(read_setting(tmp_path, expression, **shown)) == ast.literal_eval(
        read_setting(tmp_path, expression)
    )
    assert len(shown) > 20


def test_the_site_settings_shown_are_those_of_a_new_installation() -> None:
    text = (ROOT / ".env.example").read_text()
    fresh = SiteSettings()
    for name in SITE_FIELDS:
        (value,) = re.findall(rf"^#RUBBERDUCK_{name.upper()}=(.*)$", text, re.MULTILINE)
        stored = getattr(fresh, name)
        if isinstance(stored, bool):
            assert value == str(int(stored)), name
        elif stored is None:
            assert value == "keep", name
        else:
            assert stored == [], name


def test_no_page_names_a_variable_that_nobody_reads() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    known = documented_variables() | {"RUBBERDUCK_RUN"}
    for page in pages:
        named = set(
            re.findall(
                r"\b(RUBBERDUCK_[A-Z_]*[A-Z]|DATABASE_URL|REDIS_URL|EMAIL_URL|SENDGRID_API_KEY)\b", page.read_text()
            )
        )
        assert named <= known, page


@pytest.mark.parametrize("name", settings_from_variables())
def test_every_setting_that_comes_from_a_variable_is_used(name: str) -> None:
    rooms = ("accounts", "proxies", "logs", "rubberduck", "scripts")
    sources = [path for room in rooms for path in (ROOT / room).rglob("*.py") if path.name != "settings.py"]
    used_by_django = {"DEBUG", "SECRET_KEY"}
    assert name in used_by_django or any(f"settings.{name}" in path.read_text() for path in sources)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    result = run_manage(tmp_path, "check", "--deploy", "--fail-level", "ERROR")
    assert result.returncode == 0, result.stderr
    assert read_setting(tmp_path, "(settings.DEBUG, settings.WEB_BIND, settings.PROXY_BIND, settings.PROXY_PORTS)") == (
        "(False, ('127.0.0.1', 8000), '127.0.0.1', (8001, 8999))"
    )
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / "my.env").write_text("RUBBERDUCK_DRAIN_S=7\nRUBBERDUCK_HEAD_S=8\n")
    found = read_setting(
        tmp_path,
        "(settings.DRAIN_S, settings.HEAD_S)",
        RUBBERDUCK_ENV_FILE=str(tmp_path / "my.env"),
        RUBBERDUCK_DRAIN_S="9",
    )
    assert found == "(9.0, 8.0)"


def test_a_bad_variable_ends_the_start_with_one_line(tmp_path: Path) -> None:
    result = run_manage(tmp_path, "check", RUBBERDUCK_DRAIN_S="soon")
    assert result.returncode == 1
    assert result.stderr.strip() == (
        "RUBBERDUCK_DRAIN_S='soon' is not accepted: use a number of seconds from 0.01 to 86400."
    )


def test_a_data_directory_that_cannot_be_used_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run_manage(tmp_path, "check", RUBBERDUCK_DATA_DIR=str(tmp_path / "file" / "data"))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "RUBBERDUCK_DATA_DIR" in result.stderr
    assert "the directory cannot be used" in result.stderr


def test_a_new_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "some" / "data"
    assert run_manage(tmp_path, "check", RUBBERDUCK_DATA_DIR=str(directory)).returncode == 0
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_database_without_tables_is_one_line_on_the_command_line(tmp_path: Path) -> None:
    result = run_manage(tmp_path, "proxy", "list", DATABASE_URL="")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "Has `manage.py migrate` been run?" in result.stderr


def test_names_and_addresses_of_the_web_are_answered(tmp_path: Path) -> None:
    found = read_setting(
        tmp_path,
        "(settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS)",
        RUBBERDUCK_WEB_BIND="192.0.2.7:80",
        RUBBERDUCK_ALLOWED_HOSTS="duck.example.com,.lab.example.com",
    )
    assert found == str(
        (
            ["localhost", "127.0.0.1", "[::1]", "duck.example.com", ".lab.example.com", "192.0.2.7"],
            ["https://duck.example.com", "https://*.lab.example.com"],
        )
    )


def test_site_settings_that_are_set_are_overrides(tmp_path: Path) -> None:
    assert read_setting(tmp_path, "settings.SITE_OVERRIDES") == "{}"
    found = read_setting(
        tmp_path,
        "settings.SITE_OVERRIDES",
        RUBBERDUCK_ALLOW_REGISTRATION="1",
        RUBBERDUCK_ALLOW_PASSWORD_LOGIN="no",
        RUBBERDUCK_ALLOWED_EMAILS="Ada@Example.com, b@example.org",
        RUBBERDUCK_ALLOWED_DOMAINS="Example.com",
        RUBBERDUCK_RETENTION_DAYS="30",
    )
    assert ast.literal_eval(found) == {
        "allow_registration": True,
        "allow_password_login": False,
        "allowed_emails": ["ada@example.com", "b@example.org"],
        "allowed_domains": ["example.com"],
        "retention_days": 30,
    }
    assert (
        read_setting(tmp_path, "settings.SITE_OVERRIDES", RUBBERDUCK_RETENTION_DAYS="keep")
        == "{'retention_days': None}"
    )


@pytest.mark.parametrize(
    ("variables", "https", "implied"),
    [
        ({}, False, False),
        ({"RUBBERDUCK_WEB_BIND": "[::1]:8000"}, False, False),
        ({"RUBBERDUCK_WEB_BIND": "0.0.0.0:8000"}, True, True),
        ({"RUBBERDUCK_WEB_BIND": "0.0.0.0:8000", "RUBBERDUCK_HTTPS": "0"}, False, False),
        ({"RUBBERDUCK_HTTPS": "1"}, True, False),
    ],
)
def test_off_loopback_browsers_are_held_to_https(
    tmp_path: Path, variables: dict[str, str], https: bool, implied: bool
) -> None:
    names = ("HTTPS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    shown = ", ".join(f"bool(settings.{name})" for name in names)
    found = ast.literal_eval(read_setting(tmp_path, f"({shown}, settings.IMPLIED_HTTPS)", **variables))
    assert found == (*(https,) * 5, implied)


def test_the_connect_override_works_in_tests_only(tmp_path: Path) -> None:
    override = {"RUBBERDUCK_CONNECT_TO": "api.openai.com:443:127.0.0.1:9443"}
    assert read_setting(tmp_path, "settings.CONNECT_TO", **override) == "{}"
    assert "rubberduck.W002" in run_manage(tmp_path, "check", **override).stderr
    found = read_setting(tmp_path, "settings.CONNECT_TO", RUBBERDUCK_TESTING="1", **override)
    assert found == "{('api.openai.com', 443): ('127.0.0.1', 9443)}"


@pytest.mark.parametrize("provider", ["GOOGLE", "GITHUB"])
def test_a_client_of_a_sign_in_provider_needs_its_id_and_its_secret(tmp_path: Path, provider: str) -> None:
    for given, missing in (("ID", "SECRET"), ("SECRET", "ID")):
        result = run_manage(tmp_path, "check", **{f"RUBBERDUCK_{provider}_CLIENT_{given}": "value"})
        assert result.returncode == 1
        assert result.stderr.strip() == (
            f"RUBBERDUCK_{provider}_CLIENT_{missing} is missing: a client has an id and a secret."
        )


def test_daphne_is_no_installed_app() -> None:
    assert "daphne" not in settings.INSTALLED_APPS


@pytest.mark.django_db
def test_no_model_is_ahead_of_its_migrations(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", "--check", "--dry-run")
    assert "No changes detected" in capsys.readouterr().out
