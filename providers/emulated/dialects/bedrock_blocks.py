"""The messages of Converse: content blocks read into turns, and the rules for their order.

Source: bedrock-runtime service-2.json (botocore 1.44.5), Message and ContentBlock; the wordings as users quote them in
public issue reports; read November 2026.
"""

from __future__ import annotations

from typing import Any

import orjson

from providers.emulated.dialects.bedrock_errors import Refusal, constraint, wrong_format
from providers.emulated.question import ToolResult, ToolUse, Turn
from providers.wire.json_body import mapping

_KEYS = "text, image, document, video, audio, toolUse, toolResult, guardContent, cachePoint, reasoningContent"
_ROLES = ("user", "assistant", "system")
_FORMATS = {
    "image": "png, jpeg, gif, webp",
    "document": "pdf, csv, doc, docx, xls, xlsx, html, txt, md",
    "video": "mkv, mov, mp4, webm, flv, mpeg, mpg, wmv, three_gp",
    "audio": "mp3, opus, wav, aac, flac, mp4, ogg, mkv, mka, x-aac, m4a, mpeg, mpga, pcm, webm",
}
_SILENT = frozenset({"reasoningContent", "toolAddition", "toolRemoval"})


def is_cache_point(block: Any) -> bool:
    """Whether a block marks the prompt before it as worth keeping."""
    return type(block) is dict and type(block.get("cachePoint")) is dict


def guarded_text(block: dict[str, Any]) -> str:
    """The text of a guardContent block, "" if it holds an image."""
    text = mapping(block, "text").get("text")
    return text if type(text) is str else ""


