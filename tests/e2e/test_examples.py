"""Every example for an SDK, and every command of the README, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.base import Snippet
from providers.registry import all_providers
from tests.e2e.installation import ROOT, Installation

README = (ROOT / "README.md").read_text()
OPTIONS = {
    "azure_openai": ("--upstream", "https://example.openai.azure.com"),
    "bedrock": ("--credential", "os.environ/AWS"),
}
# Examples that sign must not see it; the vendor tells such keys by their beginning.
KEYS = {"bedrock-curl": {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-of-the-reader"}}
EXAMPLES = [
    (provider.id, snippet.id)
    for provider in all_providers().values()
    for snippet in provider.snippets("http://127.0.0.1:8001", provider.example_model)
]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# These are tried by tests of their own, or would run this very suite.
RUN_ELSEWHERE = ("make run", "make test", "RUBBERDUCK_DATA_DIR=", "createsuperuser")


@pytest.fixture(scope="session")
def proxy_port(installation: Installation) -> Callable[[str], int]:
    """The port of a running proxy of a provider, made when first asked for."""
    made: dict[str, int] = {}

    def find(provider: str) -> int:
        if provider not in made:
            made[provider] = installation.create_proxy(f"example-{provider}", provider, *OPTIONS.get(provider, ()))
        return made[provider]

    return find


@pytest.mark.parametrize(("provider_id", "example_id"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_the_example_gets_an_answer_through_the_proxy(
    proxy_port: Callable[[str], int], tmp_path: Path, provider_id: str, example_id: str
) -> None:
    provider = all_providers()[provider_id]
    snippets = provider.snippets(f"http://127.0.0.1:{proxy_port(provider_id)}", provider.example_model)
    (snippet,) = (snippet for snippet in snippets if snippet.id == example_id)
    done = subprocess.run(
        command(snippet, tmp_path),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NODE_NO_WARNINGS": "1", **KEYS.get(example_id, {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "upstream #" in done.stdout


def command(snippet: Snippet, directory: Path) -> list[str]:
    """How a reader would run it: from a file, or in the shell."""
    if snippet.language == "shell":
        return ["sh", "-ec", snippet.code]
    if snippet.language == "python":
        program = directory / "example.py"
        program.write_text(snippet.code)
        return [sys.executable, str(program)]
    program = directory / "example.mjs"
    program.write_text(snippet.code)
    (directory / "node_modules").symlink_to(ROOT / "tests" / "wire" / "node_modules")
    return ["node", str(program)]


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


def test_the_commands_of_the_readme_work(installation: Installation, ports: Iterator[int], tmp_path: Path) -> None:
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
