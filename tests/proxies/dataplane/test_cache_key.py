"""No two requests a provider could answer differently share a key, and what does not matter does not count."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
import re
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.base import BodyFacts, Call, Operation, Origin
from proxies.dataplane.cache_key import NO_BODY, BodyForm, CacheKeys, normalise_body, significant_query
from proxies.dataplane.config import CacheConfig, EmulationConfig, ProxyConfig

JSON = b"application/json"
CHAT = Operation("chat", "POST", re.compile(b"/v1/chat"), is_cacheable=True, is_sampling=True)
CALL = Call(CHAT, b"/v1/chat")
ORIGIN = Origin("https", "api.example.com", 443)


class Dialect:
    """As much of a provider as the key needs."""

    id = "dialect"
    key_headers = frozenset({b"x-version", b"x-beta"})
    secret_query = frozenset({b"key"})

    def __init__(self) -> None:
        self.reads = 0

    def volatile_pointers(self, operation: Operation) -> tuple[str, ...]:
        return ("/noise",)

    def read_body(self, call: Call, body: Any) -> BodyFacts:
        self.reads += 1
        body = body if isinstance(body, dict) else {}
        return BodyFacts(model=body.get("model"), temperature=body.get("temperature"))


def config(**cache: Any) -> ProxyConfig:
    proxy_id = cache.pop("proxy_id", 1)
    return ProxyConfig(proxy_id, "p", Dialect(), "127.0.0.1", 8001, cache=CacheConfig(**cache))  # type: ignore[arg-type]


def key_of(
    body: bytes = b'{"a":1}',
    *,
    keys: CacheKeys | None = None,
    origin: Origin = ORIGIN,
    method: str = "POST",
    path: bytes = b"/v1/chat",
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    content_type: bytes | None = JSON,
    encoding: bytes | None = None,
    **cache: Any,
) -> bytes:
    keys = keys or CacheKeys(config(**cache))
    call = Call(CHAT, path)
    read, _ = keys.read_body(call, body, content_type, encoding)
    return keys.key(origin=origin, method=method, call=call, query=query, headers=headers, body=read)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(st.text(min_size=1), values, min_size=1, max_size=6)


def shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        dice.shuffle(items)
        return {name: shuffled(member, dice) for name, member in items}
    return [shuffled(item, dice) for item in value] if isinstance(value, list) else value


@given(bodies, st.randoms(use_true_random=False))
def test_reordered_and_respaced_json_has_the_same_key(body: dict[str, Any], dice: random.Random) -> None:
    plain = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    other = json.dumps(shuffled(body, dice), ensure_ascii=False, indent=2, separators=(" , ", " : "))
    assert key_of(plain) == key_of(other.encode("utf-8", "surrogatepass"))


def pointers(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in items:
        found += pointers(member, (*at, step))
    return found


@given(bodies, st.data())
def test_changing_removing_or_adding_any_value_changes_the_key(body: dict[str, Any], data: st.DataObject) -> None:
    where = data.draw(st.sampled_from(pointers(body)))
    changed = copy.deepcopy(body)
    holder = changed
    for step in where[:-1]:
        holder = holder[step]
    match data.draw(st.sampled_from(["change", "remove", "add"])):
        case "change":
            holder[where[-1]] = data.draw(values)
        case "remove":
            del holder[where[-1]]
        case _:
            changed[data.draw(st.text())] = data.draw(values)
    before, after = json.dumps(body, sort_keys=True), json.dumps(changed, sort_keys=True)
    assume(before != after)
    assume(not ({*body, *changed} & {"noise"}))
    assert key_of(before.encode()) != key_of(after.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1}', b'{"a":1.0}'),
        (b'{"a":1}', b'{"a":true}'),
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":null}', b"{}"),
        (b'{"a":18446744073709551617}', b'{"a":18446744073709551618}'),
        (b'{"a":-9223372036854775809}', b'{"a":-9223372036854775810}'),
        (b'{"a":NaN}', b'{"a":null}'),
        (b'{"a":1e999}', b'{"a":null}'),
        (b'{"a":1,"a":2}', b'{"a":3,"a":2}'),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a":1,"\\u0061":":"}', b'{"a":":"}'),
        (b'{"a":1,"a":"\\u003a"}', b'{"a":2,"a":"\\u003A"}'),
        (b'{"a":":","a":"\\u003a\\u003a"}', b'{"a":"::"}'),
        (b'{"a":"\\ud800"}', b'{"a":"\\ud801"}'),
        (b'{"a":[1,[2]]}', b'{"a":[[1],2]}'),
        (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", b'{"a":' + b"[" * 299 + b"]" * 299 + b"}"),
        (b"not json", b"not  json"),
        (b"", b"{}"),
        (b"null", b""),
    ],
)
def test_bodies_some_parser_tells_apart_have_different_keys(one: bytes, other: bytes) -> None:
    assert key_of(one) != key_of(other)


def test_long_integers_are_compared_exactly_and_still_reorder() -> None:
    one = b'{"id": 123456789012345678901234567890, "b": 1}'
    assert key_of(one) == key_of(b'{"b":1,"id":123456789012345678901234567890}')
    assert key_of(one) != key_of(b'{"b":1,"id":123456789012345678901234567891}')


def test_a_digit_run_in_a_prompt_keeps_pointers_working() -> None:
    assert key_of(b'{"t":"1234567890123456789","noise":1}') == key_of(b'{"noise":2,"t":"1234567890123456789"}')


@pytest.mark.parametrize(
    "change",
    [
        {"path": b"/v1/chat%3A"},
        {"method": "PUT"},
        {"query": b"a=1"},
        {"headers": ((b"x-version", b"2"),)},
        {"origin": Origin("http", "api.example.com", 443)},
        {"origin": Origin("https", "api.example.com", 444)},
        {"origin": Origin("https", "api.example.org", 443)},
        {"origin": Origin("https", "api.example.com", 443, "/v1")},
        {"proxy_id": 2},
        {"epoch": 1},
        {"content_type": b"application/octet-stream"},
        {"content_type": b"application/vnd.example+json"},
        {"content_type": None},
        {"content_type": b"text/plain"},
        {"encoding": b"gzip"},
    ],
)
def test_everything_that_selects_a_reply_changes_the_key(change: dict[str, Any]) -> None:
    assert key_of(**change) != key_of()


fields = st.tuples(*[st.text("ab/?&=", max_size=3).map(str.encode)] * 4)


@given(fields, fields)
def test_no_two_ways_to_cut_a_request_share_a_key(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    def key(cut: tuple[bytes, ...]) -> bytes:
        path, query, version, beta = cut
        return key_of(path=path, query=query, headers=((b"x-version", version), (b"x-beta", beta)))

    assert (key(one) == key(other)) == (one == other)


def test_credentials_and_noise_headers_do_not_count() -> None:
    noise = ((b"authorization", b"Bearer one"), (b"user-agent", b"x"), (b"accept-encoding", b"gzip"))
    assert key_of(headers=noise) == key_of()
    assert key_of(query=b"key=secret&a=1") == key_of(query=b"a=1&key=other") == key_of(query=b"a=1")


def test_repeated_meaningful_headers_count_in_their_order() -> None:
    one, other = (b"x-beta", b"a"), (b"x-beta", b"b")
    version = (b"x-version", b"1")
    assert key_of(headers=(one, other)) != key_of(headers=(other, one))
    assert key_of(headers=(version, one)) == key_of(headers=(one, version))


@pytest.mark.parametrize("query", [b"k%65y=1", b"key", b"key=&key=2", b"key=a%26b"])
def test_a_secret_parameter_is_found_however_it_is_written(query: bytes) -> None:
    assert significant_query(query, frozenset({b"key"})) == b""


def test_the_order_of_other_parameters_is_kept() -> None:
    assert significant_query(b"b=2&&a=1&key=0&b=1", frozenset({b"key"})) == b"b=2&&a=1&b=1"


def test_volatile_fields_are_left_out_only_where_a_rule_says_so() -> None:
    assert key_of(b'{"a":1,"noise":1}') == key_of(b'{"a":1}')
    assert key_of(b'{"a":{"noise":1}}') != key_of(b'{"a":{}}')
    assert key_of(b'{"a":[{"id":1}]}', ignored_pointers=("/a/0/id",)) == key_of(
        b'{"a":[{"id":2}]}', ignored_pointers=("/a/0/id",)
    )


@pytest.mark.parametrize(
    ("pointer", "one", "other"),
    [
        ("/a~1b", b'{"a/b":1,"c":0}', b'{"a/b":2,"c":0}'),
        ("/a~0b", b'{"a~b":1,"c":0}', b'{"a~b":2,"c":0}'),
        ("/l/0", b'{"l":[1,2]}', b'{"l":[3,2]}'),
        ("/", b'{"":1}', b'{"":2}'),
    ],
)
def test_pointers_are_read_as_rfc_6901_says(pointer: str, one: bytes, other: bytes) -> None:
    assert normalise_body(one, JSON, None, (pointer,)).digest == normalise_body(other, JSON, None, (pointer,)).digest
    assert normalise_body(one, JSON, None).digest != normalise_body(other, JSON, None).digest


@pytest.mark.parametrize("pointer", ["/x", "/a/b", "/l/7", "/l/-", "/l/x", "/l/²"])
def test_a_pointer_to_nothing_leaves_nothing_out(pointer: str) -> None:
    body = b'{"a":1,"l":[1,2]}'
    assert normalise_body(body, JSON, None, (pointer,)) == normalise_body(body, JSON, None)


def test_the_parsed_body_is_whole_and_untouched_by_what_is_left_out() -> None:
    assert normalise_body(b'{"a":{"b":1},"c":2}', JSON, None, ("/a/b", "/c")).parsed == {"a": {"b": 1}, "c": 2}


def test_the_prompt_hash_depends_on_the_normalised_body_alone() -> None:
    keys = CacheKeys(config())
    one, _ = keys.read_body(CALL, b'{"a":1, "b":2}', JSON, None)
    other, _ = keys.read_body(Call(CHAT, b"/other"), b'{"b":2,"a":1}', b"application/json; charset=utf-8", None)
    assert one.prompt_hash == other.prompt_hash == one.digest.hex()


def test_equal_bodies_are_read_once() -> None:
    provider = Dialect()
    keys = CacheKeys(ProxyConfig(1, "p", provider, "127.0.0.1", 1))  # type: ignore[arg-type]
    body = orjson.dumps({"model": "m", "temperature": 0.5})
    first = keys.read_body(CALL, body, JSON, None)
    second = keys.read_body(CALL, body, JSON, None)
    assert provider.reads == 1
    assert first == second
    assert first[1] == BodyFacts(model="m", temperature=0.5)
    assert key_of(body, keys=keys) == key_of(body)


def test_the_memos_do_not_grow_without_bound() -> None:
    keys = CacheKeys(config())
    for number in range(5000):
        key_of(b"%d" % number, keys=keys, query=b"q=%d" % number)
    assert len(keys._bodies) <= 1024
    assert len(keys._routes) <= 1024


def test_no_body_at_all_is_told_from_an_empty_one_of_a_type() -> None:
    assert normalise_body(b"", None, None) == NO_BODY
    assert normalise_body(b"", b"text/plain", None) != NO_BODY


def form(boundary: bytes, *parts: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, head, content) for head, content in parts)
    return body + b"--%s--\r\n" % boundary, b"multipart/form-data; boundary=" + boundary


MODEL = (b'Content-Disposition: form-data; name="model"', b"whisper-1")
FILE = (b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav', b"\x00RIFF\r\n--x")


def form_key(boundary: bytes, *parts: tuple[bytes, bytes], ignored: tuple[str, ...] = ()) -> bytes:
    body, kind = form(boundary, *parts)
    key = normalise_body(body, kind, None, ignored)
    assert key.form is BodyForm.MULTIPART
    return key.digest


def test_boundary_and_order_of_multipart_fields_do_not_count() -> None:
    assert form_key(b"one", MODEL, FILE) == form_key(b"other", FILE, MODEL)


@pytest.mark.parametrize(
    "parts",
    [
        (MODEL,),
        (MODEL, (FILE[0], b"other")),
        (MODEL, (FILE[0].replace(b"a.wav", b"b.wav"), FILE[1])),
        (MODEL, (FILE[0].replace(b"audio/wav", b"audio/ogg"), FILE[1])),
        ((MODEL[0], b"whisper-2"), FILE),
        (MODEL, MODEL, FILE),
        ((MODEL[0].replace(b"model", b"Model"), MODEL[1]), FILE),
    ],
)
def test_every_part_of_a_multipart_body_counts(parts: tuple[tuple[bytes, bytes], ...]) -> None:
    assert form_key(b"b", *parts) != form_key(b"b", MODEL, FILE)


def test_files_under_one_name_keep_their_order() -> None:
    one, other = (FILE[0], b"1"), (FILE[0], b"2")
    assert form_key(b"b", one, other) != form_key(b"b", other, one)


def test_a_multipart_field_can_be_ignored() -> None:
    user = (b'Content-Disposition: form-data; name="user"', b"u1")
    assert form_key(b"b", MODEL, user, ignored=("/user",)) == form_key(b"b", MODEL, ignored=("/user",))


@given(st.text("ab:;=,0123 \r\n-", max_size=40), st.text("ab:;=,0123 \r\n-", max_size=40))
def test_multipart_contents_never_blur(one: str, other: str) -> None:
    head = b'Content-Disposition: form-data; name="a"'
    second = b'Content-Disposition: form-data; name="b"'
    texts = (one.encode(), other.encode())
    same = one == other
    assert (
        form_key(b"qqqqq", (head, texts[0]), (second, texts[1]))
        == form_key(b"qqqqq", (head, texts[1]), (second, texts[0]))
    ) == same


def test_replies_of_other_emulation_settings_are_no_answer() -> None:
    def key(digest: bytes) -> bytes:
        keys = CacheKeys(dataclasses.replace(config(), emulation=EmulationConfig(digest=digest)))
        return keys.key(origin=ORIGIN, method="POST", call=CALL, query=b"", headers=(), body=NO_BODY)

    assert len({key(b""), key(b"a" * 32), key(b"b" * 32)}) == 3
    assert key(b"a" * 32) == key(b"a" * 32)
