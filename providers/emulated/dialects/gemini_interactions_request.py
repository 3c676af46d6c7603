"""Interactions, Google's newer way to ask: requests as questions.

Source: google-genai 3.4.0 `_gaos/types/interactions/` and the Interactions guide of the Gemini API, read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from providers.emulated.base import EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_models import check_model
from providers.emulated.dialects.gemini_schema import to_json_schema
from providers.emulated.dialects.google_errors import refuse
from providers.emulated.dialects.google_json import digest, parse
from providers.emulated.question import OutputFormat, Question, Tool, ToolChoice, ToolResult, ToolUse, Turn

INTERACTIONS = "interactions"
"""The shelf's kind of what is stored of an interaction."""
_KINDS = frozenset({"image", "audio", "video", "document"})


@dataclass(slots=True)
class Stored:
    """An interaction as it can be asked for later: its reply, its input, and the conversation up to its end."""

    shape: dict[str, Any]
    input: Any
    turns: list[Turn]


@dataclass(slots=True)
class Interaction:
    """A question, and what else of its request concerns the reply. `previous`: the id of the one it goes on from."""

    question: Question
    is_streaming: bool
    is_stored: bool
    input: Any
    previous: str = ""
    is_repeatable: bool = True
    shape: dict[str, Any] = field(default_factory=dict)


def read_interaction(request: EmulatedRequest, desk: Desk) -> Interaction:
    """Raises Refused."""
    body = parse(request)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        if body.get("agent"):
            raise refuse(request, "Rubberduck's emulation of this provider answers interactions with models only.")
        raise refuse(request, "Either model or agent must be specified.")
    model = model.rpartition("/")[2]
    check_model(request, desk, model)
    if body.get("input") in (None, "", [], {}):
        raise refuse(request, "The input must not be empty.")
    made_from = digest(request, {name: value for name, value in body.items() if name != "stream"}, model)
    config = _object(request, body, "generation_config")
    question = Question(
        "interactions.create",
        model,
        made_from,
        [],
        output=_output(request, body),
        max_tokens=_integer(request, config, "max_output_tokens"),
        stops=tuple(_strings(request, config, "stop_sequences")),
        temperature=_temperature(request, config),
        seed=_integer(request, config, "seed"),
        thinks=config.get("thinking_summaries") == "auto",
    )
    if question.max_tokens is not None and question.max_tokens < 1:
        raise refuse(request, "max_output_tokens must be positive.")
    asked = Interaction(
        question,
        body.get("stream") is True,
        body.get("store") is not False,
        body["input"],
    )
    _tools(request, body, config, question)
    system = body.get("system_instruction")
    if system is not None and not isinstance(system, str):
        raise refuse(request, "system_instruction must be a string.")
    previous = body.get("previous_interaction_id")
    if previous is not None:
        _go_on(request, desk, previous, asked)
    if system:
        question.turns = [turn for turn in question.turns if turn.role != "system"]
        question.turns.insert(0, Turn("system", system))
    question.turns += _turns(request, body["input"])
    return asked


def _go_on(request: EmulatedRequest, desk: Desk, previous: Any, asked: Interaction) -> None:
    stored = desk.shelf.get(INTERACTIONS, previous) if isinstance(previous, str) else None
    if not isinstance(stored, Stored):
        raise refuse(request, "The previous interaction was not found.", 404)
    asked.previous = previous
    asked.question.turns = list(stored.turns)
    asked.is_repeatable = False


def _turns(request: EmulatedRequest, given: Any) -> list[Turn]:
    """The input: a text, a content, contents, or steps."""
    if isinstance(given, str):
        return [Turn("user", given)]
    items = given if isinstance(given, list) else [given]
    turns: list[Turn] = []
    contents: list[dict[str, Any]] = []
    for item in items:
        if not isinstance(item, dict):
            raise refuse(request, "The input must be a string, a content object, or a list of contents or steps.")
        kind = item.get("type")
        if kind == "text" or (isinstance(kind, str) and kind in _KINDS):
            contents.append(item)
        elif "role" in item:
            turns.append(_message(request, item.get("content"), item["role"] == "model"))
        elif kind in ("user_input", "model_output"):
            turns.append(_message(request, item.get("content"), kind == "model_output"))
        elif kind == "function_call":
            use = ToolUse(_text(item, "id"), _text(item, "name"), orjson.dumps(item.get("arguments") or {}).decode())
            turns.append(Turn("assistant", tool_uses=(use,)))
        elif kind == "function_result":
            turns.append(_result(request, item))
        elif not isinstance(kind, str) or not kind:
            raise refuse(request, "Each item of the input must have a type.")
    if contents:
        turns.append(_message(request, contents, False))
    return _joined(turns)


