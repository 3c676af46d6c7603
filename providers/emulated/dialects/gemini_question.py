"""generateContent requests as questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from providers.emulated.base import EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_checks import check_config, check_contents, check_tools
from providers.emulated.dialects.gemini_models import check_model
from providers.emulated.dialects.gemini_schema import to_json_schema
from providers.emulated.dialects.google_errors import is_gemini, refuse
from providers.emulated.dialects.google_json import digest
from providers.emulated.question import OutputFormat, Question, Role, Tool, ToolChoice, ToolResult, ToolUse, Turn

CACHES = "cached_contents"
"""The shelf's kind of what `caches.create` keeps."""
FILES = "files"


@dataclass(slots=True)
class Asked:
    """A question, and what of its request concerns the reply's form only.

    `cached_tokens`: of the cached content that the request names. `logprobs`: how many alternatives of each token are
    wanted, None for no logarithms at all.
    """

    question: Question
    candidates: int = 1
    is_enum: bool = False
    logprobs: int | None = None
    modalities: Sequence[str] = ()
    image: dict[str, Any] = field(default_factory=dict)
    cached_tokens: int = 0
    is_repeatable: bool = True


def ask(request: EmulatedRequest, body: dict[str, Any], desk: Desk) -> Asked:
    """The question of a GenerateContentRequest. Raises Refused."""
    model = request.call.model or _short(body.get("model", ""))
    operation = request.call.operation
    made_from = digest(request, body, model)
    config = body.get("generationConfig") or {}
    check_model(request, desk, model)
    check_contents(request, body, model)
    check_config(request, config)
    check_tools(request, body, config, model)

    asked = Asked(
        Question(
            "generate_content" if operation is None else operation.name,
            model,
            made_from,
            turns_of(body),
            output=_output(config),
            max_tokens=config.get("maxOutputTokens"),
            stops=tuple(config.get("stopSequences", ())),
            temperature=config.get("temperature"),
            seed=config.get("seed"),
        )
    )
    question = asked.question
    if body.get("tools"):
        question.tools = tools_of(body)
        question.tool_choice = _choice(body)
    if config:
        thinking = config.get("thinkingConfig") or {}
        budget = thinking.get("thinkingBudget")
        question.thinks = thinking.get("includeThoughts") is True and budget != 0
        question.thinking_tokens = budget if budget is not None and budget > 0 else None
        asked.candidates = config.get("candidateCount", 1)
        asked.is_enum = config.get("responseMimeType") == "text/x.enum"
        asked.modalities = config.get("responseModalities", ())
        asked.image = config.get("imageConfig") or {}
        if config.get("responseLogprobs"):
            asked.logprobs = config.get("logprobs", 0)
    if body.get("cachedContent"):
        _use_cache(request, body, desk, asked)
    check_files(request, body.get("contents", ()), desk, asked)
    return asked


def turns_of(body: dict[str, Any]) -> list[Turn]:
    """The conversation: the system instruction first."""
    turns = []
    system = body.get("systemInstruction")
    if system:
        turns.append(Turn("system", "\n".join(_texts(system.get("parts", ())))))
    for content in body.get("contents", ()):
        turns.append(_turn(content))
    return turns


def tools_of(body: dict[str, Any]) -> list[Tool]:
    """The functions on offer; Google's own tools are not called."""
    return [
        Tool(declared.get("name", ""), declared.get("description", ""), _parameters(declared))
        for tool in body.get("tools", ())
        for declared in tool.get("functionDeclarations", ())
    ]


def check_files(
    request: EmulatedRequest, contents: Iterable[dict[str, Any]], desk: Desk, asked: Asked | None = None
) -> None:
    """Files of the Gemini API must have been uploaded. Raises Refused."""
    if b"fileUri" not in request.body and b"file_uri" not in request.body:
        return
    for content in contents:
        for part in content.get("parts", ()):
            uri = part.get("fileData", {}).get("fileUri", "")
            name = uri.rpartition("/files/")[2]
            if "generativelanguage.googleapis.com/" not in uri or "/files/" not in uri:
                continue
            if desk.shelf.get(FILES, name) is None:
                raise refuse(
                    request,
                    f"You do not have permission to access the File {name[:64]} or it may not exist.",
                    403,
                )
            if asked is not None:
                asked.is_repeatable = False


