"""The official OpenAI package for JavaScript over emulated proxies, OpenAI's and Azure's."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.emulated.serving import EmulatedProxies

ROOT = Path(__file__).resolve().parents[2]
HELLO: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}


def drive(style: str, url: str) -> dict[str, Any]:
    modules = os.environ.get("SDK_NODE_MODULES", str(ROOT / "tests" / "wire" / "node_modules"))
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "openai.mjs"), style, url],
        env={**os.environ, "SDK_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {line["name"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("style", ["openai", "azure"])
def test_the_javascript_sdk_works_and_gets_what_python_gets(emulated: EmulatedProxies, style: str) -> None:
    url = emulated.url("openai" if style == "openai" else "azure_openai")
    found = drive(style, url)
    base_url = url + ("/v1" if style == "openai" else "/openai/v1")
    with OpenAI(base_url=base_url, api_key="sk-test", max_retries=0) as client:
        whole = client.chat.completions.create(**HELLO)
        vector = client.embeddings.create(model="text-embedding-3-small", input="one", dimensions=8).data[0].embedding
        models = len(client.models.list().data)
    said = whole.choices[0].message.content
    assert found["whole"]["choices"][0]["message"]["content"] == said
    assert found["request_id"]
    assert found["raw"] == {"text": said, "usage": found["whole"]["usage"]}
    assert found["final"] == {"seen": said, "content": said, "finish": "stop"}
    for name in ("runner", "runner_streaming"):
        assert found[name]["called"] == ["Paris"]
        assert found[name]["content"]
    assert isinstance(found["parsed"]["legs"], int)
    assert found["embedding"] == pytest.approx(vector)
    assert found["image"] > 100
    assert found["speech"] > 100
    assert "duck.wav" in found["transcription"]
    assert found["transcription_stream"] == found["transcription"]
    assert found["files"] == {"content": "{}", "listed": True, "deleted": True}
    assert found["models"] == models
    assert found["refused"] == {
        "name": "BadRequestError",
        "status": 400,
        "code": "decimal_above_max_value",
        "param": "temperature",
    }
    if style == "openai":
        assert found["moderation"] is True
        assert found["completion"]
        assert found["stored"] == {"found": True, "deleted": True}
