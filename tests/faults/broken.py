"""The official SDKs, each asked once while a fault strikes: what they raise or return, and how often they tried."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import boto3
import openai
from botocore.config import Config
from google import genai
from google.genai import types

from proxies.dataplane.faults import clients
from tests.emulated.serving import EmulatedProxies, EmulatedProxy

ROOT = Path(__file__).resolve().parents[2]
ASKED: list[Any] = [{"role": "user", "content": "Say hello."}]
# In the place of minutes, where the fault is that nothing comes.
TIMEOUT_S = 0.4
JAVASCRIPT_TIMEOUT_MS = 1000


@dataclass
class Seen:
    """What came of one call. `raised`: the exception's class; else `returned` says what came back."""

    client: str
    fault: str
    mode: str
    raised: str | None = None
    message: str | None = None
    returned: str | None = None
    text: str = ""
    events: int = 0
    attempts: int = 0


class Sdk:
    """One SDK's client of one proxy, with its own retries and, unless it is impatient, its own time-outs."""

    provider: str

    def __init__(self, url: str, *, is_impatient: bool) -> None:
        self.url = url
        self.is_impatient = is_impatient

    def whole(self) -> Any:
        raise NotImplementedError

    def stream(self) -> Iterator[str]:
        raise NotImplementedError


class OpenAIPython(Sdk):
    provider = "openai"

    @contextlib.contextmanager
    def client(self) -> Iterator[openai.OpenAI]:
        timeout = openai.Timeout(60, read=TIMEOUT_S) if self.is_impatient else openai.DEFAULT_TIMEOUT
        with openai.OpenAI(base_url=f"{self.url}/v1", api_key="sk-test", timeout=timeout) as client:
            yield client

    def whole(self) -> Any:
        with self.client() as client:
            reply = client.chat.completions.create(model="gpt-4o-mini", messages=ASKED)
        return reply if isinstance(reply, str) else reply.choices[0].message.content

    def stream(self) -> Iterator[str]:
        with self.client() as client:
            for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=ASKED, stream=True):
                yield (chunk.choices[0].delta.content or "") if chunk.choices else ""


class AnthropicPython(Sdk):
    provider = "anthropic"

    @contextlib.contextmanager
    def client(self) -> Iterator[anthropic.Anthropic]:
        timeout = anthropic.Timeout(60, read=TIMEOUT_S) if self.is_impatient else anthropic.DEFAULT_TIMEOUT
        with anthropic.Anthropic(base_url=self.url, api_key="sk-ant-test", timeout=timeout) as client:
            yield client

    def whole(self) -> Any:
        with self.client() as client:
            reply = client.messages.create(model="claude-haiku-4-5", max_tokens=200, messages=ASKED)
        return reply if isinstance(reply, str) else reply.content[0].text

    def stream(self) -> Iterator[str]:
        with self.client() as client:
            for event in client.messages.create(model="claude-haiku-4-5", max_tokens=200, messages=ASKED, stream=True):
                yield event.delta.text if event.type == "content_block_delta" else ""


class GenAIPython(Sdk):
    provider = "vertex_ai"

    def client(self) -> genai.Client:
        timeout = int(TIMEOUT_S * 1000) if self.is_impatient else None
        return genai.Client(api_key="AIza-test", http_options=types.HttpOptions(base_url=self.url, timeout=timeout))

    def whole(self) -> Any:
        with self.client() as client:
            return client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.").text

    def stream(self) -> Iterator[str]:
        with self.client() as client:
            for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents="Say hello."):
                yield chunk.text or ""


