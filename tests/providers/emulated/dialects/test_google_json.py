from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.emulated.base import EmulatedRequest, Refused
from providers.emulated.dialects.google_json import (
    Message,
    anything,
    boolean,
    choice,
    decimal,
    digest,
    integer,
    many,
    octets,
    parse,
    read_body,
    snake_case,
    string,
    struct,
)
from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import whole

INNER = Message("Inner", {"bigSize": integer, "kinds": many(choice("Kind", "NONE", "SOME"))})
OUTER = Message(
    "Outer",
    {
        "someText": string,
        "isGood": boolean,
        "share": decimal,
        "data": octets,
        "inner": INNER,
        "inners": many(INNER),
        "free": anything,
        "object": struct,
    },
)


def request(body: bytes, path: str = "/v1beta/models/m:generateContent") -> EmulatedRequest:
    call = PROVIDER.match("POST", path.encode())
    return EmulatedRequest("POST", call, b"", {}, body, 1.0, "01997a00-0000-7000-8000-000000000001")


def read(body: Any) -> dict[str, Any]:
    return read_body(request(orjson.dumps(body)), OUTER)


def messages(body: Any, path: str = "/v1beta/models/m:generateContent") -> str:
    with pytest.raises(Refused) as refused:
        read_body(request(body if isinstance(body, bytes) else orjson.dumps(body), path), OUTER)
    return str(orjson.loads(whole(refused.value.reply))["error"]["message"])


def test_names_may_be_in_either_case() -> None:
    assert read({"some_text": "a", "inner": {"big_size": 1}}) == {"someText": "a", "inner": {"bigSize": 1}}
    assert read({"someText": "a", "inner": {"bigSize": 1}}) == {"someText": "a", "inner": {"bigSize": 1}}


def test_null_is_absence() -> None:
    assert read({"someText": None, "inner": None, "free": None}) == {}


def test_a_repeated_field_may_stand_alone() -> None:
    assert read({"inners": {"kinds": "some"}}) == {"inners": [{"kinds": ["SOME"]}]}


def test_numbers_may_be_texts_and_enumerations_numbers() -> None:
    assert read({"inner": {"bigSize": "12", "kinds": [1, "none"]}, "share": "0.5", "isGood": "true"}) == {
        "inner": {"bigSize": 12, "kinds": ["SOME", "NONE"]},
        "share": 0.5,
        "isGood": True,
    }
    assert read({"inner": {"bigSize": 3.0}})["inner"]["bigSize"] == 3


def test_every_unknown_name_is_told_with_its_place() -> None:
    assert messages({"ducks": 1, "inner": {"geese": 2}, "inners": [{}, {"swans": 3}]}).split("\n") == [
        'Invalid JSON payload received. Unknown name "ducks": Cannot find field.',
        "Invalid JSON payload received. Unknown name \"geese\" at 'inner': Cannot find field.",
        "Invalid JSON payload received. Unknown name \"swans\" at 'inners[1]': Cannot find field.",
    ]


def test_very_many_problems_are_not_all_told() -> None:
    assert len(messages({f"duck{number}": 1 for number in range(999)}).split("\n")) == 50
    assert len(messages({"inners": [{"ducks": 1}] * 999}).split("\n")) == 50


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"someText": 5}, "Invalid value at 'some_text' (TYPE_STRING), 5"),
        ({"inner": {"bigSize": "x"}}, "Invalid value at 'inner.big_size' (TYPE_INT32), \"x\""),
        ({"inner": {"bigSize": 2**40}}, f"Invalid value at 'inner.big_size' (TYPE_INT32), {2**40}"),
        ({"share": True}, "Invalid value at 'share' (TYPE_FLOAT), true"),
        ({"isGood": "x"}, "Invalid value at 'is_good' (TYPE_BOOL), \"x\""),
        ({"data": "abc=d"}, "Invalid value at 'data' (TYPE_BYTES), Base64 decoding failed for \"abc=d\""),
        ({"data": "é"}, "Invalid value at 'data' (TYPE_BYTES), Base64 decoding failed for \"é\""),
        (
            {"inner": {"kinds": ["many"]}},
            "Invalid value at 'inner.kinds[0]' "
            '(type.googleapis.com/google.ai.generativelanguage.v1beta.Kind), "many"',
        ),
        (
            {"inner": "{path}"},
            "Invalid value at 'inner' (type.googleapis.com/google.ai.generativelanguage.v1beta.Inner), \"{path}\"",
        ),
        ({"object": 1}, "Invalid value at 'object' (type.googleapis.com/google.protobuf.Struct), 1"),
        (
            {"inner": {"bigSize": [1]}},
            "Invalid JSON payload received. Unknown name \"big_size\" at 'inner': "
            "Proto field is not repeating, cannot start list.",
        ),
        (
            {"someText": {"a": 1}},
            'Invalid JSON payload received. Unknown name "some_text": Starting an object on a scalar field.',
        ),
    ],
)
def test_a_value_that_does_not_fit_is_told(body: Any, message: str) -> None:
    assert messages(body) == message


def test_types_are_named_as_the_service_names_them() -> None:
    assert "google.cloud.aiplatform.v1beta1.Inner" in messages(
        {"inner": 1}, "/v1beta1/publishers/google/models/m:generateContent"
    )


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1"])
def test_the_body_must_be_an_object(body: bytes) -> None:
    assert messages(body) == ('Invalid JSON payload received. Unknown name "": Root element must be a message.')


def test_a_caret_shows_where_json_breaks() -> None:
    assert messages(b'{"a": ducks}') == 'Invalid JSON payload received. Unexpected token.\n{"a": ducks}\n      ^'


@pytest.mark.parametrize("body", [b"", b"  "])
def test_an_empty_body_is_an_empty_message(body: bytes) -> None:
    assert parse(request(body)) == {}


def test_a_body_too_deep_is_refused() -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    with pytest.raises(Refused) as refused:
        digest(request(b""), deep)
    assert b"Message too deep" in whole(refused.value.reply)


def test_the_digest_depends_on_what_is_asked_only() -> None:
    assert digest(request(b""), {"a": 1, "b": 2}, "m") == digest(request(b" "), {"b": 2, "a": 1}, "m")
    assert digest(request(b""), {"a": 1}, "m") != digest(request(b""), {"a": 1}, "n")


def test_snake_case_of_a_name() -> None:
    assert [snake_case(name) for name in ("topP", "maxOutputTokens", "model", "_responseJsonSchema")] == [
        "top_p",
        "max_output_tokens",
        "model",
        "_response_json_schema",
    ]
