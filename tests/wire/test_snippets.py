"""Every snippet that users are shown, run as it is: only the base URL and the model are filled in, as everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from providers.base import Snippet
from providers.registry import all_providers
from tests.wire.rubberduck import AZURE, CREDENTIAL, Rubberduck, RunningProxy
from tests.wire.sdks import NEWEST
from tests.wire.standin.client import StandIn

_BASE_URL = "http://127.0.0.1:1"
_NODE_MODULES = next(setup for setup in NEWEST if setup.program.endswith(".mjs")).node_modules
_SNIPPETS = [
    pytest.param(provider.id, snippet.id, id=snippet.id)
    for provider in all_providers().values()
    for snippet in provider.snippets(_BASE_URL, provider.example_model)
]


def _proxy(rubberduck: Rubberduck, provider: str) -> RunningProxy:
    """What the snippets' comments ask for: Azure's resource, and for Bedrock a credential of the proxy's own."""
    match provider:
        case "azure_openai":
            return rubberduck.proxy("azure", "azure_openai", "--upstream", AZURE)
        case "bedrock":
            return rubberduck.proxy("bedrock-signing", "bedrock", "--credential", CREDENTIAL, region="us-east-1")
        case _:
            return rubberduck.proxy(provider, provider)


def _command(snippet: Snippet, directory: Path) -> list[str]:
    match snippet.language:
        case "python":
            file = directory / "snippet.py"
            command = [sys.executable, str(file)]
        case "javascript":
            file = directory / "snippet.mjs"
            command = ["node", str(file)]
            (directory / "node_modules").symlink_to(_NODE_MODULES)
        case "shell":
            file = directory / "snippet.sh"
            command = ["bash", "-eu", str(file)]
        case other:
            raise AssertionError(f"nobody knows how to run {other}")
    file.write_text(snippet.code)
    return command


@pytest.mark.parametrize(("provider_id", "snippet_id"), _SNIPPETS)
def test_a_snippet_gets_an_answer(
    provider_id: str, snippet_id: str, tmp_path: Path, standin: StandIn, rubberduck: Rubberduck
) -> None:
    provider = all_providers()[provider_id]
    proxy = _proxy(rubberduck, provider_id)
    rubberduck.forget_recordings(proxy)
    upstream_starts = standin.last_number()
    snippets = {snippet.id: snippet for snippet in provider.snippets(proxy.url, provider.example_model)}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    if snippet_id == "bedrock-curl":
        # The one snippet that needs a key of the reader's own: Bedrock's keys have a form that is checked.
        environment["AWS_BEARER_TOKEN_BEDROCK"] = "bedrock-api-key-standin"
    command = _command(snippets[snippet_id], tmp_path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Hello from upstream #{upstream_starts + 1}." in done.stdout
    assert [request.number for request in standin.requests(after=upstream_starts)] == [upstream_starts + 1]


def test_every_provider_has_snippets_for_python_and_curl_and_javascript() -> None:
    for provider in all_providers().values():
        shown = {snippet.language for snippet in provider.snippets(_BASE_URL, provider.example_model)}
        assert shown == {"python", "javascript", "shell"}
