"""Reads the messages of chat completions into turns, in the order OpenAI asks for.

Source: openai-python 3.54.0 `types/chat/`, and refusals quoted in public issue reports, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects.openai_checks import mapping, one_of, text
from providers.emulated.dialects.openai_errors import Invalid, missing, unsupported_value, wrong_type
from providers.emulated.question import Role, ToolResult, ToolUse, Turn

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "assistant": "assistant",
    "user": "user",
    "function": "tool",
    "tool": "tool",
    "developer": "system",
}
# Kind of content part -> what the turn's attachments call it.
_ATTACHMENTS = {"image_url": "image", "input_audio": "audio", "file": "document"}
_PART_KINDS = ("text", "image_url", "input_audio", "refusal", "audio", "file")
_CALL_KIND = one_of("function", "custom")


def read_messages(messages: list[Any]) -> list[Turn]:
    """Results of tool calls that follow each other are one turn. Raises Invalid."""
    turns: list[Turn] = []
    awaited: dict[str, str] = {}  # tool calls without a result: id -> name
    called: dict[str, str] = {}
    for index, message in enumerate(messages):
        param = f"messages[{index}]"
        if not isinstance(message, dict):
            raise wrong_type(param, "an object", message)
        role = message.get("role")
        kind = _ROLES.get(role) if isinstance(role, str) else None
        if kind is None:
            if role is None:
                raise missing(f"{param}.role")
            text(role, f"{param}.role")
            raise unsupported_value(f"{param}.role", role, list(_ROLES))
        if kind == "tool":
            result = _read_result(message, index, called, awaited)
            if turns and turns[-1].role == "tool":
                turns[-1].tool_results += (result,)
            else:
                turns.append(Turn("tool", tool_results=(result,)))
            continue
        if awaited:
            raise _unanswered(awaited, f"messages.[{index}].role")
        content = message.get("content")
        if kind != "assistant":
            called = {}
            if type(content) is str:
                turns.append(Turn(kind, content))
                continue
            turns.append(_read_content(message, content, kind, index))
            continue
        uses = _read_calls(message, param)
        if content is None and not uses and message.get("refusal") is None and message.get("audio") is None:
            raise Invalid("Invalid value for 'content': expected a string, got null.", f"messages.[{index}].content")
        turn = Turn(kind) if content is None else _read_content(message, content, kind, index)
        refusal = message.get("refusal")
        if refusal is not None:
            text(refusal, f"{param}.refusal")
            turn.text = turn.text or refusal
        turn.tool_uses = uses
        turns.append(turn)
        called = {use.id: use.name for use in uses if use.id}
        awaited = dict(called)
    if awaited:
        raise _unanswered(awaited, "messages")
    return turns


def _unanswered(awaited: Mapping[str, str], param: str) -> Invalid:
    return Invalid(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(awaited)}",
        param,
    )


def _read_content(message: Mapping[str, Any], content: Any, role: Role, index: int) -> Turn:
    param = f"messages[{index}].content"
    if isinstance(content, str):
        return Turn(role, content)
    if content is None:
        if "content" in message:
            raise Invalid("Invalid value for 'content': expected a string, got null.", f"messages.[{index}].content")
        raise missing(param)
    if not isinstance(content, list):
        raise wrong_type(param, "one of a string or array of objects", content)
    texts = []
    attachments = []
    for number, part in enumerate(content):
        where = f"{param}[{number}]"
        mapping(part, where)
        kind = part.get("type")
        if kind is None:
            raise missing(f"{where}.type")
        if kind == "text" or kind == "refusal":
            said = part.get(kind)
            if said is None:
                raise missing(f"{where}.{kind}")
            text(said, f"{where}.{kind}")
            texts.append(said)
        elif kind == "image_url" or kind == "input_audio" or kind == "file":
            if role != "user":
                raise Invalid(
                    f"Invalid 'messages[{index}]'. Content blocks are expected to be either text or refusal type.",
                    f"messages.[{index}]",
                )
            _check_attachment(part, kind, where)
            attachments.append(_ATTACHMENTS[kind])
        else:
            text(kind, f"{where}.type")
            raise unsupported_value(f"{where}.type", kind, _PART_KINDS)
    return Turn(role, "\n".join(texts), tuple(attachments))


def _check_attachment(part: Mapping[str, Any], kind: str, param: str) -> None:
    given = part.get(kind)
    if given is None:
        raise missing(f"{param}.{kind}")
    mapping(given, f"{param}.{kind}")
    for name in _ATTACHMENT_MEMBERS[kind]:
        if given.get(name) is None:
            raise missing(f"{param}.{kind}.{name}")
        text(given[name], f"{param}.{kind}.{name}")
    if kind == "input_audio":
        _AUDIO_FORMAT(given["format"], f"{param}.input_audio.format")
    elif kind == "image_url":
        if not given["url"][:8].lower().startswith(_IMAGE_SCHEMES):
            raise Invalid(
                f"Invalid image URL: '{param}.image_url.url'. Expected a base64-encoded data URL with an image MIME "
                "type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix.",
                f"{param}.image_url.url",
                "invalid_value",
            )
        if given.get("detail") is not None:
            _DETAIL(given["detail"], f"{param}.image_url.detail")


_ATTACHMENT_MEMBERS = {"image_url": ("url",), "input_audio": ("data", "format"), "file": ()}
_IMAGE_SCHEMES = ("https://", "http://", "data:", "gs://")  # the last is what Google's compatible endpoint takes
_AUDIO_FORMAT = one_of("wav", "mp3")
_DETAIL = one_of("auto", "low", "high", "original")


def _read_calls(message: Mapping[str, Any], param: str) -> tuple[ToolUse, ...]:
    legacy = message.get("function_call")
    if legacy is not None:
        return (ToolUse("", *_read_function(legacy, f"{param}.function_call", "arguments")),)
    calls = message.get("tool_calls")
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise wrong_type(f"{param}.tool_calls", "an array of objects", calls)
    if not calls:
        raise Invalid(
            f"Invalid '{param}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty "
            "array instead.",
            f"{param}.tool_calls",
            "empty_array",
        )
    uses = []
    for number, call in enumerate(calls):
        where = f"{param}.tool_calls[{number}]"
        mapping(call, where)
        for name in ("id", "type"):
            if call.get(name) is None:
                raise missing(f"{where}.{name}")
        text(call["id"], f"{where}.id")
        kind = call["type"]
        _CALL_KIND(kind, f"{where}.type")
        if call.get(kind) is None:
            raise missing(f"{where}.{kind}")
        member = "arguments" if kind == "function" else "input"
        uses.append(ToolUse(call["id"], *_read_function(call[kind], f"{where}.{kind}", member)))
    return tuple(uses)


def _read_function(given: Any, param: str, member: str) -> tuple[str, str]:
    """The name of the tool, and what it was called with."""
    mapping(given, param)
    for name in ("name", member):
        if given.get(name) is None:
            raise missing(f"{param}.{name}")
        text(given[name], f"{param}.{name}")
    return given["name"], given[member]


def _read_result(
    message: Mapping[str, Any], index: int, called: Mapping[str, str], awaited: dict[str, str]
) -> ToolResult:
    """Takes the call it answers out of `awaited`."""
    param = f"messages[{index}]"
    said = _read_content(message, message.get("content"), "tool", index).text
    if message["role"] == "function":
        name = message.get("name")
        if name is None:
            raise missing(f"{param}.name")
        text(name, f"{param}.name")
        return ToolResult("", name, said)
    call_id = message.get("tool_call_id")
    if call_id is None:
        raise missing(f"{param}.tool_call_id")
    text(call_id, f"{param}.tool_call_id")
    if not called:
        raise Invalid(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            f"messages.[{index}].role",
        )
    if call_id not in called:
        raise Invalid(
            f"Invalid parameter: 'tool_call_id' of '{call_id}' not found in 'tool_calls' of previous message.",
            f"messages.[{index}].tool_call_id",
        )
    awaited.pop(call_id, None)
    return ToolResult(call_id, called[call_id], said)
