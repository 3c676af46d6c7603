"""Bodies of OpenAI's Responses API: what each member may hold, and the form an answer is to have.

Source: openai-python 3.54.0 `types/responses/response_create_params.py`, and refusals of the API quoted in public issue
reports and test suites, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects.openai_checks import (
    Check,
    anything,
    array,
    boolean,
    check_members,
    decimal,
    integer,
    limited_text,
    mapping,
    metadata,
    one_of,
    text,
    unknown_parameter,
)
from providers.emulated.dialects.openai_errors import Invalid, missing, unsupported_value, wrong_type
from providers.emulated.dialects.openai_models import is_reasoning, reasons_unasked, refuses_sampling
from providers.emulated.dialects.openai_responses_tools import check_name, check_tool, check_tool_choice
from providers.emulated.dialects.openai_strict import check_strict
from providers.emulated.question import OutputFormat

_INCLUDABLE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
_PLAIN_MODELS = ("gpt-3", "gpt-4", "chatgpt-")
_MOVED = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}


def check_body(body: Mapping[str, Any], *, is_lenient: bool) -> None:
    """The members of a body that asks for an answer or for a count of one. Raises Invalid."""
    if not is_lenient:
        for name in body:
            if name in _MOVED:
                raise Invalid(
                    f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to "
                    f"'{_MOVED[name]}'. Try again with the new parameter. See the API documentation for more "
                    "information: https://platform.openai.com/docs/api-reference/responses/create.",
                    None,
                    "unsupported_parameter",
                )
    check_members(body, _CHECKS, is_lenient=is_lenient)


def require_model(body: Mapping[str, Any]) -> str:
    """The model asked for. Raises Invalid."""
    if "model" not in body:
        raise missing("model")
    model = body["model"]
    if not isinstance(model, str):
        raise wrong_type("model", "a string", {} if model is None else model)
    if not model:
        raise Invalid("The requested model '' does not exist.", "model", "model_not_found")
    return model


def thinks(body: Mapping[str, Any], model: str) -> bool:
    """Whether the model reasons before it answers. Raises Invalid for what the model does not take."""
    reasoning = body.get("reasoning") or {}
    effort = reasoning.get("effort")
    summary = reasoning.get("summary")
    if is_reasoning(model):
        is_thinking = effort not in ("none", "minimal") if effort else reasons_unasked(model)
        if is_thinking or refuses_sampling(model):
            _check_no_sampling(body)
        return is_thinking
    asked = "effort" if effort else "summary" if summary else None
    if asked and model.startswith(_PLAIN_MODELS):
        raise Invalid(
            f"Unsupported parameter: 'reasoning.{asked}' is not supported with this model.",
            f"reasoning.{asked}",
            "unsupported_parameter",
        )
    return effort not in ("none", "minimal") if effort else summary is not None


def _check_no_sampling(body: Mapping[str, Any]) -> None:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is not None and value != 1:
            raise Invalid(f"Unsupported parameter: '{name}' is not supported with this model.", name)
    if body.get("top_logprobs") or "message.output_text.logprobs" in (body.get("include") or ()):
        raise Invalid("logprobs are not supported with reasoning models.", "include", "unsupported_parameter")


def read_output_format(body: Mapping[str, Any]) -> OutputFormat | None:
    """The form the text is to have, None for prose."""
    form = (body.get("text") or {}).get("format")
    if form is None or form["type"] == "text":
        return None
    return OutputFormat(form["schema"] if form["type"] == "json_schema" else None)


def _check_text(value: Any, param: str) -> None:
    mapping(value, param)
    for name in value:
        if name not in ("format", "verbosity"):
            raise unknown_parameter(f"text.{name}")
    if value.get("verbosity") is not None:
        _VERBOSITY(value["verbosity"], "text.verbosity")
    form = value.get("format")
    if form is None:
        return
    mapping(form, "text.format")
    if "type" not in form:
        raise missing("text.format.type")
    kind = form["type"]
    if kind not in ("json_object", "text", "json_schema"):
        raise unsupported_value("text.format.type", kind, ("json_object", "text", "json_schema"))
    if kind != "json_schema":
        return
    for name in ("name", "schema"):
        if name not in form:
            raise missing(f"text.format.{name}")
    check_name(form["name"], "text.format.name")
    mapping(form["schema"], "text.format.schema")
    if form.get("description") is not None:
        text(form["description"], "text.format.description")
    if form.get("strict") is not None:
        boolean(form["strict"], "text.format.strict")
        if form["strict"]:
            what = f"response_format '{form['name']}'"
            check_strict(form["schema"], what, "text.format.schema", "invalid_json_schema")


def _check_reasoning(value: Any, param: str) -> None:
    mapping(value, param)
    for name, check in _REASONING.items():
        if value.get(name) is not None:
            check(value[name], f"{param}.{name}")


def _check_conversation(value: Any, param: str) -> None:
    if isinstance(value, dict):
        if "id" not in value:
            raise missing(f"{param}.id")
        text(value["id"], f"{param}.id")
    elif not isinstance(value, str):
        raise wrong_type(param, "one of a string or object", value)


def _check_prompt(value: Any, param: str) -> None:
    mapping(value, param)
    if "id" not in value:
        raise missing(f"{param}.id")
    text(value["id"], f"{param}.id")


def _check_input(value: Any, param: str) -> None:
    if not isinstance(value, (str, list)):
        raise wrong_type(param, "one of a string or array of input items", value)


_VERBOSITY = one_of("low", "medium", "high")
_SUMMARY = one_of("auto", "concise", "detailed")
_REASONING: Mapping[str, Check] = {
    "effort": one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "summary": _SUMMARY,
    "generate_summary": _SUMMARY,
    "context": one_of("auto", "current_turn", "all_turns"),
    "mode": text,
}
_CHECKS: Mapping[str, Check] = {
    "model": text,
    "input": _check_input,
    "instructions": text,
    "previous_response_id": text,
    "conversation": _check_conversation,
    "prompt": _check_prompt,
    "include": array("an array of strings", one_of(*_INCLUDABLE)),
    "tools": array("an array of tools", check_tool),
    "tool_choice": check_tool_choice,
    "parallel_tool_calls": boolean,
    "max_tool_calls": integer(1),
    "max_output_tokens": integer(16),
    "metadata": metadata,
    "text": _check_text,
    "temperature": decimal(0, 2),
    "top_p": decimal(0, 1),
    "top_logprobs": integer(0, 20),
    "presence_penalty": decimal(-2, 2),
    "frequency_penalty": decimal(-2, 2),
    "reasoning": _check_reasoning,
    "stream": boolean,
    "stream_options": mapping,
    "background": boolean,
    "background_options": mapping,
    "store": boolean,
    "truncation": one_of("auto", "disabled"),
    "user": text,
    "safety_identifier": limited_text(128),
    "prompt_cache_key": text,
    "prompt_cache_retention": one_of("in_memory", "24h"),
    "prompt_cache_options": mapping,
    "service_tier": one_of("auto", "default", "fast", "flex", "priority", "scale", "ultrafast"),
    "moderation": mapping,
    "context_management": array("an array of objects", mapping),
    "access_programs": mapping,
    "image": mapping,
    "personality": anything,
}