class Boto3(Sdk):
    provider = "bedrock"
    model = "us.amazon.nova-lite-v1:0"
    messages: list[Any] = [{"role": "user", "content": [{"text": "Say hello."}]}]

    def client(self) -> Any:
        config = Config(read_timeout=TIMEOUT_S) if self.is_impatient else Config()
        session = boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy")
        return session.client("bedrock-runtime", region_name="us-east-1", endpoint_url=self.url, config=config)

    def whole(self) -> Any:
        with contextlib.closing(self.client()) as client:
            reply = client.converse(modelId=self.model, messages=self.messages)
        return reply.get("output", {}).get("message", {}).get("content", [{}])[0].get("text")

    def stream(self) -> Iterator[str]:
        with contextlib.closing(self.client()) as client:
            reply = client.converse_stream(modelId=self.model, messages=self.messages)
            with contextlib.closing(reply["stream"]) as stream:  # an error frame leaves its connection open
                for event in stream:
                    yield event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")


PYTHON: dict[str, type[Sdk]] = {
    clients.OPENAI_PYTHON: OpenAIPython,
    clients.ANTHROPIC_PYTHON: AnthropicPython,
    clients.GENAI_PYTHON: GenAIPython,
    clients.BOTO3: Boto3,
}
JAVASCRIPT = {
    clients.OPENAI_JAVASCRIPT: "openai",
    clients.ANTHROPIC_JAVASCRIPT: "anthropic",
    clients.GENAI_JAVASCRIPT: "vertex_ai",
    clients.AWS_JAVASCRIPT: "bedrock",
}


BOTH = ("whole", "stream")
Calls = dict[tuple[str, str], EmulatedProxy]  # fault and mode -> the proxy that is asked once


def meet_all(
    emulated: EmulatedProxies, client: str, faults: dict[str, list[Any]], impatient: str
) -> dict[tuple[str, str], Seen]:
    """Has one SDK ask a proxy of its own for every fault, for a whole reply and for a stream, all at once.

    `faults`: rules by a name of the test's own. The fault called `impatient` meets a short time-out.
    """
    provider = PYTHON[client].provider if client in PYTHON else JAVASCRIPT[client]
    calls = {(name, mode): emulated.proxy(provider, faults=faults[name]) for name in faults for mode in BOTH}
    seen = (_meet_python if client in PYTHON else _meet_javascript)(client, calls, impatient)
    for call, proxy in calls.items():
        deadline = time.monotonic() + 20
        while proxy.server.in_flight and time.monotonic() < deadline:  # the last attempt is recorded when it ends
            time.sleep(0.005)
        seen[call].attempts = len(proxy.records.all)
    return seen


def _meet_python(client: str, calls: Calls, impatient: str) -> dict[tuple[str, str], Seen]:
    with ThreadPoolExecutor(len(calls)) as pool:
        works = {
            (name, mode): pool.submit(
                _meet, PYTHON[client](proxy.url, is_impatient=name == impatient), Seen(client, name, mode)
            )
            for (name, mode), proxy in calls.items()
        }
        return {call: work.result() for call, work in works.items()}


def _meet(sdk: Sdk, seen: Seen) -> Seen:
    try:
        if seen.mode == "whole":
            seen.returned = str(sdk.whole())
        else:
            for text in sdk.stream():
                seen.events += 1
                seen.text += text
            seen.returned = "end"
    except Exception as error:  # noqa: BLE001  # which one is what we are here to see
        seen.raised = name_of(error)
        seen.message = str(error)
    return seen


def name_of(error: BaseException) -> str:
    """The class with the package people know it by."""
    package = type(error).__module__.removeprefix("google.").partition(".")[0]
    return f"{package}.{type(error).__qualname__}"


def _meet_javascript(client: str, calls: Calls, impatient: str) -> dict[tuple[str, str], Seen]:
    modules = os.environ.get("SDK_NODE_MODULES", str(ROOT / "tests" / "wire" / "node_modules"))
    asked = [
        {
            "client": client,
            "fault": name,
            "mode": mode,
            "url": proxy.url,
            "timeout": JAVASCRIPT_TIMEOUT_MS if name == impatient else None,
        }
        for (name, mode), proxy in calls.items()
    ]
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "broken.mjs"), json.dumps(asked)],
        env={**os.environ, "SDK_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [Seen(**json.loads(line)) for line in done.stdout.splitlines()]
    return {(seen.fault, seen.mode): seen for seen in lines}
