"""The README: its commands run as they stand, and its examples are those that `tests/wire/test_snippets.py` runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from textwrap import dedent

from tests.e2e.installation import ROOT, Installation
from tests.e2e.offline import loopback_only

OFFLINE = "Try it, with no key and no network"
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


def blocks(text: str) -> list[str]:
    return [block.strip() for block in SHELL.findall(text) if not any(word in block for word in RUN_ELSEWHERE)]


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def run(command: str, installation: Installation, **environment: str) -> str:
    """What a block prints, run as a person would; an AssertionError shows why it fails."""
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=ROOT,
        env={**installation.environment, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_first_example_works_without_a_network(fresh: Installation, ports: Iterator[int]) -> None:
    first = five_in_a_row(ports)
    fresh.environment["RUBBERDUCK_PROXY_PORTS"] = f"{first}-{first + 4}"
    commands = [command.replace("8001", str(first)) for command in blocks(section(OFFLINE))]
    with loopback_only():
        fresh.start()
        demo, hello, weather = (run(command, fresh) for command in commands)
        again = run(commands[1], fresh)
        calls = [run(dedent(call), fresh) for call in re.findall(r"^  curl .*(?:\n    .*)*", demo, re.MULTILINE)]
        fresh.stop()
    assert ".venv/bin/python manage.py demo" in fresh.output
    assert f"http://127.0.0.1:{first}\n" in demo
    said = json.loads(hello)["choices"][0]["message"]["content"]
    assert "hello" in said.lower()
    assert again == hello
    assert "It rains, as ducks like it." in weather
    assert len(calls) == 5
    for call in calls:
        assert json.loads(call), call


def five_in_a_row(ports: Iterator[int]) -> int:
    """The first of five ports side by side that nobody has."""
    row: list[int] = []
    while len(row) < 5:
        port = next(ports)
        row = [*row, port] if row and port == row[-1] + 1 else [port]
    return row[0]


def test_the_commands_of_the_readme_work(installation: Installation, ports: Iterator[int]) -> None:
    commands = blocks(README.replace(section(OFFLINE), ""))
    assert len(commands) >= 3
    # The README's ports are those of a fresh machine; here they are whatever is free.
    free = {port: str(next(ports)) for port in sorted(set(re.findall(r"\b801[1-9]\b", "\n".join(commands))))}
    output = ""
    for command in commands:
        for port, replacement in free.items():
            command = re.sub(rf"\b{port}\b", replacement, command)
        output += run(command, installation, OPENAI_API_KEY="unused")
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
