"""The official SDKs, each asked for a whole answer and for a stream: what an application finds in the answer."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import boto3
import openai
from google import genai
from google.genai import types

from proxies.dataplane.faults import clients

ROOT = Path(__file__).resolve().parents[2]
STORY, WEATHER = "Tell me about ducks.", "What is the weather in Paris?"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ABOUT = "The weather in a city"


@dataclass
class Answer:
    """What an application reads. `calls`: the arguments of tool calls, as JSON text or as what should be that."""

    finish: str | None = None
    text: str = ""
    refusal: str = ""
    calls: list[str] = field(default_factory=list)


def _openai(url: str, *, with_tools: bool, is_streaming: bool) -> Answer:
    asked: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": STORY}]}
    if with_tools:
        tool = {"name": "get_weather", "description": ABOUT, "parameters": SCHEMA}
        asked |= {
            "messages": [{"role": "user", "content": WEATHER}],
            "tools": [{"type": "function", "function": tool}],
            "tool_choice": "required",
        }
    answer = Answer()
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0) as client:
        if is_streaming:
            calls: dict[int, str] = {}
            for chunk in client.chat.completions.create(**asked, stream=True):
                for choice in chunk.choices:
                    answer.finish = choice.finish_reason or answer.finish
                    answer.text += choice.delta.content or ""
                    answer.refusal += choice.delta.refusal or ""
                    for call in choice.delta.tool_calls or []:
                        calls[call.index] = calls.get(call.index, "") + (call.function.arguments or "")
            answer.calls = list(calls.values())
            return answer
        choice = client.chat.completions.create(**asked).choices[0]
        message = choice.message
        arguments = [call.function.arguments for call in message.tool_calls or []]
        return Answer(choice.finish_reason, message.content or "", message.refusal or "", arguments)


def _anthropic(url: str, *, with_tools: bool, is_streaming: bool) -> Answer:
    asked: dict[str, Any] = {
        "model": "claude-haiku-4-5",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": WEATHER if with_tools else STORY}],
    }
    if with_tools:
        asked["tools"] = [{"name": "get_weather", "description": ABOUT, "input_schema": SCHEMA}]
        asked["tool_choice"] = {"type": "tool", "name": "get_weather"}
    answer = Answer()
    with anthropic.Anthropic(base_url=url, api_key="sk-ant-test", max_retries=0) as client:
        if is_streaming:
            calls: dict[int, str] = {}
            for event in client.messages.create(**asked, stream=True):
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    answer.text += event.delta.text
                elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                    calls[event.index] = calls.get(event.index, "") + event.delta.partial_json
                elif event.type == "message_delta":
                    answer.finish = event.delta.stop_reason
            answer.calls = list(calls.values())
            return answer
        message = client.messages.create(**asked)
    answer.finish = message.stop_reason
    answer.text = "".join(block.text for block in message.content if block.type == "text")
    answer.calls = [json.dumps(block.input) for block in message.content if block.type == "tool_use"]
    return answer


def _genai(url: str, *, with_tools: bool, is_streaming: bool) -> Answer:
    asked: dict[str, Any] = {"model": "gemini-2.5-flash", "contents": WEATHER if with_tools else STORY}
    if with_tools:
        tool = types.FunctionDeclaration(name="get_weather", description=ABOUT, parameters_json_schema=SCHEMA)
        mode = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        asked["config"] = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[tool])],
            tool_config=types.ToolConfig(function_calling_config=mode),
        )
    answer = Answer()
    with genai.Client(api_key="AIza-test", http_options=types.HttpOptions(base_url=url)) as client:
        ask = client.models.generate_content_stream if is_streaming else client.models.generate_content
        made: Any = ask(**asked)
        for reply in made if is_streaming else [made]:
            for candidate in reply.candidates or []:
                answer.finish = candidate.finish_reason.name if candidate.finish_reason else answer.finish
                for part in (candidate.content.parts or []) if candidate.content else []:
                    answer.text += part.text or ""
                    if part.function_call:
                        answer.calls.append(json.dumps(part.function_call.args))
    return answer


def _boto3(url: str, *, with_tools: bool, is_streaming: bool) -> Answer:
    asked: dict[str, Any] = {
        "modelId": "us.amazon.nova-lite-v1:0",
        "messages": [{"role": "user", "content": [{"text": WEATHER if with_tools else STORY}]}],
    }
    if with_tools:
        tool = {"name": "get_weather", "description": ABOUT, "inputSchema": {"json": SCHEMA}}
        asked["toolConfig"] = {"tools": [{"toolSpec": tool}], "toolChoice": {"any": {}}}
    answer = Answer()
    session = boto3.session.Session(aws_access_key_id="dummy", aws_secret_access_key="dummy")
    with contextlib.closing(session.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url)) as client:
        if is_streaming:
            calls: dict[int, str] = {}
            for event in client.converse_stream(**asked)["stream"]:
                block = event.get("contentBlockDelta", {})
                delta = block.get("delta", {})
                answer.text += delta.get("text", "")
                if "toolUse" in delta:
                    at = block["contentBlockIndex"]
                    calls[at] = calls.get(at, "") + delta["toolUse"]["input"]
                answer.finish = event.get("messageStop", {}).get("stopReason", answer.finish)
            answer.calls = list(calls.values())
            return answer
        reply = client.converse(**asked)
    answer.finish = reply["stopReason"]
    for block in reply["output"]["message"]["content"]:
        answer.text += block.get("text", "")
        if "toolUse" in block:
            answer.calls.append(json.dumps(block["toolUse"]["input"]))
    return answer


PYTHON: dict[str, Callable[..., Answer]] = {
    clients.OPENAI_PYTHON: _openai,
    clients.ANTHROPIC_PYTHON: _anthropic,
    clients.GENAI_PYTHON: _genai,
    clients.BOTO3: _boto3,
}


def read(client: str, urls: dict[str, str]) -> dict[tuple[str, str], Answer]:
    """What one SDK finds in the answers of proxies: by a name of the test's own and mode (whole, stream).

    Proxies whose name begins with "tool" are asked for a tool call.
    """
    if client in PYTHON:
        return {
            (name, mode): PYTHON[client](url, with_tools=name.startswith("tool"), is_streaming=mode == "stream")
            for name, url in urls.items()
            for mode in ("whole", "stream")
        }
    lines = javascript({"client": client, "urls": urls})
    return {(line.pop("name"), line.pop("mode")): Answer(**line) for line in lines}


def javascript(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs the driver of the JavaScript SDKs."""
    modules = os.environ.get("SDK_NODE_MODULES", str(ROOT / "tests" / "wire" / "node_modules"))
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "javascript" / "streams.mjs"), json.dumps(asked)],
        env={**os.environ, "SDK_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
