"""The official SDKs, each asked once of a proxy that answers with an error: which class they raise, and how often they
have asked by then with the retries they come with."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import boto3
import openai
from botocore.exceptions import ClientError
from google import genai
from google.genai import errors, types

from providers.faults.base import Reason
from proxies.dataplane.faults import clients, error_clients
from proxies.dataplane.faults.error_clients import Raised
from tests.emulated.serving import EmulatedProxies, EmulatedProxy

ROOT = Path(__file__).resolve().parents[2]
ASKED: list[Any] = [{"role": "user", "content": "Say hello."}]
Failure = tuple[int | None, str]  # status and class


class Hasty:
    """An SDK that reckons its wait before another attempt, and does not wait: which attempts it makes is its own."""

    def _calculate_retry_timeout(self, *values: Any, **named: Any) -> float:
        super()._calculate_retry_timeout(*values, **named)  # type: ignore[misc]
        return 0.0


class OpenAI(Hasty, openai.OpenAI):
    pass


class AzureOpenAI(Hasty, openai.AzureOpenAI):
    pass


class Anthropic(Hasty, anthropic.Anthropic):
    pass


class AnthropicBedrock(Hasty, anthropic.AnthropicBedrock):
    pass


class AnthropicVertex(Hasty, anthropic.AnthropicVertex):
    pass


def _chat(client: openai.OpenAI) -> Failure:
    with client:
        try:
            client.chat.completions.create(model="gpt-4o-mini", messages=ASKED)
        except openai.APIStatusError as error:
            return error.status_code, type(error).__name__
    raise AssertionError("no error")


def _message(client: Any, model: str) -> Failure:
    with client:
        try:
            client.messages.create(model=model, max_tokens=100, messages=ASKED)
        except anthropic.APIStatusError as error:
            return error.status_code, type(error).__name__
    raise AssertionError("no error")


def _openai(url: str) -> Failure:
    return _chat(OpenAI(base_url=f"{url}/v1", api_key="sk-test"))


def _azure(url: str) -> Failure:
    return _chat(AzureOpenAI(azure_endpoint=url, api_key="key", api_version="2024-10-21"))


def _anthropic(url: str) -> Failure:
    return _message(Anthropic(base_url=url, api_key="sk-ant-test"), "claude-haiku-4-5")


def _anthropic_bedrock(url: str) -> Failure:
    keys = {"aws_access_key": "AKIADUMMY", "aws_secret_key": "dummy"}
    return _message(
        AnthropicBedrock(base_url=url, aws_region="us-east-1", **keys), "anthropic.claude-haiku-4-5-20251001-v1:0"
    )


def _anthropic_vertex(url: str) -> Failure:
    return _message(
        AnthropicVertex(base_url=f"{url}/v1", project_id="my-project", region="us-east5", access_token="ya29.test"),
        "claude-haiku-4-5@20251001",
    )


def _genai(url: str) -> Failure:
    with genai.Client(api_key="AIza-test", http_options=types.HttpOptions(base_url=url)) as client:
        try:
            client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.")
        except errors.APIError as error:
            return error.code, type(error).__name__
    raise AssertionError("no error")


def _boto3(url: str) -> Failure:
    session = boto3.session.Session(aws_access_key_id="AKIADUMMY", aws_secret_access_key="dummy")
    with contextlib.closing(session.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url)) as client:
        try:
            client.converse(
                modelId="amazon.nova-lite-v1:0", messages=[{"role": "user", "content": [{"text": "Say hello."}]}]
            )
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"], type(error).__name__
    raise AssertionError("no error")


PYTHON: Mapping[str, Callable[[str], Failure]] = {
    clients.OPENAI_PYTHON: _openai,
    error_clients.AZURE_PYTHON: _azure,
    clients.ANTHROPIC_PYTHON: _anthropic,
    clients.BOTO3: _boto3,
    error_clients.ANTHROPIC_BEDROCK_PYTHON: _anthropic_bedrock,
    clients.GENAI_PYTHON: _genai,
    error_clients.ANTHROPIC_VERTEX_PYTHON: _anthropic_vertex,
}


def raised_by(emulated: EmulatedProxies, provider: str, client: str) -> dict[Reason, Raised]:
    """Has one SDK meet every reason, each at a proxy of its own, all at once."""
    proxies = {
        reason: emulated.proxy(provider, faults=[{"fault": "error", "reason": str(reason)}]) for reason in Reason
    }
    failures = (_python if client in PYTHON else _javascript)(client, proxies)
    raised = {}
    for reason, proxy in proxies.items():
        deadline = time.monotonic() + 20
        while proxy.server.in_flight and time.monotonic() < deadline:  # the last attempt is recorded when it ends
            time.sleep(0.005)
        raised[reason] = Raised(*failures[reason], attempts=len(proxy.records.all))
    return raised


def _python(client: str, proxies: Mapping[Reason, EmulatedProxy]) -> dict[Reason, Any]:
    with ThreadPoolExecutor(len(proxies)) as pool:
        works = {reason: pool.submit(PYTHON[client], proxy.url) for reason, proxy in proxies.items()}
        return {reason: work.result() for reason, work in works.items()}


def _javascript(client: str, proxies: Mapping[Reason, EmulatedProxy]) -> dict[Reason, Any]:
    modules = os.environ.get("SDK_NODE_MODULES", str(ROOT / "tests" / "wire" / "node_modules"))
    done = subprocess.run(
        [
            "node",
            str(Path(__file__).parent / "javascript" / "error_table.mjs"),
            client,
            json.dumps({reason: proxy.url for reason, proxy in proxies.items()}),
        ],
        env={**os.environ, "SDK_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {Reason(reason): failure for reason, failure in json.loads(done.stdout).items()}
