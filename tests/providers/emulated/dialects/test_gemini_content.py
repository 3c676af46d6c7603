from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from google.genai import types

from providers.base import BodyFacts
from providers.emulated.base import EmulatedReply
from providers.emulated.canned_grammar import read_replies
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.google_asking import BOTH, FLASH, GEMINI, VERTEX, generate, says, stream

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
TOOLS = [{"functionDeclarations": [{"name": "get_weather", "description": "Weather", "parametersJsonSchema": SCHEMA}]}]
ANY = {"functionCallingConfig": {"mode": "ANY"}}
CASES = {
    "prose": says("Tell me something about ducks."),
    "a tool": says("What is the weather in Paris?", tools=TOOLS, toolConfig=ANY),
    "thoughts": says("How many ducks?", generationConfig={"thinkingConfig": {"includeThoughts": True}}),
    "json": says(
        "Which city?", generationConfig={"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    ),
    "an enumeration": says(
        "Which?",
        generationConfig={
            "responseMimeType": "text/x.enum",
            "responseSchema": {"type": "STRING", "enum": ["cat", "dog"]},
        },
    ),
    "three candidates": says("Hi", generationConfig={"candidateCount": 3}),
    "a picture": says("Draw a duck.", generationConfig={"responseModalities": ["TEXT", "IMAGE"]}),
    "speech": says("Say: quack.", generationConfig={"responseModalities": ["AUDIO"]}),
    "few tokens": says("Tell me a long story.", generationConfig={"maxOutputTokens": 3}),
    "logarithms": says("Hi", generationConfig={"responseLogprobs": True, "logprobs": 3}),
}


def assembled(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """A stream's chunks as the one reply they stand for."""
    candidates: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for candidate in chunk["candidates"]:
            kept = candidates.setdefault(candidate["index"], {"parts": []})
            for part in candidate["content"].get("parts", ()):
                last = kept["parts"][-1] if kept["parts"] else {}
                if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
                    last["text"] += part["text"]
                    last.update({name: value for name, value in part.items() if name != "text"})
                else:
                    kept["parts"].append(dict(part))
            kept |= {name: value for name, value in candidate.items() if name not in ("content", "index")}
    made = [
        {"content": {"role": "model", "parts": kept.pop("parts")}, **kept, "index": index}
        for index, kept in sorted(candidates.items())
    ]
    return {**chunks[-1], "candidates": made}


@pytest.mark.parametrize("model", [FLASH, "gemini-3-pro-preview"])
@pytest.mark.parametrize("base", BOTH)
@pytest.mark.parametrize("case", CASES)
def test_replies_are_the_sdks_type_and_a_stream_is_the_same_in_pieces(case: str, base: str, model: str) -> None:
    made = generate(CASES[case], base, model)
    # The SDK's types forbid fields they do not know.
    types.GenerateContentResponse.model_validate(made)
    chunks = stream(CASES[case], base, model)
    for chunk in chunks:
        types.GenerateContentResponse.model_validate(chunk)
        assert chunk["usageMetadata"]["promptTokenCount"] == made["usageMetadata"]["promptTokenCount"]
    assert assembled(chunks) == made
    assert [chunk for chunk in chunks if "finishReason" in chunk["candidates"][0]][-1] is chunks[-1]


@pytest.mark.parametrize("base", BOTH)
def test_the_same_request_gets_the_same_bytes(base: str) -> None:
    asker = Asker("vertex_ai")
    replies = {whole(asker.send("POST", f"{base}{FLASH}:generateContent", CASES["prose"])) for _ in range(3)}
    assert len(replies) == 1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse"])
def test_usage_adds_up_and_is_what_the_log_reads(verb: str, case: str) -> None:
    usage = generate(CASES[case])["usageMetadata"]
    written = usage.get("candidatesTokenCount", 0)
    thoughts = usage.get("thoughtsTokenCount", 0)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + written + thoughts
    reply = Asker("vertex_ai").send("POST", f"{GEMINI}{FLASH}:{verb}", CASES[case])
    call = PROVIDER.match("POST", f"{GEMINI}{FLASH}:{verb.partition('?')[0]}".encode())
    reader = PROVIDER.usage_reader(call, BodyFacts(is_streaming="stream" in verb), reply.status, reply.headers)
    assert reader is not None
    reader.feed(whole(reply))
    read = reader.finish()
    assert reader.is_whole
    assert (read.input_tokens, read.output_tokens) == (usage["promptTokenCount"], written + thoughts)
    assert read.model == FLASH


def test_without_events_a_stream_is_one_array_in_pieces() -> None:
    reply = Asker("vertex_ai").send("POST", f"{GEMINI}{FLASH}:streamGenerateContent", CASES["prose"])
    assert isinstance(reply.body, list)
    assert header(reply, "content-type") == "application/json; charset=UTF-8"
    assert reply.body[0].data.startswith(b"[{")
    assert all(frame.data.startswith(b",\r\n{") for frame in reply.body[1:-1])
    assert reply.body[-1].data == b"]"
    assert orjson.loads(whole(reply)) == stream(CASES["prose"])


def test_every_piece_of_text_is_a_frame_of_one_token() -> None:
    reply = Asker("vertex_ai").send("POST", f"{GEMINI}{FLASH}:streamGenerateContent?alt=sse", CASES["prose"])
    assert header(reply, "content-type") == "text/event-stream"
    assert [frame.tokens for frame in reply.body if not isinstance(frame, int)] == [1] * len(reply.body)
    assert len(reply.body) == generate(CASES["prose"])["usageMetadata"]["candidatesTokenCount"]


def test_a_function_is_called_with_arguments_that_fit() -> None:
    candidate = generate(CASES["a tool"])["candidates"][0]
    call = candidate["content"]["parts"][0]["functionCall"]
    assert call["name"] == "get_weather"
    assert set(call["args"]) >= {"city", "days"}
    assert type(call["args"]["days"]) is int
    assert candidate["finishReason"] == "STOP"
    assert "id" not in call


def test_gemini_3_signs_its_first_call_and_gives_ids() -> None:
    part = generate(CASES["a tool"], model="gemini-3-pro-preview")["candidates"][0]["content"]["parts"][0]
    assert len(part["functionCall"]["id"]) == 8
    assert base64.b64decode(part["thoughtSignature"], validate=True)


def test_an_agents_loop_ends() -> None:
    part = generate(CASES["a tool"], model="gemini-3-pro-preview")["candidates"][0]["content"]["parts"][0]
    response = {"name": "get_weather", "id": part["functionCall"]["id"], "response": {"output": "17 degrees"}}
    contents = [
        *CASES["a tool"]["contents"],
        {"role": "model", "parts": [part]},
        {"role": "user", "parts": [{"functionResponse": response}]},
    ]
    made = generate({"contents": contents, "tools": TOOLS}, model="gemini-3-pro-preview")
    assert "text" in made["candidates"][0]["content"]["parts"][0]


def test_thoughts_come_first_and_are_counted_apart() -> None:
    made = generate(CASES["thoughts"])
    parts = made["candidates"][0]["content"]["parts"]
    assert [part.get("thought", False) for part in parts] == [True, False]
    assert made["usageMetadata"]["thoughtsTokenCount"] > 0
    assert parts[1]["thoughtSignature"]


def test_too_few_tokens_end_it() -> None:
    made = generate(CASES["few tokens"])
    assert made["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert made["usageMetadata"]["candidatesTokenCount"] <= 3


def test_json_fits_its_schema() -> None:
    found = orjson.loads(generate(CASES["json"])["candidates"][0]["content"]["parts"][0]["text"])
    assert type(found["city"]) is str
    assert type(found["days"]) is int


def test_an_enumeration_is_answered_bare() -> None:
    assert generate(CASES["an enumeration"])["candidates"][0]["content"]["parts"][0]["text"] in ("cat", "dog")


def test_candidates_are_numbered() -> None:
    assert [candidate["index"] for candidate in generate(CASES["three candidates"])["candidates"]] == [0, 1, 2]


def test_logarithms_are_given_for_every_token() -> None:
    candidate = generate(CASES["logarithms"])["candidates"][0]
    result = candidate["logprobsResult"]
    text = candidate["content"]["parts"][0]["text"]
    assert "".join(chosen["token"] for chosen in result["chosenCandidates"]) == text
    assert all(len(top["candidates"]) == 3 for top in result["topCandidates"])
    assert all(top["candidates"][0] == chosen for top, chosen in zip(
        result["topCandidates"], result["chosenCandidates"], strict=True))  # fmt: skip


def test_vertex_tells_when_it_was_made_and_gemini_does_not() -> None:
    vertex, gemini = generate(CASES["prose"], VERTEX), generate(CASES["prose"], GEMINI)
    assert vertex["createTime"].endswith("Z")
    assert vertex["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert "createTime" not in gemini
    assert "trafficType" not in gemini["usageMetadata"]


def test_tokens_are_told_by_modality() -> None:
    body = {
        "contents": [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"text": "What?"}]}
        ]
    }
    usage = generate(body)["usageMetadata"]
    details = {entry["modality"]: entry["tokenCount"] for entry in usage["promptTokensDetails"]}
    assert details.keys() == {"TEXT", "IMAGE"}
    assert sum(details.values()) == usage["promptTokenCount"]


# --- canned replies

CANNED = read_replies(
    [
        {"match": {"prompt_contains": "bomb"}, "reply": {"text": "I will not.", "finish": "refusal"}},
        {"match": {"prompt_contains": "wonder"}, "reply": {"thinking": "I wonder.", "text": ""}},
        {
            "match": {"prompt_contains": "call"},
            "reply": {
                "text": "One moment.",
                "tool_calls": [{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}],
            },
        },
        {"match": {"prompt_contains": "slow"}, "reply": {"chunks": [{"text": "a"}, {"text": "b", "delay_s": 1.5}]}},
        {"match": {"prompt_contains": "fail"}, "reply": {"error": {"status": 429, "message": "Slower."}}},
    ]
)


def canned(text: str, verb: str = "generateContent") -> EmulatedReply:
    return Asker("vertex_ai", canned=CANNED).send("POST", f"{GEMINI}{FLASH}:{verb}", says(text))


@pytest.mark.parametrize("text", ["a bomb", "a wonder", "a call"])
def test_a_canned_reply_is_the_same_in_pieces(text: str) -> None:
    made = orjson.loads(whole(canned(text)))
    types.GenerateContentResponse.model_validate(made)
    assert assembled(orjson.loads(whole(canned(text, "streamGenerateContent")))) == made


def test_a_refusal_ends_for_safety() -> None:
    candidate = orjson.loads(whole(canned("a bomb")))["candidates"][0]
    assert candidate["finishReason"] == "SAFETY"
    assert candidate["safetyRatings"][0]["blocked"] is True


def test_calls_come_after_the_text() -> None:
    parts = orjson.loads(whole(canned("a call")))["candidates"][0]["content"]["parts"]
    assert [next(iter(part)) for part in parts] == ["text", "functionCall", "functionCall"]
    assert [part["functionCall"]["args"] for part in parts[1:]] == [{"a": 1}, {}]


def test_waits_are_kept() -> None:
    assert canned("be slow").delay_s == 1.5
    frames = canned("be slow", "streamGenerateContent?alt=sse").body
    assert isinstance(frames, list)
    assert [frame.delay_s for frame in frames] == [0, 1.5]


def test_a_canned_error_is_googles() -> None:
    assert orjson.loads(whole(canned("please fail")))["error"] == {
        "code": 429,
        "message": "Slower.",
        "status": "RESOURCE_EXHAUSTED",
    }
    wrapped = orjson.loads(whole(canned("please fail", "streamGenerateContent")))
    assert [entry["error"]["code"] for entry in wrapped] == [429]