def _message(request: EmulatedRequest, content: Any, is_model: bool) -> Turn:
    if isinstance(content, str):
        return Turn("assistant" if is_model else "user", content)
    items = content if isinstance(content, list) else [content]
    texts, held = [], []
    for item in items:
        if isinstance(item, dict):
            kind = item.get("type")
            if kind == "text":
                if not isinstance(item.get("text"), str):
                    raise refuse(request, "A content of type text must have a text.")
                texts.append(item["text"])
            elif isinstance(kind, str) and kind in _KINDS:
                held.append(kind)
    return Turn("assistant" if is_model else "user", "\n".join(texts), tuple(held))


def _result(request: EmulatedRequest, item: dict[str, Any]) -> Turn:
    if not _text(item, "call_id"):
        raise refuse(request, "A function_result must have a call_id.")
    result = item.get("result")
    if isinstance(result, list):
        said = "\n".join(
            part["text"] for part in result if isinstance(part, dict) and isinstance(part.get("text"), str)
        )  # fmt: skip
    else:
        said = result if isinstance(result, str) else orjson.dumps(result).decode()
    name = _text(item, "name")
    return Turn("tool", tool_results=(ToolResult(item["call_id"], name, said, item.get("is_error") is True),))


def _joined(turns: list[Turn]) -> list[Turn]:
    """Calls and results that follow one another are one turn."""
    found: list[Turn] = []
    for turn in turns:
        last = found[-1] if found else None
        if last is not None and last.role == turn.role == "tool":
            last.tool_results += turn.tool_results
        elif last is not None and last.role == turn.role == "assistant":
            last.text += turn.text
            last.tool_uses += turn.tool_uses
        else:
            found.append(turn)
    return found


def _tools(request: EmulatedRequest, body: dict[str, Any], config: dict[str, Any], question: Question) -> None:
    given = body.get("tools")
    if given is None:
        return
    if not isinstance(given, list) or not all(isinstance(tool, dict) for tool in given):
        raise refuse(request, "tools must be a list of objects.")
    for tool in given:
        if tool.get("type") == "function":
            if not _text(tool, "name"):
                raise refuse(request, "A tool of type function must have a name.")
            schema = tool.get("parameters")
            schema = schema if isinstance(schema, dict) else {}
            question.tools.append(Tool(tool["name"], _text(tool, "description"), to_json_schema(schema)))
    choice = config.get("tool_choice", body.get("tool_choice"))
    allowed: list[str] = []
    if isinstance(choice, dict):
        chosen = choice.get("allowed_tools")
        chosen = chosen if isinstance(chosen, dict) else {}
        allowed = [name for name in chosen.get("tools") or () if isinstance(name, str)]
        choice = chosen.get("mode")
    if choice == "none":
        question.tool_choice = ToolChoice("none")
    elif choice == "any":
        question.tool_choice = ToolChoice("named", tuple(allowed)) if allowed else ToolChoice("any")


def _output(request: EmulatedRequest, body: dict[str, Any]) -> OutputFormat | None:
    """`response_format`: typed, a list of typed ones, or (as before) a bare JSON Schema."""
    given = body.get("response_format")
    for entry in given if isinstance(given, list) else [given]:
        if not isinstance(entry, dict):
            continue
        if entry.get("type") in ("image", "audio", "video"):
            raise refuse(request, "Rubberduck's emulation of this provider answers interactions with text only.")
        if entry.get("type") != "text":
            return OutputFormat(to_json_schema(entry))
        if isinstance(entry.get("schema"), dict):
            return OutputFormat(to_json_schema(entry["schema"]))
        if entry.get("mime_type") == "application/json":
            return OutputFormat()
    return OutputFormat() if body.get("response_mime_type") == "application/json" else None


def _object(request: EmulatedRequest, body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(request, f"{name} must be an object.")
    return value


def _integer(request: EmulatedRequest, config: dict[str, Any], name: str) -> int | None:
    value = config.get(name)
    if value is not None and type(value) is not int:
        raise refuse(request, f"{name} must be an integer.")
    return value


def _temperature(request: EmulatedRequest, config: dict[str, Any]) -> float | None:
    value = config.get("temperature")
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 2:
        raise refuse(request, "temperature must be a number in the range [0.0, 2.0].")
    return float(value)


def _strings(request: EmulatedRequest, config: dict[str, Any], name: str) -> list[str]:
    value = config.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refuse(request, f"{name} must be a list of strings.")
    return value


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
