from __future__ import annotations

import base64

import pytest

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.google_asking import BOTH, FLASH, GEMINI, VERTEX, generate, message_of, says

ASKER = Asker("vertex_ai")
BODIES = {
    "a text": says("How many tokens is this?"),
    "a conversation": {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Ho"}]},
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"text": "What?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "tools": [{"functionDeclarations": [{"name": "f", "description": "Does it."}]}],
    },
}


@pytest.mark.parametrize("base", BOTH)
@pytest.mark.parametrize("name", BODIES)
def test_the_count_is_what_usage_says(name: str, base: str) -> None:
    counted = ASKER.json("POST", f"{base}{FLASH}:countTokens", BODIES[name])
    usage = generate(BODIES[name], base)["usageMetadata"]
    assert counted["totalTokens"] == usage["promptTokenCount"] > 0
    assert counted["promptTokensDetails"] == usage["promptTokensDetails"]


def test_a_whole_request_may_be_counted() -> None:
    body = {"generateContentRequest": {"model": f"models/{FLASH}", **BODIES["a conversation"]}}
    plain = ASKER.json("POST", f"{GEMINI}{FLASH}:countTokens", BODIES["a conversation"])
    assert ASKER.json("POST", f"{GEMINI}{FLASH}:countTokens", body) == plain


def test_both_ways_at_once_are_refused() -> None:
    body = {"generateContentRequest": BODIES["a text"], **BODIES["a text"]}
    assert "only one of" in message_of(ASKER.send("POST", f"{GEMINI}{FLASH}:countTokens", body), 400)


def test_nothing_to_count_is_refused() -> None:
    assert "contents is not specified" in message_of(ASKER.send("POST", f"{GEMINI}{FLASH}:countTokens", {}), 400)


def test_vertex_counts_characters_too() -> None:
    counted = ASKER.json("POST", f"{VERTEX}{FLASH}:countTokens", says("a b c"))
    assert counted["totalBillableCharacters"] == 3


@pytest.mark.parametrize("body", [says("hello you there"), {"instances": [{"prompt": "hello you there"}]}])
def test_tokens_are_the_text_in_pieces(body: object) -> None:
    info = ASKER.json("POST", f"{VERTEX}{FLASH}:computeTokens", body)["tokensInfo"]
    assert [entry["role"] for entry in info] == ["user"]
    assert b"".join(base64.b64decode(token) for token in info[0]["tokens"]) == b"hello you there"
    assert len(info[0]["tokenIds"]) == len(info[0]["tokens"]) == 3
    assert all(number.isdigit() for number in info[0]["tokenIds"])
