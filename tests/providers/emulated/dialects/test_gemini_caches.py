from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from providers.emulated.dialects.google_times import moment
from tests.providers.emulated.asking import Asker
from tests.providers.emulated.google_asking import BOTH, FLASH, GEMINI, LOCATION, VERTEX, message_of, says

LONG = "The duck swims on the pond. " * 300
HOMES = {GEMINI: "/v1beta", VERTEX: LOCATION}


def body(**more: Any) -> dict[str, Any]:
    return {"model": f"models/{FLASH}", **says(LONG), **more}


@pytest.mark.parametrize("base", BOTH)
def test_a_cache_lives_from_its_making_to_its_end(base: str) -> None:
    asker = Asker("vertex_ai")
    home = HOMES[base]
    made = asker.json("POST", f"{home}/cachedContents", body(displayName="ducks", ttl="600s"))
    types.CachedContent.model_validate(made)
    path = f"{home}/cachedContents/{made['name'].rpartition('/')[2]}"
    assert made["name"].startswith("projects/p/" if base is VERTEX else "cachedContents/")
    assert (moment(made["expireTime"]) or 0) - (moment(made["createTime"]) or 0) == 600
    assert asker.json("GET", path) == made
    assert asker.json("GET", f"{home}/cachedContents")["cachedContents"] == [made]
    later = asker.json("PATCH", path + "?updateMask=ttl", {"ttl": "1200.5s"})
    assert later["expireTime"] > made["expireTime"]
    reply = asker.json("POST", f"{base}{FLASH}:generateContent", says("What swims?", cachedContent=made["name"]))
    usage = reply["usageMetadata"]
    assert usage["cachedContentTokenCount"] == made["usageMetadata"]["totalTokenCount"] < usage["promptTokenCount"]
    assert asker.json("DELETE", path) == {}
    assert asker.send("GET", path).status == (404 if base is VERTEX else 403)
    assert "cachedContents" not in asker.json("GET", f"{home}/cachedContents")


def test_each_service_sees_its_own() -> None:
    asker = Asker("vertex_ai")
    asker.json("POST", "/v1beta/cachedContents", body())
    assert asker.json("GET", f"{LOCATION}/cachedContents") == {}


def test_a_cache_brings_its_tools_and_instruction() -> None:
    asker = Asker("vertex_ai")
    made = asker.json(
        "POST",
        "/v1beta/cachedContents",
        body(
            systemInstruction={"parts": [{"text": "Be kind."}]},
            tools=[{"functionDeclarations": [{"name": "find_duck"}]}],
            toolConfig={"functionCallingConfig": {"mode": "ANY"}},
        ),
    )
    reply = asker.json("POST", f"{GEMINI}{FLASH}:generateContent", says("Find it.", cachedContent=made["name"]))
    assert reply["candidates"][0]["content"]["parts"][0]["functionCall"]["name"] == "find_duck"


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (GEMINI, "CachedContent can not be used with GenerateContent request setting system_instruction, tools or"),
        (
            VERTEX,
            "Tool config, tools and system instruction should not be set in the request when using cached content.",
        ),
    ],
)
def test_what_a_cache_brings_is_not_said_again(base: str, message: str) -> None:
    request = says("Hi", cachedContent="cachedContents/x", systemInstruction={"parts": [{"text": "Be kind."}]})
    assert message_of(Asker("vertex_ai").send("POST", f"{base}{FLASH}:generateContent", request), 400).startswith(
        message
    )


@pytest.mark.parametrize(
    ("base", "status", "message"),
    [
        (GEMINI, 403, "CachedContent not found (or permission denied)"),
        (VERTEX, 404, "Not found: cached content metadata for x."),
    ],
)
def test_a_cache_that_is_not_there_is_refused(base: str, status: int, message: str) -> None:
    reply = Asker("vertex_ai").send(
        "POST", f"{base}{FLASH}:generateContent", says("Hi", cachedContent="cachedContents/x")
    )
    assert message_of(reply, status) == message


def test_a_cache_is_gone_when_its_time_is_over() -> None:
    asker = Asker("vertex_ai")
    made = asker.json("POST", "/v1beta/cachedContents", body(ttl="1.5s"))  # each request comes a second later
    assert asker.send("GET", f"/v1beta/{made['name']}").status == 200
    assert asker.send("GET", f"/v1beta/{made['name']}").status == 403


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"contents": says(LONG)["contents"]}, "model is not specified"),
        (says("Hi", model="m"), "Cached content is too small. total_token_count="),
        (body(ttl="5"), "duration must end with 's'"),
        (body(ttl="5s", expireTime="2999-01-01T00:00:00Z"), "Only one of ttl and expire_time"),
        (body(expireTime="soon"), "Illegal timestamp format"),
        (body(expireTime="2001-01-01T00:00:00Z"), "expire_time must be in the future."),
    ],
)
def test_what_cannot_be_cached_is_refused(given: dict[str, Any], message: str) -> None:
    assert message in message_of(Asker("vertex_ai").send("POST", "/v1beta/cachedContents", given), 400)


def test_only_the_end_can_be_changed() -> None:
    asker = Asker("vertex_ai")
    made = asker.json("POST", "/v1beta/cachedContents", body())
    assert "Only expire_time and ttl" in message_of(
        asker.send("PATCH", f"/v1beta/{made['name']}", {"displayName": "x"}), 400
    )
