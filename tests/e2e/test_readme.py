"""The README: its commands run as they stand, and its examples are those that `tests/wire/test_snippets.py` runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from tests.e2e.installation import ROOT, Installation

README = (ROOT / "README.md").read_text()
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# These are tried by tests of their own, or would run this very suite.
RUN_ELSEWHERE = ("make run", "make test", "RUBBERDUCK_DATA_DIR=", "createsuperuser")


def test_the_readme_shows_the_examples_as_they_are_now() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import snippets, sys; sys.stdout.write(snippets.renewed(sys.stdin.read()))"],
        cwd=ROOT / "scripts",
        input=README,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == README, "run `make snippets`"


def readme_commands() -> Iterator[str]:
    for block in SHELL.findall(README):
        if not any(word in block for word in RUN_ELSEWHERE):
            yield block.strip()


def test_the_commands_of_the_readme_work(installation: Installation, ports: Iterator[int]) -> None:
    commands = list(readme_commands())
    assert len(commands) >= 3
    # The README's ports are those of a fresh machine; here they are whatever is free.
    free = {port: str(next(ports)) for port in sorted(set(re.findall(r"\b800[1-9]\b", "\n".join(commands))))}
    output = ""
    for command in commands:
        for port, replacement in free.items():
            command = re.sub(rf"\b{port}\b", replacement, command)
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=ROOT,
            env={**installation.environment, "OPENAI_API_KEY": "unused"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        output += done.stdout
    assert "upstream #" in output
    assert "my-openai" in output


def test_an_account_for_the_admin_can_be_made_and_signs_in(installation: Installation) -> None:
    installation.environment["DJANGO_SUPERUSER_PASSWORD"] = "a quiet pond"
    installation.manage("createsuperuser", "--noinput", "--email", "first@example.com")
    signed_in = subprocess.run(
        [
            sys.executable,
            "-c",
            SIGN_IN,
            f"{installation.url}/admin/login/",
            "first@example.com",
            "a quiet pond",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert signed_in.returncode == 0, signed_in.stderr
    assert "/admin/logout/" in signed_in.stdout


SIGN_IN = """
import re, sys, httpx
url, email, password = sys.argv[1:]
with httpx.Client(follow_redirects=True) as client:
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', client.get(url).text)[1]
    form = {"csrfmiddlewaretoken": token, "username": email, "password": password, "next": "/admin/"}
    print(client.post(url, data=form, headers={"referer": url}).text)
"""
