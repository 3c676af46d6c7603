from __future__ import annotations

from typing import Any

import pytest

from providers.emulated.dialects.bedrock_blocks import BlockReader
from providers.emulated.dialects.bedrock_errors import Refusal
from providers.emulated.question import ToolResult, ToolUse, Turn
from tests.providers.emulated.bedrock_shapes import assistant, user

PNG = {"image": {"format": "png", "source": {"bytes": "aGk="}}}

FOUND = {"searchResult": {"source": "s", "title": "t", "content": [{"text": "It was warm."}]}}


def use(id: str = "t1", name: str = "get_weather", **input: Any) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": id, "name": name, "input": input}}


def result(id: str = "t1", *content: Any, **more: Any) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": id, "content": list(content) or [{"text": "Sunny."}], **more}}


def read(*messages: Any, has_tools: bool = True) -> list[Turn]:
    turns: list[Turn] = []
    BlockReader(turns, [], has_tools=has_tools).read(list(messages))
    return turns


def refused(*messages: Any, has_tools: bool = True) -> str:
    with pytest.raises(Refusal) as refusal:
        read(*messages, has_tools=has_tools)
    return refusal.value.message


def test_every_kind_of_block_is_read() -> None:
    (turn,) = read(
        user(
            "Look.",
            PNG,
            {"document": {"format": "pdf", "name": "report", "source": {"bytes": "aGk="}}},
            {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}},
            {"audio": {"format": "mp3", "source": {"bytes": "aGk="}}},
            {"guardContent": {"text": {"text": "Guarded."}}, "text": None},
            {"guardContent": {"image": {"format": "png", "source": {"bytes": "aGk="}}}},
            {"searchResult": {"source": "s", "title": "t", "content": [{"text": "Found."}]}},
            {"cachePoint": {"type": "default"}},
        )
    )
    assert turn.text == "Look.\nGuarded.\n\nFound."
    assert turn.attachments == ("image", "document", "video", "audio", "image")


def test_a_loop_of_tools_is_read_with_the_names_of_what_was_called() -> None:
    turns = read(
        user("Weather?"),
        assistant(
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "x"}}}, "I look.", use(city="Paris")
        ),
        user(result("t1", {"json": {"c": 20}}, {"text": "Sunny."}, PNG, FOUND, status="error"), "And now?"),
    )
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert turns[1].tool_uses == (ToolUse("t1", "get_weather", '{"city":"Paris"}'),)
    assert turns[1].text == "I look."
    assert turns[2].tool_results == (ToolResult("t1", "get_weather", '{"c":20}\nSunny.\nIt was warm.', True),)
    assert (turns[2].text, turns[2].attachments) == ("And now?", ("image",))


def test_system_messages_may_come_in_between() -> None:
    assert [turn.role for turn in read(user("Hi."), {"role": "system", "content": [{"text": "Be brief."}]})] == [
        "user",
        "system",
    ]


START = "A conversation must start with a user message. Try again with a conversation that starts with a user message."


def test_the_order_of_messages_is_bedrock_s() -> None:
    assert refused() == START
    with pytest.raises(Refusal, match=r"messages is invalid\. Provide a list"):
        BlockReader([], [], has_tools=False).read("Hi.")
    assert refused(assistant("Hi.")) == START
    assert refused({"role": "system", "content": [{"text": "Hi."}]}) == START
    assert refused(user("Hi."), user("Hi?")) == (
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
        "between user and assistant roles and try again."
    )


def test_results_belong_to_calls() -> None:
    calls = (user("Weather?"), assistant(use("t1"), use("t2")))
    assert refused(*calls, user(result("t1"))) == (
        "Expected toolResult blocks at messages.2.content for the following Ids: t2"
    )
    assert refused(*calls, user("Never mind.")) == (
        "Expected toolResult blocks at messages.2.content for the following Ids: t1, t2"
    )
    assert refused(user("Weather?", result())) == (
        "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn."
    )
    assert "contain duplicate Ids: t1, t1" in refused(*calls, user(result("t1"), result("t1")))
    assert refused(*calls, has_tools=False) == (
        "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Hi.", "The format of the value at messages.0 is invalid."),
        ({"content": [{"text": "Hi."}]}, "Value null at 'messages.1.member.role'"),
        ({"role": "tool", "content": [{"text": "Hi."}]}, "enum value set: [user, assistant, system]"),
        ({"role": ["user"], "content": []}, "messages.0.role is invalid"),
        ({"role": "user"}, "Value null at 'messages.1.member.content'"),
        ({"role": "user", "content": "Hi."}, "messages.0.content is invalid. Provide a list"),
        ({"role": "user", "content": []}, "The content field in the Message object at messages.0 is empty."),
        (user(" "), "The text field in the ContentBlock object at messages.0.content.0 is blank."),
        (user({"text": 1}), "messages.0.content.0.text is invalid. Provide a string"),
        (user({}), "must set one of the following keys: text, image"),
        (user({"text": "a", "image": {}}), "must set one of the following keys: text, image"),
        (user({"other": {}}), "must set one of the following keys: text, image"),
        (user({"image": "a"}), "messages.0.content.0.image is invalid"),
        (user({"image": {"source": {"bytes": ""}}}), "'messages.0.content.0.image.format'"),
        (user({"image": {"format": "bmp", "source": {}}}), "Value 'bmp' at 'messages.0.content.0.image.format'"),
        (user({"image": {"format": "png"}}), "'messages.0.content.0.image.source'"),
        (user({"image": {"format": "png", "source": {"bytes": 1}}}), "a base64 encoded string"),
        (user({"image": {"format": "png", "source": "a"}}), "image.source is invalid. Provide a json object"),
        (user(["a"]), "messages.0.content.0 is invalid. Provide a json object"),
        (user({"document": {"format": "pdf", "source": {"bytes": "a"}}}), "content.0.document.name"),
        (user({"document": {"format": "pdf", "name": 1, "source": {}}}), "document.name is invalid. Provide a string"),
        (user({"document": {"format": "pdf", "name": "", "source": {}}}), "length greater than or equal to 1"),
        (user({"toolResult": {"toolUseId": "t", "content": "a"}}), "toolResult.content is invalid. Provide a list"),
        (user({"toolResult": {"toolUseId": "t", "content": [{"text": 1}]}}), "content.0.text is invalid"),
        (user({"toolUse": {"name": "x", "input": {}}}), "toolUse.toolUseId"),
        (user({"toolUse": {"toolUseId": "t", "name": "x"}}), "toolUse.input"),
        (user({"toolUse": {"toolUseId": "t", "name": "x", "input": "{}"}}), "toolUse.input is invalid"),
        (user({"toolResult": {"toolUseId": "t"}}), "toolResult.content"),
        (user({"toolResult": {"toolUseId": "t", "content": [], "status": "odd"}}), "[success, error]"),
        (user({"toolResult": {"toolUseId": "t", "content": [{"audio": {}}]}}), "json, text, image, document, video"),
    ],
)
def test_a_message_that_is_not_in_order_is_refused(message: Any, said: str) -> None:
    assert said in refused(message)
