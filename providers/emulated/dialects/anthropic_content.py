"""Reads what the messages of an Anthropic request hold: content blocks of every kind, into turns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_blocks import check_document, check_image, result_text, search_texts
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.question import Role, ToolResult, ToolUse, Turn

NEWEST_VERSION: Final = "2026-10-21"

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_ALIKE: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}

# Blocks that tell of what the service itself did in earlier turns; they are taken back as they are.
# Source: anthropic-sdk-python 2.12.0 `types/content_block_param.py` and its beta, read November 2026.
_SERVER_BLOCKS = frozenset(
    {
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "advisor_tool_result",
        "mcp_tool_listing",
        "mcp_tool_use",
        "mcp_tool_result",
        "container_upload",
        "compaction",
        "connector_text",
        "fallback",
        "tool_addition",
        "tool_removal",
        "mid_conv_system",
    }
)


class Marks:
    """The places a request marks as worth caching: turn numbers, and how long the last is to be kept."""

    __slots__ = ("found", "shape", "total", "ttl")

    def __init__(self, shape: ErrorShape) -> None:
        self.shape = shape
        self.found: list[int] = []
        self.total = 0
        self.ttl = "5m"

    def take(self, block: Mapping[str, Any], place: str, turn: int) -> None:
        """Notes the block's `cache_control`, if it has one."""
        control = block.get("cache_control")
        if control is None:
            return
        place = f"{place}.cache_control" if place else "cache_control"
        control = fields.mapping(self.shape, control, place)
        fields.tag(self.shape, control, place, ("ephemeral",))
        if control.get("ttl") is not None:
            self.ttl = fields.one_of(self.shape, control["ttl"], f"{place}.ephemeral.ttl", ("5m", "1h"))
        else:
            self.ttl = "5m"
        self.total += 1
        if not self.found or self.found[-1] != turn:
            self.found.append(turn)

    def check(self) -> None:
        if self.total > 4:
            raise fields.invalid(
                self.shape, f"A maximum of 4 blocks with cache_control may be provided. Found {self.total}."
            )


