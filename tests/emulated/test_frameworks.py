"""Agent frameworks, unmodified, over emulated providers: loops that end, outputs of a given type, streams."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from providers.registry import all_providers
from tests.emulated.serving import EmulatedProxies

_ROOT = Path(__file__).resolve().parents[2]
_DRIVERS = Path(__file__).resolve().parent / "frameworks"
_PYTHON = os.environ.get("FRAMEWORKS_PYTHON", str(_ROOT / ".venv-frameworks" / "bin" / "python"))
_COMMANDS = {
    "pydantic-ai": [_PYTHON, str(_DRIVERS / "pydantic_ai_agents.py")],
    "langchain": [_PYTHON, str(_DRIVERS / "langchain_agents.py")],
    "vercel-ai": ["node", str(_DRIVERS / "vercel_ai.mjs")],
}
_MODELS = {
    "pydantic-ai": {
        "openai-chat", "openai-responses", "azure", "anthropic", "bedrock-claude", "bedrock-nova", "gemini", "vertex"
    },
    "langchain": {
        "openai-chat", "openai-responses", "azure", "anthropic", "bedrock-converse", "bedrock-nova", "bedrock-invoke",
        "gemini", "vertex",
    },
    "vercel-ai": {
        "openai-chat", "openai-responses", "azure-deployments", "azure-v1", "anthropic", "bedrock", "gemini"
    },
}  # fmt: skip
_SCENARIOS = {
    "pydantic-ai": {"agent", "structured", "structured_after_tool", "stream"},
    "langchain": {"agent", "structured", "structured_agent", "stream"},
    "vercel-ai": {"agent", "streamed_agent", "structured", "stream"},
}


def _run(framework: str, emulated: EmulatedProxies) -> list[dict[str, Any]]:
    urls = {provider: emulated.url(provider) for provider in all_providers()}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NODE_NO_WARNINGS": "1",
        "LANGSMITH_TRACING": "false",
        "AI_SDK_LOG_WARNINGS": "false",
    }
    done = subprocess.run(
        [*_COMMANDS[framework], json.dumps(urls)],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("framework", list(_COMMANDS))
def test_a_framework_completes_its_loops_outputs_and_streams(framework: str, emulated: EmulatedProxies) -> None:
    results = _run(framework, emulated)
    ran = {(result["model"], result["scenario"]) for result in results if result["scenario"] != "embed"}
    assert ran == {(model, scenario) for model in _MODELS[framework] for scenario in _SCENARIOS[framework]}
    assert {f"{result['model']} {result['scenario']}": why for result in results if (why := _wrong(result))} == {}


def _wrong(result: dict[str, Any]) -> str | None:
    """What is not as it must be, None if nothing."""
    if "error" in result:
        return str(result["error"])
    match result["scenario"]:
        case "agent" | "streamed_agent":
            is_right = result["asked"] == ["Paris"] and "drizzle" in result["text"]
        case "structured":
            is_right = _is_city(result["value"])
        case "structured_after_tool" | "structured_agent":
            is_right = _is_city(result["value"]) and len(result["asked"]) == 1
        case "stream":
            is_right = result["pieces"] > 1 and result["text"] == result["unary"] and "duck" in result["text"].lower()
        case _:
            is_right = result["size"] >= 256 and result["near"] > result["far"] + 0.2
    return None if is_right else json.dumps(result)


def _is_city(value: dict[str, Any]) -> bool:
    names = [value["name"], value["country"], *value["landmarks"]]
    return all(isinstance(name, str) and name for name in names) and bool(names[2:]) and value["population"] >= 1
