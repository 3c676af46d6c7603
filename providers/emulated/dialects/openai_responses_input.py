"""Input items of OpenAI's Responses API: read into turns, and written as they are listed again.

Source: openai-python 3.54.0 `types/responses/response_input_item.py` and `response_item.py`, and refusals of the API
quoted in public issue reports and test suites, read November 2026.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from providers.emulated.dialects.openai_errors import Invalid, missing, unsupported_value, wrong_type
from providers.emulated.question import Role, ToolResult, ToolUse, Turn

Item = Mapping[str, Any]
"""One input or output item, as JSON."""

ITEM_TYPES = (
    "additional_tools", "apply_patch_call", "apply_patch_call_output", "code_interpreter_call", "compaction",
    "compaction_trigger", "computer_call", "computer_call_output", "configuration_update", "custom_tool_call",
    "custom_tool_call_output", "file_search_call", "function_call", "function_call_output", "image_generation_call",
    "item_reference", "local_shell_call", "local_shell_call_output", "mcp_approval_request", "mcp_approval_response",
    "mcp_call", "mcp_list_tools", "message", "program", "program_output", "reasoning", "shell_call",
    "shell_call_output", "tool_search_call", "tool_search_output", "web_search_call",
)  # fmt: skip
_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fc",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctc",
    "reasoning": "rs",
    "compaction": "cmp",
}
_PART_TYPES = (
    "input_text", "input_image", "input_audio", "output_text", "refusal", "input_file", "computer_screenshot",
    "summary_text", "encrypted_content",
)  # fmt: skip
_TEXT_MEMBERS = {"input_text": "text", "output_text": "text", "summary_text": "text", "refusal": "refusal"}
_ATTACHMENTS = {
    "input_image": "image",
    "computer_screenshot": "image",
    "input_audio": "audio",
    "input_file": "document",
}
_ROLES: Mapping[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}


class InputReader:
    """Reads items into `turns`. `find`: the stored item with an id, None if there is none.

    Raises Invalid.
    """

    def __init__(self, find: Callable[[str], Item | None]) -> None:
        self.turns: list[Turn] = []
        self._find = find
        self._found: dict[int, Item] = {}  # what references stand for, by their places in the input

    def read(self, items: str | Sequence[Any]) -> list[Turn]:
        """The turns, in order. `items`: the `input` of a request."""
        if isinstance(items, str):
            if items:
                self.turns.append(Turn("user", items))
            return self.turns
        for index, item in enumerate(items):
            self._read_item(item, index)
        return self.turns

    def resolve(self, items: str | Sequence[Any]) -> str | Sequence[Any]:
        """The same items after they were read, with what references stand for in their place."""
        if not self._found:
            return items
        return [self._found.get(index, item) for index, item in enumerate(items)]

    def _read_item(self, item: Any, index: int) -> None:
        if not isinstance(item, dict):
            raise wrong_type(f"input[{index}]", "an input item", item)
        kind = item.get("type")
        if kind is None:
            kind = "item_reference" if len(item) == 1 and "id" in item else "message"
        if kind == "message":
            self._read_message(item, index)
        elif kind == "function_call":
            _check_id(item, "fc", index)
            self._add_use(item, _text(item, "arguments", index), index)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            self._read_result(item, index)
        elif kind == "reasoning":
            _check_id(item, "rs", index)
            if "summary" not in item:
                raise missing(f"input[{index}].summary")
        elif kind == "custom_tool_call":
            _check_id(item, "ctc", index)
            self._add_use(item, orjson.dumps({"input": _text(item, "input", index)}).decode(), index)
        elif kind == "item_reference":
            found = self._find(_text(item, "id", index))
            if found is None:
                raise Invalid(f"Item with id '{item['id']}' not found.", "input", status=404)
            self._found[index] = found
            self._read_item(found, index)
        elif kind == "compaction":
            self.turns.append(Turn("system", open_sealed(_text(item, "encrypted_content", index))))
        elif not isinstance(kind, str) or kind not in ITEM_TYPES:
            raise unsupported_value(f"input[{index}]", kind if isinstance(kind, str) else "", ITEM_TYPES)

    def _read_message(self, item: Item, index: int) -> None:
        name = item.get("role")
        role = _ROLES.get(name) if isinstance(name, str) else None
        if role is None:
            shown = name if isinstance(name, str) else ""
            raise unsupported_value(f"input[{index}]", shown, ("assistant", "system", "developer", "user"))
        content = item.get("content")
        if isinstance(content, str):
            self.turns.append(Turn(role, content))
            return
        if content is None:
            raise missing(f"input[{index}].content")
        if not isinstance(content, list):
            raise wrong_type(f"input[{index}].content", "one of an array of objects or string", content)
        if role == "assistant":
            _check_id(item, "msg", index)
        texts, attachments = _read_parts(content, f"input[{index}].content", is_answer=role == "assistant")
        self.turns.append(Turn(role, texts, attachments))

    def _add_use(self, item: Item, arguments: str, index: int) -> None:
        use = ToolUse(_text(item, "call_id", index), _text(item, "name", index), arguments)
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == "assistant":
            last.tool_uses = (*last.tool_uses, use)
        else:
            self.turns.append(Turn("assistant", tool_uses=(use,)))

    def _read_result(self, item: Item, index: int) -> None:
        call_id = _text(item, "call_id", index)
        output = item.get("output")
        if isinstance(output, list):
            output, _ = _read_parts(output, f"input[{index}].output")
        elif not isinstance(output, str):
            if "output" not in item:
                raise missing(f"input[{index}].output")
            raise wrong_type(f"input[{index}].output", "one of an array of objects or string", output)
        result = ToolResult(call_id, "", output)
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == "tool":
            last.tool_results = (*last.tool_results, result)
        else:
            self.turns.append(Turn("tool", tool_results=(result,)))


def _text(item: Item, name: str, index: int) -> str:
    value = item.get(name)
    if isinstance(value, str):
        return value
    if name not in item:
        raise missing(f"input[{index}].{name}")
    raise wrong_type(f"input[{index}].{name}", "a string", value)


def _check_id(item: Item, prefix: str, index: int) -> None:
    given = item.get("id")
    if given is None or (isinstance(given, str) and given.startswith(prefix)):
        return
    if not isinstance(given, str):
        raise wrong_type(f"input[{index}].id", "a string", given)
    raise wrong_prefix(f"input[{index}].id", given, prefix)


def wrong_prefix(param: str, given: str, prefix: str) -> Invalid:
    """The refusal of an id that is another kind's."""
    return Invalid(f"Invalid '{param}': '{given}'. Expected an ID that begins with '{prefix}'.", param, "invalid_value")


