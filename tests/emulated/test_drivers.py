"""Every official SDK, in every set-up and both generations, over emulated providers: what it gets parses, is the same
streamed and whole, is the same again, and fails as the genuine service does when a canned reply says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers.emulated.canned_grammar import read_replies
from tests.emulated.serving import EmulatedProxies, EmulatedProxy
from tests.wire.expectations import wrong_class
from tests.wire.sdks import SETUPS, Result, Setup, run_driver

_STATUSES = (400, 401, 403, 404, 429, 500, 529)
_FAILURES = [
    {"match": {"prompt_contains": f"please fail {status}"}, "reply": {"error": {"status": status}}}
    for status in _STATUSES
]
# What the stand-in does on request and a canned reply does not: damage.
_DAMAGED = {"stream_cut", "stream_error"}
# Sends no credentials at all, which AWS itself refuses.
_WITHOUT_CREDENTIALS = {"boto3-unsigned"}
_USABLE = [setup for setup in SETUPS if setup.name.removesuffix("-older") not in _WITHOUT_CREDENTIALS]
_SAME = (
    ("stream", "unary"),
    ("stream_usage", "unary"),
    ("async_stream", "async_unary"),
    ("responses_stream", "responses"),
    ("invoke_stream", "invoke"),
    ("gzip_stream", "gzip"),
)


@pytest.fixture(scope="module")
def failing(emulated: EmulatedProxies) -> dict[str, EmulatedProxy]:
    """One proxy per provider that fails when the prompt asks for it."""
    canned = read_replies(_FAILURES)
    providers = {setup.provider for setup in SETUPS}
    return {provider: emulated.proxy(provider, canned=canned) for provider in sorted(providers)}


@pytest.mark.parametrize("setup", _USABLE, ids=str)
def test_an_sdk_works_with_the_emulated_provider(setup: Setup, failing: dict[str, EmulatedProxy]) -> None:
    proxy = failing[setup.provider]
    before = len(proxy.records.all)
    results = run_driver(setup, proxy.url, salt=f"for {setup}")
    for name in _DAMAGED:
        results.pop(name, None)
    assert {name: wrong for name, result in results.items() if (wrong := _wrong(setup, name, result))} == {}
    repeated = [name for name in results if name.endswith("_again")]
    assert repeated
    assert {name for name in repeated if _told(results[name]) != _told(results[name.removesuffix("_again")])} == set()
    for streamed, whole in _SAME:
        if streamed in results and whole in results:
            assert results[streamed]["text"] == results[whole]["text"] != "", streamed
    if results.get("stream_usage"):
        assert results["stream_usage"]["usage"] == results["unary"]["usage"]
    assert results["tool_stream"]["tool"]["name"] == results["tool"]["tool"]["name"]
    rows = [row for row in proxy.records.all[before:] if row["attempts"]]
    assert {row["endpoint"] for row in rows} == {"emulated"}


def test_a_request_without_credentials_is_refused_as_aws_does(failing: dict[str, EmulatedProxy]) -> None:
    setup = next(setup for setup in SETUPS if setup.name.removesuffix("-older") in _WITHOUT_CREDENTIALS)
    result = run_driver(setup, failing["bedrock"].url, "unary")["unary"]
    assert (result["error"]["status"], result["error"]["code"]) == (403, "MissingAuthenticationTokenException")


def _wrong(setup: Setup, name: str, result: Result) -> str | None:
    """What is not as it must be, None if nothing."""
    scenario = name.removesuffix("_again")
    if scenario.startswith("error"):
        return wrong_class(setup, result)
    if not result["ok"]:
        return f"raised {result['error']['class']}: {result['error']['text'][:500]}"
    if "tool" in result:
        tool = result["tool"]
        arguments = json.loads(tool["arguments"]) if isinstance(tool["arguments"], str) else tool["arguments"]
        if tool["name"] != "get_weather" or not isinstance(arguments["city"], str) or not arguments["city"]:
            return f"tool call {tool}"
    elif "text" in result and not result["text"] and scenario != "image":  # gpt-image revises no prompt
        return "no text"
    if "usage" in result and result["usage"] is not None and not any(_numbers(result["usage"])):
        return f"usage {result['usage']}"
    if "value" in result and result["value"] in (None, [], "", {}):
        return f"value {result['value']!r}"
    return None


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif type(value) is int:
        yield value


def _told(result: Result) -> Any:
    """What two calls of the same request must have in common."""
    return [result.get(field) for field in ("text", "tool", "value", "usage", "events")]
