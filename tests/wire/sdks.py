"""Which SDK set-ups are proven, and how their drivers are run: each in a process of its own, with the genuine SDK."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_DRIVERS = Path(__file__).resolve().parent / "drivers"
_TIMEOUT_S = 120

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setup:
    """One SDK, set up in one way.

    `family` names the table of expected results. `path` is what its base URL ends with. `upstream` is the real host a
    proxy leads it to, None where the proxy must be told (Azure). A set-up that is not `direct` needs a proxy: its base
    URL habit or its lack of a signature is refused by the genuine service.
    """

    name: str
    program: str
    provider: str
    family: str
    style: str = ""
    path: str = ""
    direct: bool = True
    upstream: str | None = None
    older: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def command(self) -> list[str]:
        """The interpreter and the program."""
        if self.program.endswith(".mjs"):
            return ["node", str(_DRIVERS / self.program)]
        default = ".venv-older-sdks/bin/python" if self.older else ".venv/bin/python"
        variable = "SDK_OLDER_PYTHON" if self.older else "SDK_PYTHON"
        return [str(_ROOT / os.environ.get(variable, default)), str(_DRIVERS / self.program)]

    @property
    def node_modules(self) -> str:
        """Where a JavaScript driver finds its SDK."""
        default = "tests/wire/older/node_modules" if self.older else "tests/wire/node_modules"
        variable = "SDK_OLDER_NODE_MODULES" if self.older else "SDK_NODE_MODULES"
        return str(_ROOT / os.environ.get(variable, default))


_OPENAI = {"provider": "openai", "upstream": "api.openai.com"}
_AZURE = {"provider": "azure_openai", "family": "azure"}
_ANTHROPIC = {"provider": "anthropic", "upstream": "api.anthropic.com"}
_BEDROCK = {"provider": "bedrock", "upstream": "bedrock-runtime.us-east-1.amazonaws.com"}
_CLAUDE_VERTEX = {"provider": "vertex_ai", "upstream": "us-east5-aiplatform.googleapis.com"}
_VERTEX = {"provider": "vertex_ai", "upstream": "us-central1-aiplatform.googleapis.com"}
_EXPRESS = {"provider": "vertex_ai", "upstream": "aiplatform.googleapis.com"}
_GEMINI = {"provider": "vertex_ai", "upstream": "generativelanguage.googleapis.com"}

NEWEST = (
    Setup("openai-python", "openai_python.py", family="openai", path="/v1", **_OPENAI),
    Setup("openai-python-bare", "openai_python.py", family="openai", direct=False, **_OPENAI),
    Setup("azure-python-deployments", "azure_python.py", style="deployments", **_AZURE),
    Setup("azure-python-entra", "azure_python.py", style="entra", **_AZURE),
    Setup("azure-python-base-url", "azure_python.py", style="base-url", direct=False, **_AZURE),
    Setup("azure-python-v1", "azure_python.py", style="v1", **_AZURE),
    Setup("anthropic-python", "anthropic_python.py", family="anthropic", **_ANTHROPIC),
    Setup("anthropic-python-token", "anthropic_python.py", family="anthropic", style="auth-token", **_ANTHROPIC),
    Setup("anthropic-python-v1", "anthropic_python.py", family="anthropic", path="/v1", direct=False, **_ANTHROPIC),
    Setup("anthropic-bedrock-python", "anthropic_bedrock_python.py", family="claude-bedrock", style="keys", **_BEDROCK),
    Setup(
        "anthropic-bedrock-python-bearer",
        "anthropic_bedrock_python.py",
        family="claude-bedrock",
        style="bearer",
        **_BEDROCK,
    ),
    Setup(
        "anthropic-vertex-python", "anthropic_vertex_python.py", family="claude-vertex", path="/v1", **_CLAUDE_VERTEX
    ),
    Setup(
        "anthropic-vertex-python-bare",
        "anthropic_vertex_python.py",
        family="claude-vertex",
        direct=False,
        **_CLAUDE_VERTEX,
    ),
    Setup("boto3", "boto3_bedrock.py", family="bedrock", style="endpoint", **_BEDROCK),
    Setup("boto3-forward-proxy", "boto3_bedrock.py", family="bedrock", style="forward-proxy", **_BEDROCK),
    Setup("boto3-hook", "boto3_bedrock.py", family="bedrock", style="hook", **_BEDROCK),
    Setup("boto3-bearer-hook", "boto3_bedrock.py", family="bedrock", style="bearer-hook", **_BEDROCK),
    Setup("boto3-unsigned", "boto3_bedrock.py", family="bedrock", style="unsigned", direct=False, **_BEDROCK),
    Setup("boto3-aws-headers", "boto3_bedrock.py", family="bedrock", style="aws-headers", direct=False, **_BEDROCK),
    Setup("google-genai-python-vertex", "google_genai_python.py", family="genai", style="vertex", **_VERTEX),
    Setup("google-genai-python-express", "google_genai_python.py", family="genai", style="express", **_EXPRESS),
    Setup("google-genai-python-gemini", "google_genai_python.py", family="genai", style="gemini", **_GEMINI),
    Setup("openai-js", "openai_js.mjs", family="openai", path="/v1", **_OPENAI),
    Setup("openai-js-bare", "openai_js.mjs", family="openai", direct=False, **_OPENAI),
    Setup("azure-js-deployments", "openai_js.mjs", style="deployments", **_AZURE),
    Setup("azure-js-v1", "openai_js.mjs", style="v1", **_AZURE),
    Setup("anthropic-js", "anthropic_js.mjs", family="anthropic", **_ANTHROPIC),
    Setup("aws-bedrock-js", "aws_bedrock_js.mjs", family="bedrock", **_BEDROCK),
    Setup("aws-bedrock-js-bearer", "aws_bedrock_js.mjs", family="bedrock", style="bearer", **_BEDROCK),
    Setup("google-genai-js-vertex", "google_genai_js.mjs", family="genai", style="vertex", **_VERTEX),
    Setup("google-genai-js-express", "google_genai_js.mjs", family="genai", style="express", **_EXPRESS),
    Setup("google-genai-js-gemini", "google_genai_js.mjs", family="genai", style="gemini", **_GEMINI),
)
OLDER = tuple(replace(setup, name=f"{setup.name}-older", older=True) for setup in NEWEST)

# The older SDKs are installed for the long run only; what is chosen here must be there.
SETUPS = NEWEST + OLDER if os.environ.get("SDK_OLDER") == "1" else NEWEST


def run_driver(
    setup: Setup,
    base_url: str,
    *scenarios: str,
    salt: str = "",
    key: str | None = None,
    secret: str | None = None,
) -> dict[str, Result]:
    """Runs scenarios (all, when none is named) and returns what each observed, by its name.

    `base_url` is scheme, host and port; the set-up's own path is added. AssertionError when the driver itself breaks.
    """
    command = [*setup.command, "--base-url", base_url + setup.path]
    for option, value in (("--style", setup.style), ("--salt", salt), ("--key", key), ("--secret", secret)):
        command += [option, value] if value else []
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "NO_PROXY": "localhost",
        "NODE_NO_WARNINGS": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SDK_NODE_MODULES": setup.node_modules,
    }
    done = subprocess.run(
        [*command, *scenarios], env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, f"{setup.name} broke:\n{done.stderr}"
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["scenario"]: result for result in results}
