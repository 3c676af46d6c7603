"""Messages and their content blocks as turns."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from anthropic import BaseModel
from anthropic.types import tool_result_block_param
from anthropic.types.beta.beta_content_block_param import BetaContentBlockParam
from anthropic.types.content_block_param import ContentBlockParam

from providers.emulated.dialects.anthropic_blocks import RESULT_BLOCKS
from providers.emulated.dialects.anthropic_content import BLOCKS
from tests.providers.emulated.anthropic_asking import body, read, refused

USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 degrees"}
ASKED = {"role": "user", "content": "Weather in Paris?"}
PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}


def said(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return body(messages=list(messages), **more)


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def kinds(union: Any) -> set[str]:
    """The types of the objects in a union, which may hold another union."""
    found = set()
    for each in get_args(union):
        if isinstance(each, type) and issubclass(each, BaseModel):
            found.add(get_args(each.model_fields["type"].annotation)[0])
        elif isinstance(each, type):
            found.add(get_args(get_type_hints(each)["type"])[0])
        else:
            found |= kinds(each)
    return found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (said(), "messages: at least one message is required"),
        (body(messages="hi"), "messages: Input should be a valid list"),
        (body(messages=["hi"]), "messages.0: Input should be an object"),
        (body(messages=[{"content": "hi"}]), "messages.0.role: Field required"),
        (body(messages=[{"role": "user"}]), "messages.0.content: Field required"),
        (body(messages=[{"role": "model", "content": "x"}]), "messages.0.role: Input should be 'user' or 'assistant'"),
        (body(messages=[{"role": ["user"], "content": "x"}]), "messages.0.role: Input should be 'user' or 'assistant'"),
        (
            body(messages=[{"role": "system", "content": "x"}]),
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
            "as an input message role.",
        ),
        (
            body(messages=[{"role": "assistant", "content": "x"}]),
            'messages: first message must use the "user" role',
        ),
        (body(5), "messages.0.content: Input should be a valid list"),
        (
            body(""),
            "messages.0: all messages must have non-empty content except for the optional final assistant message",
        ),
        (
            body([]),
            "messages.0: all messages must have non-empty content except for the optional final assistant message",
        ),
        (body(["x"]), "messages.0.content.0: Input should be an object"),
        (body([{}]), "messages.0.content.0.type: Field required"),
        (body([{"type": "text"}]), "messages.0.content.0.text.text: Field required"),
        (body([{"type": "text", "text": 5}]), "messages.0.content.0.text.text: Input should be a valid string"),
        (body([{"type": "text", "text": ""}]), "messages: text content blocks must be non-empty"),
        (body([{"type": "image"}]), "messages.0.content.0.image.source: Field required"),
        (
            body([{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "x"}}]),
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', "
            "'image/gif' or 'image/webp'",
        ),
        (
            body([{"type": "image", "source": {"type": "url"}}]),
            "messages.0.content.0.image.source.url.url: Field required",
        ),
        (
            body([{"type": "document", "source": {"type": "text", "media_type": "text/html", "data": "x"}}]),
            "messages.0.content.0.document.source.text.media_type: Input should be 'text/plain'",
        ),
        (
            said(ASKED, assistant({"type": "thinking", "thinking": "Hm."}), ASKED),
            "messages.1.content.0.thinking.signature: Field required",
        ),
        (
            said(ASKED, assistant({**USE, "input": "{}"}), user(RESULT)),
            "messages.1.content.0.tool_use.input: Input should be an object",
        ),
        (
            said(ASKED, assistant({**USE, "id": "a b"}), user(RESULT)),
            "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        ),
        (said(ASKED, assistant(USE, USE), user(RESULT)), "messages.1.content.1: `tool_use` ids must be unique"),
        (
            said(ASKED, assistant(USE), ASKED),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
        (
            said(ASKED, assistant(USE), ASKED, assistant({"type": "text", "text": "Hm"}), user(RESULT)),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
        (
            said(ASKED, assistant(USE)),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the next message.",
        ),
        (
            said(user(RESULT)),
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` "
            "block must have a corresponding `tool_use` block in the previous message.",
        ),
        (
            said(ASKED, assistant(USE), user({**RESULT, "is_error": "no"})),
            "messages.2.content.0.tool_result.is_error: Input should be a valid boolean",
        ),
        (
            said(ASKED, {"role": "assistant", "content": "Well, "}),
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        (body(system=5), "system: Input should be a valid list"),
        (body(system=[{"type": "image"}]), "system.0.type: Input should be 'text'"),
        (body(system=[{"type": "text"}]), "system.0.text: Field required"),
        (
            body([{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]),
            "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_words(given: dict[str, Any], message: str) -> None:
    assert refused(given) == message


def test_an_unknown_block_is_told_which_are_known() -> None:
    message = refused(body([{"type": "image_url", "image_url": {}}]))
    assert message.startswith("messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of ")
    assert "'image', " in message


def test_every_block_of_the_newest_sdk_is_known() -> None:
    assert kinds(ContentBlockParam) | kinds(BetaContentBlockParam) <= BLOCKS
    assert kinds(tool_result_block_param.Content) <= RESULT_BLOCKS


def test_the_newest_version_takes_no_documents_from_the_assistant_and_no_citations_from_users() -> None:
    document = said(ASKED, assistant(PDF), ASKED)
    cited = body([{"type": "text", "text": "x", "citations": [{"type": "char_location"}]}])
    assert refused(document, version="2026-10-21")
    assert not refused(document)
    assert refused(cited, version="2026-10-21") == (
        "messages.0.content.0.text.citations: Extra inputs are not permitted"
    )
    assert not refused(cited)


def test_a_tool_result_is_a_turn_of_its_own_that_knows_the_tools_name() -> None:
    failed = {**RESULT, "is_error": True, "content": [{"type": "text", "text": "No such city"}, PIXEL]}
    turns = read(said(ASKED, assistant({"type": "text", "text": "I look."}, USE), user(failed))).question.turns
    assert [turn.role for turn in turns] == ["user", "assistant", "tool"]
    assert turns[1].text == "I look."
    assert turns[1].tool_uses[0].arguments == '{"city":"Paris"}'
    result = turns[2].tool_results[0]
    assert (result.name, result.text, result.is_error) == ("get_weather", "No such city", True)
    assert turns[2].attachments == ("image",)


def test_words_beside_a_tool_result_are_the_users_and_the_result_is_still_the_last_word() -> None:
    question = read(said(ASKED, assistant(USE), user(RESULT, {"type": "text", "text": "In French."}))).question
    assert question.has_tool_result
    assert (question.turns[-1].role, question.prompt) == ("user", "In French.")


def test_messages_of_one_side_in_a_row_are_one_turn() -> None:
    question = read(said(ASKED, assistant(USE), user(RESULT), {"role": "user", "content": "And Rome?"})).question
    assert [turn.role for turn in question.turns] == ["user", "assistant", "user"]
    assert question.has_tool_result
    assert question.prompt == "And Rome?"
    question = read(
        said({"role": "user", "content": "One"}, user(PIXEL), user({"type": "text", "text": "Two"}))
    ).question
    assert [(turn.text, turn.attachments) for turn in question.turns] == [("One\nTwo", ("image",))]


def test_results_may_come_in_several_messages() -> None:
    other = {**USE, "id": "toolu_2"}
    question = read(
        said(ASKED, assistant(USE, other), user(RESULT), user({**RESULT, "tool_use_id": "toolu_2"}))
    ).question
    assert [result.id for result in question.turns[-1].tool_results] == ["toolu_1", "toolu_2"]


def test_what_a_message_holds_besides_text_is_told() -> None:
    note = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A note."}}
    parts = {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "A part."}]}}
    link = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    file = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
    found = {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "C"}]}
    turn = read(body([PIXEL, link, PDF, note, parts, file, found, {"type": "text", "text": "What?"}])).question.turns[0]
    assert turn.attachments == ("image", "image", "document", "document", "document", "document")
    assert turn.text == "A note.\nA part.\nT\nC\nWhat?"


def test_what_the_service_did_itself_is_taken_back() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "abc"},
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "text", "text": "It rains."},
    ]
    assert read(said(ASKED, assistant(*blocks), ASKED)).question.turns[1].text == "It rains."


def test_an_answer_begun_by_the_client_is_the_last_turn() -> None:
    question = read(said(ASKED, {"role": "assistant", "content": "The weather is"})).question
    assert (question.turns[-1].role, question.turns[-1].text) == ("assistant", "The weather is")
    assert refused(said(ASKED, {"role": "assistant", "content": ""})) == ""


def test_the_system_prompt_may_be_blocks_and_may_change_on_the_way() -> None:
    system = [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief."}]
    mark = {"cache_control": {"type": "ephemeral"}}
    later = {"role": "system", "content": [{"type": "text", "text": "Be quick.", **mark}]}
    question = read(said(ASKED, {"role": "system", "content": "Now:"}, later, ASKED, system=system)).question
    turns = question.turns
    assert question.caches == (3,)
    assert [(turn.role, turn.text) for turn in turns] == [
        ("system", "Be kind.\nBe brief."),
        ("user", "Weather in Paris?"),
        ("system", "Now:\nBe quick."),
        ("user", "Weather in Paris?"),
    ]
