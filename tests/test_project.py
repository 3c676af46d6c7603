"""Promises of the project as a whole: its packages, its commands, its layout, its documents."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("accounts", "logs", "providers", "proxies", "rubberduck", "scripts")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text()
# Tests of what several modules do together, and of a module that lies deeper.
ACROSS = {
    "accounts/test_secrets.py",
    "accounts/test_password.py",
    "accounts/test_sessions.py",
    "accounts/test_sign_in.py",
    "accounts/test_sign_up.py",
    "accounts/test_social.py",
    "accounts/test_totp.py",
    "proxies/dataplane/faults/test_pristine.py",
    "proxies/dataplane/test_disorder.py",
    "proxies/dataplane/test_passthrough.py",
    "proxies/dataplane/test_shared_reply.py",
    "proxies/dataplane/test_streaming.py",
    "proxies/supervisor/test_http1_exchange.py",
    "proxies/supervisor/test_http2_exchange.py",
    "proxies/test_command.py",
    "rubberduck/test_deployment.py",
    "rubberduck/test_packages.py",
    "rubberduck/test_web.py",
}
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from (path for path in sorted((ROOT / room).rglob("*.py")) if "node_modules" not in path.parts)


def test_pytest_django_runs_this_suite(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.hasplugin("django")


# --- packages


def run_script(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT / "scripts", capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_and_all_it_needs_are_pinned(name: str) -> None:
    renewed = run_script(f"import pins, sys; sys.stdout.write(pins.renewed()[pins.ROOT / {name!r}])")
    assert renewed == (ROOT / name).read_text(), "run `make pins`"
    assert all("==" in line for line in renewed.splitlines() if line and not line.startswith(("#", "-r")))


@pytest.mark.parametrize("path", ["frontend", "tests/wire", "tests/wire/older", "tests/emulated/frameworks"])
def test_lock_files_name_no_package_index_and_package_files_are_exact(path: str) -> None:
    assert '"resolved"' not in (ROOT / path / "package-lock.json").read_text()
    versions = re.findall(r'^    "[^"]+": "([^"]+)",?$', (ROOT / path / "package.json").read_text(), re.MULTILINE)
    assert versions
    assert not [version for version in versions if version.startswith(("^", "~", "*"))]


# --- commands


@pytest.mark.parametrize("target", TARGETS)
def test_make_help_explains_the_target(target: str) -> None:
    make = shutil.which("make")
    assert make is not None
    shown = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  make {target}  +\S", shown, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_document_names_only_targets_and_files_that_exist(document: Path) -> None:
    text = document.read_text()
    commands = re.findall(r"`make ([a-z-]+)", text) + re.findall(
        r"^(?:[A-Z_]+=\S+ )*make ([a-z-]+)", text, re.MULTILINE
    )
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert set(commands) <= set(TARGETS)
    assert [link for link in links if link and not (document.parent / link).exists()] == []


def test_ci_checks_everything() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^make (\S+)", script, re.MULTILINE) == [
        "test",
        "older-sdks",
        "postgres",
        "lint",
        "types",
        "frontend-checks",
    ]


# --- layout


def test_every_test_file_stands_where_what_it_tests_stands() -> None:
    astray = []
    for room in ROOMS:
        for path in (ROOT / "tests" / room).rglob("test_*.py"):
            place = path.relative_to(ROOT / "tests")
            tested = ROOT / place.parent / path.name.removeprefix("test_")
            if not tested.exists() and not tested.with_suffix("").exists() and place.as_posix() not in ACROSS:
                astray.append(place.as_posix())
    assert astray == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_says_in_its_first_line_what_it_is_for(room: str) -> None:
    silent = []
    for path in modules(room):
        tree = ast.parse(path.read_text())
        if tree.body and "migrations" not in path.parts and not ast.get_docstring(tree):
            silent.append(path.relative_to(ROOT).as_posix())
    assert silent == []
