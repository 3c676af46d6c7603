"""What Google refuses in a generateContent request that is well-formed.

The two services word the same complaint differently. Source: public reports of both, read November 2026.
"""

from __future__ import annotations

import re
from typing import Any

from providers.emulated.base import EmulatedRequest, Refused
from providers.emulated.dialects.google_errors import is_gemini, refuse

_LEARN_MORE = " Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini"
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_MIME_TYPES = frozenset({"", "text/plain", "application/json", "application/xml", "application/yaml", "text/x.enum"})
# Source: ai.google.dev/gemini-api/docs/thought-signatures, read November 2026. Any text is taken as a signature: the
# same page offers dummies to those who have none.
_NEEDS_SIGNATURE = "gemini-3"

_RANGES: tuple[tuple[str, str, float, float, str], ...] = (
    ("temperature", "temperature", 0, 2, "[0.0, 2.0]"),
    ("topP", "top_p", 0, 1, "[0.0, 1.0]"),
    ("candidateCount", "candidate_count", 1, 8, "[1, 8]"),
    ("presencePenalty", "presence_penalty", -2, 2, "[-2.0, 2.0]"),
    ("frequencyPenalty", "frequency_penalty", -2, 2, "[-2.0, 2.0]"),
    ("logprobs", "logprobs", 0, 20, "[0, 20]"),
)
_MOST_STOPS = 5


def check_contents(request: EmulatedRequest, body: dict[str, Any], model: str) -> None:
    """Raises Refused for an empty conversation, roles Google does not know, calls and responses that do not match."""
    contents = body.get("contents")
    if not contents:
        raise _either(
            request,
            "* GenerateContentRequest.contents: contents is not specified\n",
            "Unable to submit request because at least one contents field is required." + _LEARN_MORE,
        )
    has_calls = False
    for place, content in enumerate(contents):
        role = content.get("role")
        if role != "user" and role != "model" and not _is_role(role, request):
            raise refuse(request, "Please use a valid role: user, model.")
        parts = content.get("parts")
        if not parts:
            raise _either(
                request,
                f"* GenerateContentRequest.contents[{place}].parts: contents.parts must not be empty.\n",
                "Unable to submit request because it must include at least one parts field, which describes the "
                "prompt input." + _LEARN_MORE,
            )
        for position, part in enumerate(parts):
            if not part:
                raise _either(
                    request,
                    f"* GenerateContentRequest.contents[{place}].parts[{position}].data: required oneof field 'data' "
                    "must have one initialized field\n",
                    "Unable to submit request because it must have a text parameter. Add a text parameter and try "
                    "again." + _LEARN_MORE,
                )
            has_calls = has_calls or "functionCall" in part or "functionResponse" in part
    if has_calls:
        _check_calls(request, contents)
        if model.startswith(_NEEDS_SIGNATURE):
            _check_signatures(request, contents)


def check_config(request: EmulatedRequest, config: dict[str, Any]) -> None:
    """Raises Refused for numbers out of range and settings that contradict each other."""
    if not config:
        return
    for name, snake, lowest, highest, shown in _RANGES:
        value = config.get(name)
        if value is not None and not lowest <= value <= highest:
            raise _either(
                request,
                f"* GenerateContentRequest.generation_config.{snake}: {snake} must be in the range {shown}.\n",
                f"Unable to submit request because it has a {name} value of {value:g} but the supported range is from "
                f"{lowest:g} (inclusive) to {highest:g} (inclusive). Update the value and try again.",
            )
    most = config.get("maxOutputTokens")
    if most is not None and most < 1:
        raise _either(
            request,
            "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.\n",
            f"Unable to submit request because it has a maxOutputTokens value of {most} but the supported range is "
            "from 1 (inclusive) to 65537 (exclusive). Update the value and try again.",
        )
    stops = len(config.get("stopSequences", ()))
    if stops > _MOST_STOPS:
        raise _either(
            request,
            f"* GenerateContentRequest.generation_config.stop_sequences: the number of stop_sequences must not exceed "
            f"{_MOST_STOPS}.\n",
            f"Unable to submit request because it has a stopSequences value of {stops} but the supported range is from "
            f"1 (inclusive) to {_MOST_STOPS + 1} (exclusive). Update the value and try again.",
        )
    _check_format(request, config)
    _check_thinking(request, config.get("thinkingConfig") or {})