class BlockReader:
    """Reads one request's messages, adding to `turns` and to `caches` (numbers of turns)."""

    def __init__(self, turns: list[Turn], caches: list[int], *, has_tools: bool) -> None:
        self._turns = turns
        self._caches = caches
        self._has_tools = has_tools
        self._names: dict[str, str] = {}  # of the tools called so far, by the id of the call

    def read(self, messages: Any) -> None:
        """Raises Refusal."""
        if messages is None:
            raise constraint("messages", None, "Member must not be null")
        if type(messages) is not list:
            raise wrong_format("messages", "a list")
        asked: tuple[ToolUse, ...] = ()  # by the message before, and to be answered by this one
        spoke = "assistant"
        for number, message in enumerate(messages):
            turn = self._message(message, number)
            if turn.role != "system":
                if turn.role == spoke:
                    raise Refusal(_MUST_ALTERNATE if number else _MUST_START)
                spoke = turn.role
                _check_results(turn.tool_results, asked, number)
                asked = turn.tool_uses
            elif not number:
                raise Refusal(_MUST_START)
        if not messages:
            raise Refusal(_MUST_START)

    def _message(self, message: Any, number: int) -> Turn:
        if type(message) is not dict:
            raise wrong_format(f"messages.{number}", "a json object")
        role = message.get("role")
        if role not in _ROLES:
            path = f"messages.{number + 1}.member.role"
            if role is None:
                raise constraint(path, None, "Member must not be null")
            if type(role) is not str:
                raise wrong_format(f"messages.{number}.role", "a string")
            raise constraint(path, role, "Member must satisfy enum value set: [user, assistant, system]")
        content = message.get("content")
        if content is None:
            raise constraint(f"messages.{number + 1}.member.content", None, "Member must not be null")
        if type(content) is not list:
            raise wrong_format(f"messages.{number}.content", "a list")
        if not content:
            raise Refusal(
                f"The content field in the Message object at messages.{number} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
        if len(content) == 1 and type(content[0]) is dict:  # by far the most messages
            text = content[0].get("text")
            if type(text) is str and len(content[0]) == 1 and not text.isspace() and text:
                turn = Turn(role, text)
                self._turns.append(turn)
                return turn
        return self._blocks(role, content, number)

    def _blocks(self, role: Any, content: list[Any], number: int) -> Turn:
        texts: list[str] = []
        attachments: list[str] = []
        uses: list[ToolUse] = []
        results: list[ToolResult] = []
        for place, block in enumerate(content):
            path = f"messages.{number}.content.{place}"
            kind, value = _only_member(block, path)
            if kind == "text":
                if type(value) is not str:
                    raise wrong_format(f"{path}.text", "a string")
                if not value.strip():
                    raise Refusal(
                        f"The text field in the ContentBlock object at {path} is blank. "
                        "Add text to the text field, and try again."
                    )
                texts.append(value)
            elif type(value) is not dict:
                raise wrong_format(f"{path}.{kind}", "a json object")
            elif kind in _FORMATS:
                _check_source(kind, value, f"{path}.{kind}")
                attachments.append(kind)
            elif kind == "toolUse":
                uses.append(self._tool_use(value, f"{path}.toolUse"))
            elif kind == "toolResult":
                result, seen = self._tool_result(value, f"{path}.toolResult")
                results.append(result)
                attachments += seen
            elif kind == "cachePoint":
                self._caches.append(len(self._turns) + 1)
            elif kind == "guardContent":
                texts.append(guarded_text(value))
                if "image" in value:
                    attachments.append("image")
            elif kind in ("searchResult", "citationsContent"):
                texts.append(_texts(value.get("content")))
            elif kind not in _SILENT:
                raise Refusal(f"The ContentBlock object at {path} must set one of the following keys: {_KEYS}.")
        if (uses or results) and not self._has_tools:
            raise Refusal("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        turn = Turn(role, "\n".join(texts), tuple(attachments), tuple(uses), tuple(results))
        self._turns.append(turn)
        return turn

    def _tool_use(self, value: dict[str, Any], path: str) -> ToolUse:
        made = ToolUse(_string(value, "toolUseId", path), _string(value, "name", path), "")
        if "input" not in value:
            raise constraint(f"{path}.input", None, "Member must not be null")
        if type(value["input"]) is not dict:
            raise wrong_format(f"{path}.input", "a json object")
        made.arguments = orjson.dumps(value["input"]).decode()
        self._names[made.id] = made.name
        return made

    def _tool_result(self, value: dict[str, Any], path: str) -> tuple[ToolResult, list[str]]:
        id = _string(value, "toolUseId", path)
        status = value.get("status")
        if status not in (None, "success", "error"):
            raise constraint(f"{path}.status", status, "Member must satisfy enum value set: [success, error]")
        content = value.get("content")
        if content is None:
            raise constraint(f"{path}.content", None, "Member must not be null")
        if type(content) is not list:
            raise wrong_format(f"{path}.content", "a list")
        texts: list[str] = []
        seen: list[str] = []
        for place, block in enumerate(content):
            kind, inner = _only_member(block, f"{path}.content.{place}")
            if kind == "json":
                texts.append(orjson.dumps(inner).decode())
            elif kind == "text":
                if type(inner) is not str:
                    raise wrong_format(f"{path}.content.{place}.text", "a string")
                texts.append(inner)
            elif kind in ("image", "document", "video"):
                seen.append(kind)
            elif kind == "searchResult":
                texts.append(_texts(mapping(inner).get("content")))
            else:
                raise Refusal(
                    f"The ToolResultContentBlock object at {path}.content.{place} must set one of the following keys: "
                    "json, text, image, document, video, searchResult."
                )
        return ToolResult(id, self._names.get(id, ""), "\n".join(texts), status == "error"), seen


_MUST_START = (
    "A conversation must start with a user message. Try again with a conversation that starts with a user message."
)
_MUST_ALTERNATE = (
    "A conversation must alternate between user and assistant roles. "
    "Make sure the conversation alternates between user and assistant roles and try again."
)


def _only_member(block: Any, path: str) -> tuple[str, Any]:
    """The one member that a union sets; members that are null count as absent."""
    if type(block) is dict:
        if len(block) == 1:
            for member in block.items():
                return member
        found = [(key, value) for key, value in block.items() if value is not None]
        if len(found) == 1:
            return found[0]
    else:
        raise wrong_format(path, "a json object")
    raise Refusal(f"The ContentBlock object at {path} must set one of the following keys: {_KEYS}.")


def _check_source(kind: str, value: dict[str, Any], path: str) -> None:
    format = value.get("format")
    if format is None:
        if kind != "document":  # Source: the service's model: a document of plain text needs none
            raise constraint(f"{path}.format", None, "Member must not be null")
    elif type(format) is not str or format not in _FORMATS[kind].split(", "):
        raise constraint(f"{path}.format", format, f"Member must satisfy enum value set: [{_FORMATS[kind]}]")
    if kind == "document":
        _string(value, "name", path)
    source = value.get("source")
    if source is None:
        raise constraint(f"{path}.source", None, "Member must not be null")
    if type(source) is not dict:
        raise wrong_format(f"{path}.source", "a json object")
    encoded = source.get("bytes")
    if encoded is not None and type(encoded) is not str:
        raise wrong_format(f"{path}.source.bytes", "a base64 encoded string")


def _string(value: dict[str, Any], name: str, path: str) -> str:
    found = value.get(name)
    if found is None:
        raise constraint(f"{path}.{name}", None, "Member must not be null")
    if type(found) is not str:
        raise wrong_format(f"{path}.{name}", "a string")
    if not found:
        raise constraint(f"{path}.{name}", found, "Member must have length greater than or equal to 1")
    return found


def _texts(blocks: Any) -> str:
    found = [mapping(block).get("text") for block in blocks] if type(blocks) is list else []
    return "\n".join([text for text in found if type(text) is str])


def _check_results(results: tuple[ToolResult, ...], asked: tuple[ToolUse, ...], number: int) -> None:
    """Every call of the message before is answered once, and nothing else is."""
    if not results and not asked:
        return
    if len(results) > len(asked):
        raise Refusal(
            f"The number of toolResult blocks at messages.{number}.content exceeds "
            "the number of toolUse blocks of previous turn."
        )
    given = [result.id for result in results]
    if len(set(given)) != len(given):
        raise Refusal(f"The toolResult blocks at messages.{number}.content contain duplicate Ids: {', '.join(given)}")
    missing = [use.id for use in asked if use.id not in given]
    if missing:
        raise Refusal(
            f"Expected toolResult blocks at messages.{number}.content for the following Ids: {', '.join(missing)}"
        )
