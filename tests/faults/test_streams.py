"""What the official SDKs do when a stream is damaged, and what they find in an answer that is no good: each cell of the
documents' table is held here."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic import AsyncAnthropic
from botocore.exceptions import EventStreamError
from google import genai
from google.genai import errors, types
from openai import AsyncOpenAI

from proxies.dataplane.faults.clients import ANTHROPIC_JAVASCRIPT, MEETS, PATIENCE_S
from tests.emulated.serving import EmulatedProxies
from tests.faults.broken import (
    ASKED,
    JAVASCRIPT,
    PYTHON,
    AnthropicPython,
    Boto3,
    GenAIPython,
    OpenAIPython,
    Seen,
    meet_all,
)
from tests.faults.streams import Answer, javascript, read

ANSWER = "Hello! It is good to hear from you."
RESET, FIRST = "cut, reset", "stream_error, at once"
FAULTS: dict[str, list[Any]] = {
    "cut": [{"fault": "cut", "events": 3}],
    RESET: [{"fault": "cut", "events": 3, "reset": True}],
    "stall": [{"fault": "stall", "events": 3, "seconds": 2}],  # longer than the time-outs it meets
    "slow": [{"fault": "slow", "ttft": 0.05, "tokens_per_second": 100}],
    "stream_error": [{"fault": "stream_error", "events": 3}],
    FIRST: [{"fault": "stream_error", "events": 0}],
    "no_terminator": [{"fault": "no_terminator"}],
    "duplicate": [{"fault": "duplicate"}],
    "reorder": [{"fault": "reorder"}],
}
EDITS = ("refusal", "length_stop", "empty_content")
CLIENTS = [*PYTHON, *JAVASCRIPT]
CUT_AT = {"openai": "Hello!", "anthropic": "", "vertex_ai": "Hello! It", "bedrock": "Hello!"}  # after three events
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def provider_of(client: str) -> str:
    return PYTHON[client].provider if client in PYTHON else JAVASCRIPT[client]


# --- damaged streams


def raised(seen: Seen) -> str:
    name = seen.raised
    if name in ("Error", "TypeError"):  # then the class says nothing
        name = f"{name}: {seen.message}"
    return f"`{name}`"


def of_stall(seen: Seen) -> str:
    patience = PATIENCE_S[seen.client]
    if seen.raised is None and ANSWER in (seen.text, seen.returned):
        return "waits for ever"
    met = raised(seen) if seen.raised else "the stream ends early, unnoticed"
    if patience is None:
        return f"waits for ever; with a time-out {met}"
    return f"{met} after {f'{seen.attempts} attempts of ' if seen.attempts > 1 else ''}{patience} s"


def unnoticed(seen: Seen, text: str) -> bool:
    return seen.raised is None and seen.text == text


def table(seen: dict[tuple[str, str], Seen]) -> dict[str, str]:
    """The words for every fault of streams."""
    stream = {name: seen[name, "stream"] for name in FAULTS}
    patience = PATIENCE_S[stream["cut"].client]
    closed, reset = raised(stream["cut"]), raised(stream[RESET])
    stalled, held = of_stall(stream["stall"]), of_stall(seen["stall", "whole"])
    assert raised(stream[FIRST]) == raised(stream["stream_error"])
    assert unnoticed(stream["slow"], ANSWER)
    assert unnoticed(stream["duplicate"], ANSWER.replace(" It", " It It"))
    assert unnoticed(stream["reorder"], ANSWER.replace(" It is", " is It"))
    slow = "waits"
    if patience is not None:
        is_only_before = stalled == "waits for ever"
        slow += f"; {patience} s {'before its head are a hang' if is_only_before else 'without an event are a stall'}"
    is_cut_short = not unnoticed(stream["no_terminator"], ANSWER)
    assert not is_cut_short or unnoticed(stream["no_terminator"], ANSWER.removesuffix("."))
    return {
        "cut": f"{closed}, not retried" if closed == reset else f"closed: {closed}; reset: {reset}; not retried",
        "stall": stalled if stalled == held else f"{stalled}. A whole reply: {held}",
        "slow": slow,
        "stream_error": f"{raised(stream['stream_error'])}, not retried",
        "no_terminator": "unnoticed; the last piece of text is missing" if is_cut_short else "unnoticed",
        "duplicate": "takes the text twice",
        "reorder": "takes the text in the wrong order",
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_the_sdk_does_what_the_documents_say(emulated: EmulatedProxies, client: str) -> None:
    seen = meet_all(emulated, client, FAULTS, "stall")
    found = table(seen)
    if client == ANTHROPIC_JAVASCRIPT:
        url = emulated.proxy("anthropic", faults=FAULTS["no_terminator"]).url
        (final,) = javascript({"client": client, "final": url})
        found["no_terminator"] += f"; its `finalMessage()` raises `{final['raised']}`"
    assert {kind: MEETS[kind][client] for kind in found} == found
    # What came before the trouble was there to be read, and no stream is asked for twice.
    for name in ("cut", RESET, "stream_error"):
        assert seen[name, "stream"].text == CUT_AT[provider_of(client)]
        assert seen[name, "stream"].events == (2 if provider_of(client) == "anthropic" else 3)  # a ping is swallowed
    assert seen[FIRST, "stream"].events == 0
    assert {seen[name, "stream"].attempts for name in FAULTS} == {1}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_whole_reply_meets_none_of_the_faults_of_streams(emulated: EmulatedProxies, client: str) -> None:
    streamed = {name: rules for name, rules in FAULTS.items() if name not in ("stall", "slow")}
    rules = [rule for rules in streamed.values() for rule in rules]
    seen = meet_all(emulated, client, {"all": rules}, "")
    assert seen["all", "whole"].returned == ANSWER


def test_openai_has_the_words_of_the_error(emulated: EmulatedProxies) -> None:
    rules = [{"fault": "stream_error", "reason": "rate_limit", "message": "Slow down."}]
    sdk = OpenAIPython(emulated.proxy("openai", faults=rules).url, is_impatient=False)
    with pytest.raises(openai.APIError) as caught:
        list(sdk.stream())
    assert type(caught.value) is openai.APIError
    assert (caught.value.message, caught.value.code) == ("Slow down.", "rate_limit_exceeded")


def test_anthropic_has_the_type_of_the_error_and_a_status_of_200(emulated: EmulatedProxies) -> None:
    rules = [{"fault": "stream_error", "reason": "overloaded"}]
    sdk = AnthropicPython(emulated.proxy("anthropic", faults=rules).url, is_impatient=False)
    with pytest.raises(anthropic.APIStatusError) as caught:
        list(sdk.stream())
    assert type(caught.value) is anthropic.APIStatusError
    assert caught.value.status_code == 200
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "overloaded_error"


def test_genai_has_the_status_of_the_error(emulated: EmulatedProxies) -> None:
    rules = [{"fault": "stream_error", "status": 503}]
    sdk = GenAIPython(emulated.proxy("vertex_ai", faults=rules).url, is_impatient=False)
    with pytest.raises(errors.ServerError) as caught:
        list(sdk.stream())
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")


def test_boto3_has_the_code_of_the_exception(emulated: EmulatedProxies) -> None:
    rules = [{"fault": "stream_error", "reason": "throttling", "message": "Too many tokens."}]
    sdk = Boto3(emulated.proxy("bedrock", faults=rules).url, is_impatient=False)
    with pytest.raises(EventStreamError) as caught:
        list(sdk.stream())
    assert caught.value.response["Error"] == {"Code": "throttlingException", "Message": "Too many tokens."}


def test_anthropics_helper_takes_a_stream_without_its_end_for_whole(emulated: EmulatedProxies) -> None:
    url = emulated.proxy("anthropic", faults=FAULTS["no_terminator"]).url
    with anthropic.Anthropic(base_url=url, api_key="k") as client:
        with client.messages.stream(model="claude-haiku-4-5", max_tokens=200, messages=ASKED) as stream:
            assert stream.get_final_text() == ANSWER


# --- asynchronous clients


async def read_openai(url: str) -> None:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="k", timeout=openai.Timeout(60, read=0.4)) as client:
        async for _ in await client.chat.completions.create(model="gpt-4o-mini", messages=ASKED, stream=True):
            pass


async def read_anthropic(url: str) -> None:
    async with AsyncAnthropic(base_url=url, api_key="k", timeout=anthropic.Timeout(60, read=0.4)) as client:
        asked = client.messages.create(model="claude-haiku-4-5", max_tokens=200, messages=ASKED, stream=True)
        async for _ in await asked:
            pass


async def read_genai(url: str) -> None:
    options = types.HttpOptions(base_url=url, timeout=400)
    async with genai.Client(api_key="k", http_options=options).aio as client:
        async for _ in await client.models.generate_content_stream(model="gemini-2.5-flash", contents="Say hello."):
            pass


ASYNC: dict[str, tuple[str, Any, dict[str, type[Exception]]]] = {
    "openai": (
        "openai",
        read_openai,
        {"cut": openai.APIConnectionError, "stall": openai.APITimeoutError, "stream_error": openai.APIError},
    ),
    "anthropic": (
        "anthropic",
        read_anthropic,
        {"cut": httpx2.RemoteProtocolError, "stall": httpx2.ReadTimeout, "stream_error": anthropic.APIStatusError},
    ),
    "genai": (
        "vertex_ai",
        read_genai,
        {"cut": httpx2.RemoteProtocolError, "stall": httpx2.ReadTimeout, "stream_error": errors.ServerError},
    ),
}


@pytest.mark.parametrize("kind", ["cut", "stall", "stream_error"])
@pytest.mark.parametrize("sdk", ASYNC)
async def test_the_asynchronous_client_raises_the_same(emulated: EmulatedProxies, sdk: str, kind: str) -> None:
    provider, read_all, raises = ASYNC[sdk]
    with pytest.raises(raises[kind]) as caught:
        await read_all(emulated.proxy(provider, faults=FAULTS[kind]).url)
    assert type(caught.value) is raises[kind]


# --- answers that are no good


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def of_answer(edited: Answer, genuine: Answer) -> str:
    if edited.refusal:
        said = "`refusal` holds the words"
    elif not edited.text:
        said = "no text"
    elif genuine.text.startswith(edited.text):
        share = len(edited.text) / len(genuine.text)
        said = "half of the text" if 0.4 < share < 0.6 else f"{share:.0%} of the text"
    else:
        said = "other words"
    return f"{said}, finished by `{edited.finish}`"


def of_call(edited: Answer, genuine: Answer) -> str:
    (spoilt,), (sound,) = edited.calls, genuine.calls
    assert json.loads(sound) == {"city": "Paris"}
    if not is_json(spoilt):
        return "arguments that are no JSON"
    assert not isinstance(json.loads(spoilt).get("city"), str)
    return "arguments of the wrong type"


@pytest.mark.parametrize("client", CLIENTS)
def test_the_answer_reads_as_the_documents_say(emulated: EmulatedProxies, client: str) -> None:
    rules = {
        **{kind: [{"fault": kind}] for kind in EDITS},
        "plain": [],
        "tool spoilt": [{"fault": "invalid_tool_arguments"}],
        "tool": [],
    }
    urls = {name: emulated.proxy(provider_of(client), faults=faults).url for name, faults in rules.items()}
    seen = read(client, urls)
    found = {}
    for kind in EDITS:
        whole, stream = (of_answer(seen[kind, mode], seen["plain", mode]) for mode in ("whole", "stream"))
        assert whole == stream
        found[kind] = whole
    whole, stream = (of_call(seen["tool spoilt", mode], seen["tool", mode]) for mode in ("whole", "stream"))
    found["invalid_tool_arguments"] = whole if whole == stream else f"{whole}; in a stream {stream}"
    assert {kind: MEETS[kind][client] for kind in found} == found
