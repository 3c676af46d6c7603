"""Reads how an Anthropic request wants its answer: sampling, the form of the output, thinking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_content import NEWEST_VERSION, Conversation
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_models import output_limit
from providers.emulated.question import OutputFormat, Question

_SAMPLING = ("temperature", "top_p", "top_k")
_ONE_OF_THEM = ("opus-4-1", "-4-5", "-4-6")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_DISPLAYS = ("summarized", "omitted", "updates")


def read_sampling(shape: ErrorShape, body: Mapping[str, Any], question: Question, version: str) -> None:
    """Takes the temperature, and checks the rest. `version`: the newest knows none of them."""
    if version == NEWEST_VERSION:
        for name in _SAMPLING:
            if name in body:
                raise fields.invalid(shape, f"{name}: Extra inputs are not permitted")
        return
    for name in ("temperature", "top_p"):
        if body.get(name) is not None and not 0 <= fields.number(shape, body[name], name) <= 1:
            raise fields.invalid(shape, f"{name}: range: 0..1")
    # Source: the service's message, as quoted in github.com/BerriAI/litellm/issues/15097, October 2025.
    if (
        body.get("temperature") is not None
        and body.get("top_p") is not None
        and any(part in question.model for part in _ONE_OF_THEM)
    ):
        raise fields.invalid(
            shape, "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        )
    if body.get("top_k") is not None:
        fields.integer(shape, body["top_k"], "top_k", 0)
    if body.get("temperature") is not None:
        question.temperature = float(body["temperature"])


def check_length(shape: ErrorShape, max_tokens: int, model: str) -> None:
    """Refuses more tokens than a model can give.

    Source: the service's message, as quoted in github.com/anthropics/claude-code/issues/24451, February 2026.
    """
    found = output_limit(model)
    if found is not None and max_tokens > found[0]:
        raise fields.invalid(
            shape,
            f"max_tokens: {max_tokens} > {found[0]}, which is the maximum allowed number of output tokens for "
            f"{found[1]}",
        )


def read_stops(shape: ErrorShape, given: Any) -> tuple[str, ...]:
    stops = fields.sequence(shape, given, "stop_sequences")
    for number, stop in enumerate(stops):
        if not fields.text(shape, stop, f"stop_sequences.{number}").strip():
            raise fields.invalid(shape, "stop_sequences: each stop sequence must contain non-whitespace")
    return tuple(stops)


def read_output(shape: ErrorShape, body: Mapping[str, Any]) -> OutputFormat | None:
    """The form of the output, under its present name or its first one; None if any will do."""
    found = None
    if body.get("output_config") is not None:
        config = fields.mapping(shape, body["output_config"], "output_config")
        if config.get("effort") is not None:
            fields.one_of(shape, config["effort"], "output_config.effort", _EFFORTS)
        if config.get("format") is not None:
            found = _read_format(shape, config["format"], "output_config.format")
    if body.get("output_format") is not None:
        found = _read_format(shape, body["output_format"], "output_format")
    return found


def _read_format(shape: ErrorShape, given: Any, place: str) -> OutputFormat:
    given = fields.mapping(shape, given, place)
    if fields.required(shape, given, "type", place + ".") != "json_schema":
        raise fields.invalid(shape, f"{place}.type: Input should be 'json_schema'")
    schema = fields.mapping(shape, fields.required(shape, given, "schema", place + "."), f"{place}.schema")
    _check_closed(shape, schema, f"{place}.schema")
    return OutputFormat(schema)


def _check_closed(shape: ErrorShape, schema: Any, place: str) -> None:
    """Every object in the schema must say that it takes no other members.

    Source: docs.claude.com/en/docs/build-with-claude/structured-outputs, "JSON Schema limitations", November 2026.
    """
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            if part.get("type") == "object" and part.get("additionalProperties") is not False:
                raise fields.invalid(
                    shape, f"{place}: For 'object' type, 'additionalProperties' must be explicitly set to false"
                )
            for name in ("properties", "$defs", "definitions"):
                if isinstance(part.get(name), dict):
                    waiting += part[name].values()
            waiting += [part[name] for name in ("items", "anyOf", "allOf") if name in part]


def read_thinking(shape: ErrorShape, given: Any, question: Question, conversation: Conversation) -> bool:
    """Tells the question whether to think and how much. Whether the thinking is to be shown, not just sealed."""
    given = fields.mapping(shape, given, "thinking")
    kind = fields.tag(shape, given, "thinking", ("adaptive", "between_tools", "disabled", "enabled"))
    if kind in ("disabled", "between_tools"):
        return True
    question.thinks = True
    is_shown = True
    if given.get("display") is not None:
        is_shown = fields.one_of(shape, given["display"], f"thinking.{kind}.display", _DISPLAYS) != "omitted"
    if kind == "adaptive":
        return is_shown
    budget = fields.required(shape, given, "budget_tokens", "thinking.enabled.")
    budget = fields.integer(shape, budget, "thinking.enabled.budget_tokens", 1024)
    if question.max_tokens is not None and question.max_tokens <= budget:
        raise fields.invalid(
            shape,
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        )
    question.thinking_tokens = budget
    if question.tool_choice.mode in ("any", "named"):
        raise fields.invalid(shape, "Thinking may not be enabled when tool_choice forces tool use.")
    if question.temperature is not None and question.temperature != 1:
        raise fields.invalid(
            shape,
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-"
            "extended-thinking",
        )
    place, opening = conversation.opening
    if question.has_tool_result and opening not in ("thinking", "redacted_thinking"):
        raise fields.invalid(
            shape,
            f"{place}.type: Expected `thinking` or `redacted_thinking`, but found `{opening}`. When `thinking` is "
            "enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of "
            "`tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To "
            "avoid this requirement, disable `thinking`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
        )
    return is_shown