class Conversation:
    """Takes the messages of a request in order and makes turns of them. Several in a row by one side are one turn."""

    def __init__(self, shape: ErrorShape, marks: Marks, version: str) -> None:
        self.turns: list[Turn] = []
        self.opening = ("", "")  # of the latest answer: where its first block is, and of what kind
        self._shape = shape
        self._marks = marks
        self._version = version
        self._asked: dict[str, str] = {}  # tool uses not answered yet: id -> name
        self._asked_at = 0
        self._seen: set[str] = set()

    def system(self, system: Any) -> None:
        """Takes the system prompt: a text or text blocks."""
        if isinstance(system, str):
            said = system
        else:
            blocks = fields.sequence(self._shape, system, "system")
            said = "\n".join(self._system_texts(blocks, "system", 1))
        if said:
            self.turns.append(Turn("system", said))

    def _system_texts(self, blocks: list[Any], place: str, turn: int) -> list[str]:
        texts = []
        for number, block in enumerate(blocks):
            here = f"{place}.{number}"
            block = fields.mapping(self._shape, block, here)
            if block.get("type") != "text":
                raise fields.invalid(self._shape, f"{here}.type: Input should be 'text'")
            texts.append(self._text(block, here))
            self._marks.take(block, here, turn)
        return texts

    def messages(self, messages: Any) -> None:
        """Takes all messages."""
        messages = fields.sequence(self._shape, messages, "messages")
        if not messages:
            raise fields.invalid(self._shape, "messages: at least one message is required")
        last = len(messages) - 1
        for number, message in enumerate(messages):
            self._message(number, message, is_last=number == last)
        if self._asked:
            raise self._unanswered()

    def _message(self, number: int, message: Any, *, is_last: bool) -> None:
        shape = self._shape
        if not isinstance(message, dict):
            raise fields.invalid(shape, f"messages.{number}: Input should be an object")
        role = message.get("role", fields.MISSING)
        if role is fields.MISSING:
            raise fields.invalid(shape, f"messages.{number}.role: Field required")
        if role == "system" and not number:
            raise fields.invalid(
                shape,
                'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
                '"system" as an input message role.',
            )
        if not isinstance(role, str) or role not in _ALIKE:
            raise fields.invalid(shape, f"messages.{number}.role: Input should be 'user' or 'assistant'")
        if not number and role != "user":
            raise fields.invalid(shape, 'messages: first message must use the "user" role')
        content = message.get("content", fields.MISSING)
        turn = self._turn(_ALIKE[role], number)
        if type(content) is str:
            if not content and not (is_last and role == "assistant"):
                raise self._empty(number)
            turn.text = f"{turn.text}\n{content}" if turn.text else content
            if turn.role == "tool":
                turn.role = "user"
        elif content is fields.MISSING:
            raise fields.invalid(shape, f"messages.{number}.content: Field required")
        elif role == "system":
            blocks = fields.sequence(shape, content, f"messages.{number}.content")
            texts = self._system_texts(blocks, f"messages.{number}.content", len(self.turns))
            turn.text = "\n".join([turn.text, *texts] if turn.text else texts)
        else:
            blocks = fields.sequence(shape, content, f"messages.{number}.content")
            if not blocks and not (is_last and role == "assistant"):
                raise self._empty(number)
            self._blocks(turn, blocks, number)
        if role == "assistant" and is_last and turn.text[-1:].isspace():
            raise fields.invalid(shape, "messages: final assistant content cannot end with trailing whitespace")

    def _turn(self, role: Role, number: int) -> Turn:
        """The turn that a message of this side belongs to."""
        if self.turns and number:
            turn = self.turns[-1]
            if turn.role == role or (role == "user" and turn.role == "tool"):
                return turn
        if role == "assistant" and self._asked:
            raise self._unanswered()
        turn = Turn(role)
        self.turns.append(turn)
        return turn

    def _blocks(self, turn: Turn, blocks: list[Any], number: int) -> None:
        shape = self._shape
        texts = [turn.text] if turn.text else []
        attachments = list(turn.attachments)
        uses: list[ToolUse] = list(turn.tool_uses)
        results: list[ToolResult] = list(turn.tool_results)
        for position, block in enumerate(blocks):
            place = f"messages.{number}.content.{position}"
            if not isinstance(block, dict):
                raise fields.invalid(shape, f"{place}: Input should be an object")
            kind = fields.tag(shape, block, place, BLOCKS)
            within = f"{place}.{kind}"
            if not position and turn.role == "assistant":
                self.opening = (place, kind)
            if kind == "text":
                if turn.role != "assistant" and block.get("citations") and self._version == NEWEST_VERSION:
                    raise fields.invalid(shape, f"{within}.citations: Extra inputs are not permitted")
                texts.append(self._text(block, within))
            elif kind == "tool_use":
                uses.append(self._tool_use(block, place, number))
            elif kind == "tool_result":
                results.append(self._tool_result(block, place, attachments))
            elif kind == "image":
                check_image(shape, block, within)
                attachments.append("image")
            elif kind == "document":
                if turn.role == "assistant" and self._version == NEWEST_VERSION:
                    raise fields.invalid(shape, f"{place}: `document` blocks are not permitted in assistant messages")
                texts += check_document(shape, block, within)
                attachments.append("document")
            elif kind == "search_result":
                texts += search_texts(shape, block, within)
            elif kind == "thinking":
                fields.text(shape, fields.required(shape, block, "signature", within + "."), f"{within}.signature")
                fields.text(shape, fields.required(shape, block, "thinking", within + "."), f"{within}.thinking")
            elif kind == "redacted_thinking":
                fields.text(shape, fields.required(shape, block, "data", within + "."), f"{within}.data")
            self._marks.take(block, within, len(self.turns))
        turn.text = "\n".join(texts)
        turn.attachments = tuple(attachments)
        turn.tool_uses = tuple(uses)
        turn.tool_results = tuple(results)
        if results:
            turn.role = "user" if turn.text else "tool"

    def _text(self, block: Mapping[str, Any], place: str) -> str:
        said = fields.text(self._shape, fields.required(self._shape, block, "text", place + "."), f"{place}.text")
        if not said:
            if block.get("cache_control") is not None:
                raise fields.invalid(
                    self._shape, f"{place}.cache_control: cache_control cannot be set for empty text blocks"
                )
            raise fields.invalid(self._shape, "messages: text content blocks must be non-empty")
        return said

    def _tool_use(self, block: Mapping[str, Any], place: str, number: int) -> ToolUse:
        shape = self._shape
        within = f"{place}.tool_use"
        use_id = fields.text(shape, fields.required(shape, block, "id", within + "."), f"{within}.id")
        if not _ID.fullmatch(use_id):
            raise fields.invalid(shape, f"{within}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        name = fields.filled_text(shape, fields.required(shape, block, "name", within + "."), f"{within}.name")
        given = fields.mapping(shape, fields.required(shape, block, "input", within + "."), f"{within}.input")
        if use_id in self._seen:
            raise fields.invalid(shape, f"{place}: `tool_use` ids must be unique")
        self._seen.add(use_id)
        self._asked[use_id] = name
        self._asked_at = number
        return ToolUse(use_id, name, orjson.dumps(given).decode())

    def _tool_result(self, block: Mapping[str, Any], place: str, attachments: list[str]) -> ToolResult:
        shape = self._shape
        within = f"{place}.tool_result"
        use_id = fields.text(shape, fields.required(shape, block, "tool_use_id", within + "."), f"{within}.tool_use_id")
        name = self._asked.pop(use_id, None)
        if name is None:
            raise fields.invalid(
                shape,
                f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {use_id}. Each `tool_result` block "
                "must have a corresponding `tool_use` block in the previous message.",
            )
        is_error = block.get("is_error")
        if is_error is not None:
            fields.boolean(shape, is_error, f"{within}.is_error")
        said = result_text(shape, block.get("content"), f"{within}.content", attachments)
        return ToolResult(use_id, name, said, bool(is_error))

    def _unanswered(self) -> Exception:
        return fields.invalid(
            self._shape,
            f"messages.{self._asked_at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(self._asked)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
            "next message.",
        )

    def _empty(self, number: int) -> Exception:
        return fields.invalid(
            self._shape,
            f"messages.{number}: all messages must have non-empty content except for the optional final assistant "
            "message",
        )


BLOCKS = _SERVER_BLOCKS | {
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
}
"""Kinds of content blocks that a message may hold."""
