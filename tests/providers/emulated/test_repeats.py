"""Replies that are given again: when, to whom, with which head, and how many are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from providers.base import EMULATED
from providers.emulated import repeats
from providers.emulated.base import EmulatedReply, EmulatedRequest, Emulator, respond
from providers.emulated.canned_grammar import read_replies
from providers.emulated.desk import Desk
from providers.emulated.registry import get_emulator
from providers.emulated.repeats import Repeats, SeenHeaders, respond_again
from providers.registry import get_provider
from tests.providers.emulated.asking import KEYS, NOW, header, whole

CHAT = "/v1/chat/completions"
LONG = "word " * 2000
PROMPTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": (CHAT, {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}),
    "anthropic": (
        "/v1/messages",
        {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "azure_openai": (
        "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21",
        {"messages": [{"role": "user", "content": "Hi"}]},
    ),
    "bedrock": (
        "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse",
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
    ),
    "vertex_ai": (
        "/v1beta/models/gemini-2.5-flash:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    ),
}
STREAMS = {
    **{name: (PROMPTS[name][0], PROMPTS[name][1] | {"stream": True}) for name in ("openai", "anthropic")},
    "azure_openai": (PROMPTS["azure_openai"][0], PROMPTS["azure_openai"][1] | {"stream": True}),
    "bedrock": (PROMPTS["bedrock"][0] + "-stream", PROMPTS["bedrock"][1]),
    "vertex_ai": ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", PROMPTS["vertex_ai"][1]),
}


class Counting(Emulator):
    """The genuine emulator of a provider, and how often it was asked."""

    def __init__(self, provider: str) -> None:
        self._emulator = get_emulator(provider)
        self.asked = 0

    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        self.asked += 1
        return self._emulator.answer(request, desk)

    def error(self, request: EmulatedRequest, status: int, message: str | None, **more: str | None) -> EmulatedReply:
        return self._emulator.error(request, status, message, type=more["type"], code=more["code"])


def ask(provider: str, target: str, body: Any, number: int = 0, **headers: str) -> EmulatedRequest:
    """The request for the `number`th time: its id and its moment are its own."""
    path, _, query = target.encode().partition(b"?")
    speaks = get_provider(provider)
    call = speaks.match("POST", speaks.upstream_path(speaks.match("POST", path), EMULATED))
    given = {"content-type": "application/json"} | KEYS[provider] | {n.replace("_", "-"): v for n, v in headers.items()}
    fields = {name.encode(): value.encode() for name, value in given.items()}
    request_id = f"01997a00-0000-7000-8000-{number:012x}"
    return EmulatedRequest("POST", call, query, fields, orjson.dumps(body), NOW + 61 * number, request_id)


def asked_thrice(desk: Desk, provider: str, target: str, body: Any) -> tuple[Counting, list[EmulatedReply]]:
    emulator = Counting(provider)
    return emulator, [respond_again(emulator, ask(provider, target, body, number), desk) for number in range(3)]


@pytest.mark.parametrize("asked", [PROMPTS, STREAMS], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", PROMPTS)
def test_the_third_time_a_request_comes_its_reply_is_not_made_again(
    provider: str, asked: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    emulator, replies = asked_thrice(Desk(), provider, *asked[provider])
    fresh = respond(get_emulator(provider), ask(provider, *asked[provider], 2), Desk())
    assert emulator.asked == 2
    assert {whole(reply) for reply in replies} == {whole(fresh)}
    assert replies[2].headers == fresh.headers
    assert replies[2].headers != replies[1].headers
    for member in ("status", "tokens", "delay_s", "is_repeatable", "usage"):
        assert getattr(replies[2], member) == getattr(fresh, member), member


def test_another_header_that_decides_gets_another_reply() -> None:
    desk, emulator = Desk(), Counting("openai")
    for number in range(3):
        respond_again(emulator, ask("openai", *PROMPTS["openai"], number), desk)
    other = ask("openai", *PROMPTS["openai"], 3, authorization="")
    assert respond_again(emulator, other, desk).status == 401
    assert respond_again(emulator, ask("openai", *PROMPTS["openai"], 4, authorization="Bearer x"), desk).status == 200


def test_headers_that_nobody_looks_at_do_not_matter() -> None:
    desk, emulator = Desk(), Counting("openai")
    for number in range(5):
        respond_again(emulator, ask("openai", *PROMPTS["openai"], number, traceparent=str(number)), desk)
    assert emulator.asked == 2


@pytest.mark.parametrize(
    "more",
    [
        {"store": True},
        {"messages": [{"role": "user", "content": LONG}]},
        {"model": 7},
    ],
    ids=["stored", "prompt cache", "refused"],
)
def test_what_depends_on_requests_before_is_made_anew(more: dict[str, Any]) -> None:
    emulator, _ = asked_thrice(Desk(), "openai", CHAT, PROMPTS["openai"][1] | more)
    assert emulator.asked == 3


def test_the_prompt_cache_is_asked_each_time() -> None:
    body = PROMPTS["openai"][1] | {"messages": [{"role": "user", "content": LONG}]}
    _, replies = asked_thrice(Desk(), "openai", CHAT, body)
    cached = [orjson.loads(whole(reply))["usage"]["prompt_tokens_details"]["cached_tokens"] for reply in replies]
    assert cached[0] == 0 < cached[1] == cached[2]


def test_canned_replies_that_count_their_calls_are_made_anew() -> None:
    canned = read_replies([{"match": {"nth": 4}, "reply": {"text": "fourth"}}, {"reply": {"text": "other"}}])
    desk, emulator = Desk(canned=canned), Counting("openai")
    replies = [respond_again(emulator, ask("openai", *PROMPTS["openai"], number), desk) for number in range(5)]
    said = [orjson.loads(whole(reply))["choices"][0]["message"]["content"] for reply in replies]
    assert said == ["other", "other", "other", "fourth", "other"]


def test_a_changed_desk_forgets_the_replies_made_before() -> None:
    desk = Desk()
    emulator, _ = asked_thrice(desk, "openai", *PROMPTS["openai"])
    desk.change(is_strict=False, canned=read_replies([{"reply": {"text": "canned"}}]))
    reply = respond_again(emulator, ask("openai", *PROMPTS["openai"], 3), desk)
    assert orjson.loads(whole(reply))["choices"][0]["message"]["content"] == "canned"


def test_a_reply_names_each_request_by_its_own_id() -> None:
    _, replies = asked_thrice(Desk(), "openai", *PROMPTS["openai"])
    assert len({header(reply, "x-request-id") for reply in replies}) == 3


# --- the bounds


def reply_of(size: int) -> EmulatedReply:
    return EmulatedReply(200, [], b"x" * size, make_headers=lambda request: [])


def key_of(name: str) -> tuple[str, bytes, bytes, bytes]:
    return ("POST", b"/", b"", name.encode())


def has(kept: Repeats, name: str) -> bool:
    request = ask("openai", *PROMPTS["openai"])
    return kept.find(key_of(name), request) is not None


def test_the_replies_asked_for_longest_ago_are_forgotten() -> None:
    kept = Repeats(max_replies=2)
    for name in ("a", "b"):
        kept.keep(key_of(name), {}, reply_of(1))
    assert has(kept, "a")
    kept.keep(key_of("c"), {}, reply_of(1))
    assert (has(kept, "a"), has(kept, "b"), has(kept, "c"), len(kept)) == (True, False, True, 2)


def test_all_replies_together_keep_within_their_bytes() -> None:
    kept = Repeats(max_bytes=100_000)
    for number in range(100):
        kept.keep(key_of(str(number)), {}, reply_of(4000))
    assert len(kept) == 100_000 // (4000 + repeats.ENTRY_BYTES + 2)
    kept.keep(key_of("large"), {}, reply_of(50_000))
    assert not has(kept, "large")


def test_a_reply_kept_twice_counts_once() -> None:
    kept = Repeats(max_bytes=100_000)
    for _ in range(100):
        kept.keep(key_of("same"), {}, reply_of(4000))
    kept.keep(key_of("other"), {}, reply_of(4000))
    assert (len(kept), has(kept, "same")) == (2, True)


def test_requests_that_came_once_are_forgotten_by_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_MOST_MARKS", 2)
    kept = Repeats()
    assert [kept.has_come(key_of(name)) for name in ("a", "a", "b", "c", "a")] == [False, True, False, False, False]


# --- the headers that were looked at


def test_headers_note_what_was_asked_for_and_whether_it_was_there() -> None:
    headers = SeenHeaders({b"a": b"1", b"b": b"2", b"c": b"3"})
    assert (headers[b"a"], headers.get(b"b"), headers.get(b"x"), headers.get(b"y", b"-")) == (b"1", b"2", None, b"-")
    assert b"c" in headers
    assert b"z" not in headers
    with pytest.raises(KeyError):
        headers[b"w"]
    assert headers.seen == {b"a": b"1", b"b": b"2", b"c": b"3", b"x": None, b"y": None, b"z": None, b"w": None}
    assert not headers.were_listed


def test_headers_note_that_all_of_them_were_looked_at() -> None:
    for look in (lambda h: {**h}, list, len, lambda h: [*h.items()]):
        headers = SeenHeaders({b"a": b"1"})
        assert look(headers)
        assert headers.were_listed


def test_a_reply_that_went_by_all_headers_is_made_anew() -> None:
    class Echo(Counting):
        def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
            self.asked += 1
            return EmulatedReply(200, [], repr(dict(request.headers)).encode(), make_headers=lambda again: [])

    desk, emulator = Desk(), Echo("openai")
    request = ask("openai", *PROMPTS["openai"])
    for number in range(3):
        respond_again(emulator, replace(request, headers={b"number": b"%d" % number}), desk)
    assert emulator.asked == 3