def check_tools(request: EmulatedRequest, body: dict[str, Any], config: dict[str, Any], model: str) -> None:
    """Raises Refused for function names Google does not take, and a choice among functions that are not offered."""
    names = set()
    for place, tool in enumerate(body.get("tools", ())):
        for position, declared in enumerate(tool.get("functionDeclarations", ())):
            name = declared.get("name", "")
            if not _FUNCTION_NAME.fullmatch(name):
                raise refuse(
                    request,
                    f"* GenerateContentRequest.tools[{place}].function_declarations[{position}].name: Invalid function "
                    "name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores "
                    "(_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n",
                )
            if name in names:
                raise refuse(request, f"Duplicate function declaration found: {name}")
            names.add(name)
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if calling.get("mode") == "ANY" and not names and not body.get("cachedContent"):
        raise refuse(request, "Function calling config is set without function_declarations.")
    allowed = calling.get("allowedFunctionNames", ())
    if allowed and calling.get("mode") not in ("ANY", "VALIDATED"):
        raise refuse(
            request,
            "Function calling config: allowed_function_names may be set only when the mode is ANY or VALIDATED.",
        )
    if not names.issuperset(allowed) and not body.get("cachedContent"):
        raise refuse(request, "allowed_function_names should be a subset of the provided function_declarations")
    if body.get("tools") and config.get("responseMimeType") == "application/json" and _is_before_3(model):
        kind = "Function calling" if names else "Tool use"
        raise refuse(request, f"{kind} with a response mime type: 'application/json' is unsupported")


def _is_role(role: str | None, request: EmulatedRequest) -> bool:
    """Only the Gemini API does without a role."""
    if role is None or role == "":
        return is_gemini(request.call.path)
    return role in ("user", "model", "function")


def _check_calls(request: EmulatedRequest, contents: list[dict[str, Any]]) -> None:
    """Responses follow their calls at once, as many as there were; contents of one kind in a row are one turn."""
    pending: int | None = None
    answered = 0
    previous = ""
    for content in contents:
        parts = content["parts"]
        calls = sum("functionCall" in part for part in parts)
        responses = sum("functionResponse" in part for part in parts)
        if responses:
            if previous != "responses":
                if pending is None:
                    raise refuse(
                        request,
                        "Please ensure that function response turn comes immediately after a function call turn.",
                    )
                answered = 0
            answered += responses
            previous = "responses"
            continue
        if previous == "responses" and answered != pending:
            raise refuse(request, _UNEQUAL)
        if pending is not None and previous != "responses" and content.get("role") != "model":
            raise refuse(request, _UNEQUAL)
        if previous == "responses":
            pending = None
        if calls:
            if not previous:
                raise refuse(
                    request,
                    "Please ensure that function call turn comes immediately after a user turn or after a function "
                    "response turn.",
                )
            pending = calls + (pending or 0)
        previous = "other"
    if previous == "responses" and answered != pending:
        raise refuse(request, _UNEQUAL)


_UNEQUAL = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)


def _check_signatures(request: EmulatedRequest, contents: list[dict[str, Any]]) -> None:
    """Gemini 3 wants the signature back with the first call of each step of the turn that is going on."""
    begins = 0
    for place, content in enumerate(contents):
        if content.get("role") != "model" and any("functionResponse" not in part for part in content["parts"]):
            begins = place
    for place, content in enumerate(contents[begins:], begins):
        first = next((part for part in content["parts"] if "functionCall" in part), None)
        if first is not None and not first.get("thoughtSignature"):
            name = first["functionCall"].get("name", "")[:128]
            raise refuse(
                request,
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                f"data, function call `default_api:{name}` , position {place + 1}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
            )


def _check_format(request: EmulatedRequest, config: dict[str, Any]) -> None:
    kind = config.get("responseMimeType", "")
    if kind not in _MIME_TYPES:
        raise refuse(
            request,
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain`, "
            "`application/json`, `application/xml`, `application/yaml` and `text/x.enum`.\n",
        )
    has_schema = "responseSchema" in config
    has_json_schema = "responseJsonSchema" in config or "_responseJsonSchema" in config
    if has_schema and has_json_schema:
        raise refuse(
            request,
            "* GenerateContentRequest.generation_config.response_json_schema: only one of `response_schema` and "
            "`response_json_schema` can be set.\n",
        )
    if (has_schema or has_json_schema) and kind in ("", "text/plain"):
        raise refuse(
            request,
            "* GenerateContentRequest.generation_config.response_schema: `response_mime_type` must be "
            "`application/json` or `text/x.enum` when a response schema is set.\n",
        )


def _check_thinking(request: EmulatedRequest, thinking: dict[str, Any]) -> None:
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise refuse(request, "You can only set only one of thinking budget and thinking level.")
    budget = thinking.get("thinkingBudget", -1)
    if not -1 <= budget <= 32768:
        raise refuse(
            request,
            f"The thinking budget {budget} is invalid. Please choose a value between 0 and 32768, or -1 for a dynamic "
            "budget.",
        )
    if thinking.get("includeThoughts") and budget == 0:
        raise refuse(
            request,
            "Unable to submit request because thinking_config.include_thoughts is only enabled when thinking is "
            "enabled." + _LEARN_MORE,
        )


def _is_before_3(model: str) -> bool:
    return model.startswith(("gemini-1", "gemini-2"))


def _either(request: EmulatedRequest, gemini: str, vertex: str) -> Refused:
    return refuse(request, gemini if is_gemini(request.call.path) else vertex)
