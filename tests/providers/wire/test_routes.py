"""Path templates, the route table, and paths on the upstream."""

from __future__ import annotations

import re

import pytest

from providers.wire.routes import ApiCall, build_operations, join_prefix, listed_calls, template

CALLS = [
    ApiCall("things.create", "POST", "/things", is_sampling=True, flavor="f"),
    *listed_calls("""
        GET /things/special things.special
        GET /things/{id} things.retrieve
        GET /things/{id}/parts/{part_id} parts.retrieve
        GET /models/{model} models.retrieve
        GET /tree/{...} tree
    """),
]
OPERATIONS, ROUTES = build_operations(CALLS, "/v1", {"things.create"})


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", b"/things", "things.create"),
        ("GET", b"/things/special", "things.special"),
        ("GET", b"/things/a%2Fb", "things.retrieve"),
        ("GET", b"/things/1/parts/2", "parts.retrieve"),
        ("GET", b"/tree/a/b/c", "tree"),
        ("GET", b"/things", None),
        ("DELETE", b"/things/1", None),
        ("GET", b"/things/1/parts", None),
        ("GET", b"/things/", None),
        ("POST", b"/things/", None),
        ("GET", b"", None),
        ("GET", b"/", None),
        ("GET", b"//things/1", None),
    ],
)
def test_a_path_finds_its_operation(method: str, path: bytes, name: str | None) -> None:
    found = ROUTES.find(method, path)
    assert (found[0].name if found else None) == name


def test_a_model_in_the_path_is_decoded() -> None:
    assert ROUTES.find("GET", b"/models/org%2Fname%3A1")[1] == "org/name:1"  # type: ignore[index]


def test_operations_carry_their_facts_and_whole_pattern() -> None:
    create = OPERATIONS[0]
    assert (create.is_cacheable, create.is_sampling, create.flavor) == (True, True, "f")
    assert create.pattern.fullmatch(b"/v1/things")
    assert not any(operation.is_cacheable for operation in OPERATIONS[1:])


def test_a_template_is_literal_outside_its_braces() -> None:
    assert template("/a.b/{id}").fullmatch(b"/a.b/x")
    assert not template("/a.b/{id}").fullmatch(b"/aXb/x")
    assert not re.fullmatch(template("/a/{id}").pattern, b"/a/x/y")


@pytest.mark.parametrize(
    ("prefix", "path", "joined"),
    [
        ("", b"/v1/chat", b"/v1/chat"),
        ("/v1", b"/v1/chat", b"/v1/chat"),
        ("/openai/v1", b"/v1/chat", b"/openai/v1/chat"),
        ("/v1beta/openai", b"/v1/chat", b"/v1beta/openai/chat"),
        ("/api/v3", b"/v1/chat", b"/api/v3/chat"),
        ("/gateway", b"/v1/chat", b"/gateway/v1/chat"),
        ("/v1", b"/other", b"/v1/other"),
        ("/vault", b"/v1/chat", b"/vault/v1/chat"),
        ("/v1", b"/v1", b"/v1"),
    ],
)
def test_an_upstreams_own_version_wins(prefix: str, path: bytes, joined: bytes) -> None:
    assert join_prefix(prefix, path) == joined