def _turn(content: dict[str, Any]) -> Turn:
    parts = content.get("parts", ())
    if len(parts) == 1 and "text" in parts[0]:
        role: Role = "assistant" if content.get("role") == "model" else "user"
        return Turn(role, "" if parts[0].get("thought") else parts[0]["text"])
    texts = _texts(parts)
    if content.get("role") == "model":
        uses = [
            ToolUse(call.get("id", ""), call.get("name", ""), orjson.dumps(call.get("args", {})).decode())
            for call in (part["functionCall"] for part in parts if "functionCall" in part)
        ]
        return Turn("assistant", "".join(texts), _attachments(parts), tuple(uses))
    results = [_result(part["functionResponse"]) for part in parts if "functionResponse" in part]
    return Turn("tool" if results else "user", "\n".join(texts), _attachments(parts), tool_results=tuple(results))


def _texts(parts: Iterable[dict[str, Any]]) -> list[str]:
    """The parts' texts without thoughts; code that was run counts as text."""
    texts = []
    for part in parts:
        if part.get("thought"):
            continue
        text = part.get("text")
        if text is None:
            run = part.get("executableCode") or part.get("codeExecutionResult") or {}
            text = run.get("code", run.get("output"))
        if isinstance(text, str):
            texts.append(text)
    return texts


def _attachments(parts: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    held = []
    for part in parts:
        holder = part.get("inlineData") or part.get("fileData")
        if holder is not None:
            kind = holder.get("mimeType", "").partition("/")[0]
            held.append(kind if kind in ("image", "audio", "video") else "document")
    return tuple(held)


def _result(response: dict[str, Any]) -> ToolResult:
    """What a function said. By convention "output" or "result" holds it, "error" says that it failed."""
    said = response.get("response", {})
    value: Any = said
    if len(said) == 1:
        value = next((said[name] for name in ("output", "result", "error") if name in said), said)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return ToolResult(response.get("id", ""), response.get("name", ""), text, "error" in said)


def _parameters(declared: dict[str, Any]) -> dict[str, Any]:
    schema = declared.get("parametersJsonSchema")
    if isinstance(schema, dict):
        return schema
    return to_json_schema(declared.get("parameters"))


def _choice(body: dict[str, Any]) -> ToolChoice:
    config = body.get("toolConfig", {}).get("functionCallingConfig", {})
    mode = config.get("mode")
    if mode == "NONE":
        return ToolChoice("none")
    if mode == "ANY":
        names = tuple(config.get("allowedFunctionNames", ()))
        return ToolChoice("named", names) if names else ToolChoice("any")
    return ToolChoice()


def _output(config: dict[str, Any]) -> OutputFormat | None:
    kind = config.get("responseMimeType")
    schema = config.get("responseJsonSchema", config.get("_responseJsonSchema"))
    if isinstance(schema, dict):
        return OutputFormat(schema)
    if "responseSchema" in config:
        return OutputFormat(to_json_schema(config["responseSchema"]))
    for entry in config.get("responseFormat", ()):
        text = entry.get("text") or {}
        if isinstance(text.get("schema"), dict):
            return OutputFormat(text["schema"])
        if "json" in text.get("mimeType", "").lower():
            return OutputFormat()
    return OutputFormat() if kind == "application/json" else None


def _use_cache(request: EmulatedRequest, body: dict[str, Any], desk: Desk, asked: Asked) -> None:
    """Puts what was cached before the conversation. Raises Refused."""
    if body.get("systemInstruction") or body.get("tools") or body.get("toolConfig"):
        text = (
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
            "tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request."
        )
        if not is_gemini(request.call.path):
            text = (
                "Tool config, tools and system instruction should not be set in the request when using cached content."
            )
        raise refuse(request, text)
    kept = desk.shelf.get(CACHES, _short(body["cachedContent"]))
    if kept is None or kept.expires_at <= request.now:
        if is_gemini(request.call.path):
            raise refuse(request, "CachedContent not found (or permission denied)", 403)
        raise refuse(request, f"Not found: cached content metadata for {_short(body['cachedContent'])[:64]}.", 404)
    question = asked.question
    question.turns = turns_of(kept.body) + question.turns
    question.tools = tools_of(kept.body)
    question.tool_choice = _choice(kept.body)
    asked.cached_tokens = kept.tokens
    asked.is_repeatable = False


def _short(name: str) -> str:
    return name.rpartition("/")[2]
