"""A replay miss says which recording comes nearest and where it differs, and keeps no value to say so."""

from __future__ import annotations

from typing import Any

import orjson

from proxies.dataplane.nearest import Digester, Digests, describe_miss, find_nearest
from proxies.dataplane.stores.base import RecordingSummary

INSTALLATION = b"i" * 32
BODY: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "temperature": 0.2,
    "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "planted-prompt"}],
}


def digests(
    body: Any = BODY, *, path: bytes = b"/v1/chat", query: bytes = b"", version: bytes = b"1", key: bytes = INSTALLATION
) -> Digests:
    return Digester(key).digests(path, query, [(b"x-version", version)], body, b"raw")


def by_pointer(found: Digests) -> dict[str, str]:
    pairs: dict[str, str] = orjson.loads(found)
    return pairs


def summary(found: Digests, prompt_hash: str = "ab" * 32, recorded_at: float = 1_790_000_000.0) -> RecordingSummary:
    return RecordingSummary("chat", "gpt-4o-mini", prompt_hash, recorded_at, found)


def differing(body: Any, **changes: Any) -> tuple[str, ...]:
    nearest = find_nearest(digests(body, **changes), [summary(digests())])
    assert nearest is not None
    return nearest.pointers


def test_the_pointers_at_which_a_request_differs_are_named() -> None:
    changed = {**BODY, "temperature": 0.3, "messages": [BODY["messages"][0], {"role": "user", "content": "other"}]}
    assert differing(changed) == ("/temperature", "/messages/1/content")


def test_what_is_missing_or_new_is_named() -> None:
    added = {**BODY, "seed": 1}
    del added["temperature"]
    assert differing(added) == ("/seed", "/temperature")


def test_path_query_and_headers_are_named_too() -> None:
    assert differing(BODY, path=b"/v1/other", query=b"a=1", version=b"2") == ("path", "query", "header x-version")


def test_an_equal_request_differs_nowhere() -> None:
    assert differing(orjson.loads(orjson.dumps(BODY, option=orjson.OPT_SORT_KEYS))) == ()


def test_pointers_are_escaped_as_rfc_6901_says() -> None:
    assert differing({**BODY, "a/b": {"c~d": 1}}) == ("/a~1b/c~0d",)


def test_deep_values_and_objects_with_long_names_are_compared_as_a_whole() -> None:
    deep = {"a": {"b": {"c": {"d": {"e": 1}}}}, "metadata": {"x" * 100: 1, "y": 2}}
    pointers = [pointer for pointer in by_pointer(digests(deep)) if pointer.startswith("/")]
    assert pointers == ["/a/b/c/d", "/metadata"]


def test_the_number_of_pointers_is_bounded() -> None:
    assert len(by_pointer(digests({"l": list(range(10_000)), "m": 1}))) == 512
    assert len(by_pointer(digests({str(number): [1, 2] for number in range(1000)}))) == 512


def test_digests_hold_no_value_and_depend_on_the_installation() -> None:
    assert b"planted-prompt" not in digests()
    other = by_pointer(digests(key=b"j" * 32))
    assert all(other[pointer] != digest for pointer, digest in by_pointer(digests()).items())


def test_a_body_that_is_not_json_is_compared_as_a_whole() -> None:
    assert list(by_pointer(digests(None))) == ["path", "header x-version", "/"]


def test_odd_json_values_have_digests() -> None:
    assert differing({**BODY, "n": 2**80, "nul\0": {}, "empty": [], "\ud800": "\ud800"}) == (
        "/n",
        "/nul\N{SYMBOL FOR NULL}",
        "/empty",
        "/?",
    )


def test_values_that_only_look_alike_differ() -> None:
    digester = Digester(INSTALLATION)
    found = [
        by_pointer(digester.digests(b"/", b"", (), {"n": value}, b""))["/n"]
        for value in (1, 1.0, True, "1", None, "null", [], {}, "", 0, False, "1" * 100)
    ]
    assert len(set(found)) == len(found)
    assert by_pointer(digester.digests(b"/", b"", (), {"n": 1}, b""))["/n"] == found[0]


def test_the_nearest_of_several_wins_and_the_first_of_equals() -> None:
    near = {**BODY, "temperature": 1}
    far = {"model": "x"}
    nearest = find_nearest(
        digests(), [summary(digests(far), "far"), summary(digests(near), "one"), summary(digests(near), "two")]
    )
    assert nearest is not None
    assert nearest.recording.prompt_hash == "one"
    assert find_nearest(digests(), []) is None


def describe(body: Any, candidates: list[RecordingSummary]) -> str:
    return describe_miss(
        operation="chat",
        model="gpt-4o-mini",
        prompt_hash="cd" * 32,
        reason="the proxy is in replay mode",
        nearest=find_nearest(digests(body), candidates),
        candidates=len(candidates),
    )


def test_the_message_says_what_was_asked_and_what_came_nearest() -> None:
    assert describe({**BODY, "temperature": 1}, [summary(digests()), summary(digests({}))]) == (
        "Nothing is recorded for this request (chat, model gpt-4o-mini, prompt hash cdcdcdcdcdcdcdcd), and nothing was "
        "sent upstream: the proxy is in replay mode. The nearest of 2 recordings of chat (made 2026-09-21 14:13:20 "
        "UTC, model gpt-4o-mini, prompt hash abababababababab) differs at /temperature."
    )


def test_the_message_is_useful_without_any_recording() -> None:
    assert describe(BODY, []).endswith("the proxy is in replay mode. There is no recording of chat at all.")
    unknown = describe_miss(operation="", model="", prompt_hash="", reason="r", nearest=None, candidates=0)
    assert unknown == "Nothing is recorded for this request (an unknown operation), and nothing was sent upstream: r."


def test_a_long_list_of_pointers_is_cut() -> None:
    message = describe({**BODY, **{f"p{number:02}": 1 for number in range(30)}}, [summary(digests())])
    assert message.endswith("/p10, /p11 and 18 more.")
    assert "The only recording of chat" in message


def test_an_equal_recording_that_did_not_answer_is_explained() -> None:
    assert describe(BODY, [summary(digests())]).endswith(
        "looks the same: it has expired, or it was made for another upstream."
    )