def _read_parts(parts: list[Any], path: str, *, is_answer: bool = False) -> tuple[str, tuple[str, ...]]:
    texts = []
    attachments = []
    for index, part in enumerate(parts):
        if not isinstance(part, dict):
            raise wrong_type(f"{path}[{index}]", "an object", part)
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in _PART_TYPES:
            raise unsupported_value(f"{path}[{index}].type", kind if isinstance(kind, str) else "", _PART_TYPES)
        if is_answer and kind not in ("output_text", "refusal"):
            raise unsupported_value(f"{path}[{index}]", kind, ("output_text", "refusal"))
        member = _TEXT_MEMBERS.get(kind)
        if member is not None:
            value = part.get(member)
            if not isinstance(value, str):
                if member not in part:
                    raise missing(f"{path}[{index}].{member}")
                raise wrong_type(f"{path}[{index}].{member}", "a string", value)
            texts.append(value)
        elif kind in _ATTACHMENTS:
            attachments.append(_ATTACHMENTS[kind])
    return "\n".join(texts), tuple(attachments)


def match_calls(turns: Sequence[Turn]) -> None:
    """Names the tools that outputs came from. Raises Invalid for a call without its output, or the other way round."""
    called: dict[str, str] = {}
    waiting: dict[str, None] = {}
    for turn in turns:
        for use in turn.tool_uses:
            called[use.id] = use.name
            waiting[use.id] = None
        for result in turn.tool_results:
            name = called.get(result.id)
            if name is None:
                raise Invalid(f"No tool call found for function call output with call_id {result.id}.", "input")
            result.name = name
            waiting.pop(result.id, None)
    for call_id in waiting:
        raise Invalid(f"No tool output found for function call {call_id}.", "input")


def listed_items(items: str | Sequence[Any], name: Callable[[str, int], str]) -> list[Item]:
    """Items that were read and resolved before, as lists of items show them. `name`: the n-th's id."""
    if isinstance(items, str):
        items = [{"role": "user", "content": items}] if items else []
    listed: list[Item] = []
    for index, item in enumerate(items):
        kind = item.get("type") or "message"
        shown = {"id": _own_id(item) or name(_PREFIXES.get(kind, kind), index), "type": kind}
        if kind == "message":
            shown |= _listed_message(item)
        else:
            shown |= {member: value for member, value in item.items() if member not in shown}
            if kind.startswith(("function_call", "custom_tool_call")):
                shown["status"] = item.get("status") or "completed"
        listed.append(shown)
    return listed


def _own_id(item: Item) -> str | None:
    given = item.get("id")
    return given if isinstance(given, str) else None


def _listed_message(item: Item) -> dict[str, Any]:
    is_answer = item["role"] == "assistant"
    content = item["content"]
    if isinstance(content, str):
        content = [{"type": "output_text" if is_answer else "input_text", "text": content}]
    parts: list[Any] = []
    for part in content:
        if part["type"] == "output_text":
            parts.append({"annotations": [], "logprobs": [], **part})
        elif part["type"] == "input_image":
            parts.append({"detail": "auto", **part})
        else:
            parts.append(part)
    return {"status": item.get("status") or "completed", "content": parts, "role": item["role"]}


_SEAL = "gAAAAAB"


def seal(text: str) -> str:
    """A text as `encrypted_content`: opaque to look at, and readable again."""
    return _SEAL + base64.urlsafe_b64encode(text.encode()).decode()


def open_sealed(sealed: str) -> str:
    """The text in an `encrypted_content`. Raises Invalid for one that `seal` has not made."""
    if sealed.startswith(_SEAL):
        try:
            return base64.b64decode(sealed[len(_SEAL) :].encode(), b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            pass
    raise Invalid(
        f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. Reason: Encrypted content could "
        "not be decrypted or parsed.",
        None,
        "invalid_encrypted_content",
    )
