"""Answers as OpenAI's Responses API gives them: output items, and the response object around them.

Source: openai-python 3.54.0 `types/responses/response.py` and `response_output_item.py`, and replies of the API quoted
in public repositories, read November 2026.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop, alphanumeric, created_at, hexadecimal
from providers.emulated.dialects.openai_chat import custom_call
from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_filters import DELTA_FILTERS, PROMPT_FILTERS
from providers.emulated.dialects.openai_logprobs import token_logprobs
from providers.emulated.dialects.openai_responses_input import seal
from providers.wire.openai_errors import UNPARSABLE

_TOOL_USAGE = {
    "image_gen": {
        "input_tokens": 0,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "total_tokens": 0,
    },
    "web_search": {"num_requests": 0},
}
_BILLING = {"payer": "developer"}
_PLAIN_TEXT = {"format": {"type": "text"}, "verbosity": "medium"}
_NO_REASONING = {"effort": None, "summary": None}
_TIERS = {"auto": "default", "fast": "priority"}


class Ids:
    """The ids of one answer: the same for the same digest. All of them end alike, so that an item leads to its
    response."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest
        self.tail = digest[16:24].hex()

    def response(self) -> str:
        return f"resp_{self._digest[:16].hex()}{self.tail}"

    def item(self, prefix: str, index: int) -> str:
        """Of an item that is made."""
        return f"{prefix}_{hexadecimal(self._digest, f'{prefix}{index}', 32)}{self.tail}"

    def given(self, prefix: str, index: int) -> str:
        """Of an item that came in without an id of its own."""
        return f"{prefix}_{hexadecimal(self._digest, f'given{index}', 32)}{self.tail}"


def tail_of(given: str) -> str:
    """The end that an id shares with the response or conversation it belongs to."""
    return given[-16:]


def output_items(
    answer: Answer, text: str, ids: Ids, body: Mapping[str, Any], plain_tools: Collection[str], *, thinks: bool
) -> list[dict[str, Any]]:
    """The items of `output`. `text`: the answer's. `plain_tools`: names of tools that take plain text.

    Sets the ids of the calls in `answer`.
    """
    items: list[dict[str, Any]] = []
    include = body.get("include") or ()
    if thinks or answer.thinking_pieces:
        reasoning = body.get("reasoning") or {}
        is_shown = answer.shows_thinking or reasoning.get("summary") or reasoning.get("generate_summary")
        has_summary = is_shown and answer.thinking_pieces
        summary = [{"type": "summary_text", "text": answer.thinking}] if has_summary else []
        item: dict[str, Any] = {"id": ids.item("rs", 0), "type": "reasoning", "summary": summary}
        if "reasoning.encrypted_content" in include:
            item["encrypted_content"] = seal(alphanumeric(answer.digest, "reasoning", 42))
        items.append(item)
    if answer.pieces or not (answer.tool_uses or (answer.stop is Stop.LENGTH and items)):
        part: dict[str, Any]
        if answer.stop is Stop.REFUSAL:
            part = {"type": "refusal", "refusal": text}
        else:
            part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
            if "message.output_text.logprobs" in include or body.get("top_logprobs"):
                most = body.get("top_logprobs") or 0
                part["logprobs"] = [token_logprobs(answer.digest, piece.text, most) for piece in answer.pieces]
        items.append({
            "id": ids.item("msg", 0),
            "type": "message",
            "status": "completed",
            "content": [part],
            "role": "assistant",
        })  # fmt: skip
    for index, use in enumerate(answer.tool_uses):
        use.id = f"call_{use.id}"
        if use.name in plain_tools:
            items.append({
                "id": ids.item("ctc", index),
                "type": "custom_tool_call",
                "status": "completed",
                "call_id": use.id,
                "input": custom_call(use.name, use.arguments)["input"],
                "name": use.name,
            })  # fmt: skip
        else:
            items.append({
                "id": ids.item("fc", index),
                "type": "function_call",
                "status": "completed",
                "arguments": use.arguments,
                "call_id": use.id,
                "name": use.name,
            })  # fmt: skip
    if answer.stop is Stop.LENGTH and "status" in items[-1]:
        items[-1]["status"] = "incomplete"
    return items


def usage_of(answer: Answer) -> dict[str, Any]:
    return {
        "input_tokens": answer.input_tokens,
        "input_tokens_details": {
            "cached_tokens": answer.cached_tokens,
            "cache_write_tokens": answer.cache_write_tokens,
        },
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }


def response_object(
    body: Mapping[str, Any], model: str, ids: Ids, answer: Answer, output: list[dict[str, Any]], *, thinks: bool
) -> dict[str, Any]:
    """The whole finished response. `model`: as replies name it."""
    created = created_at(answer.digest)
    is_cut = answer.stop is Stop.LENGTH
    get = body.get
    parallel = get("parallel_tool_calls")
    store = get("store")
    tier = get("service_tier") or "auto"
    tools = get("tools")
    text = get("text")
    temperature = get("temperature")
    top_p = get("top_p")
    response = {
        "id": ids.response(),
        "object": "response",
        "created_at": created,
        "status": "incomplete" if is_cut else "completed",
        "background": get("background") is True,
        "billing": _BILLING,
        "completed_at": None if is_cut else created + 1,
        "error": None,
        "frequency_penalty": get("frequency_penalty") or 0.0,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "instructions": get("instructions"),
        "max_output_tokens": get("max_output_tokens"),
        "max_tool_calls": get("max_tool_calls"),
        "model": model,
        "output": output,
        "parallel_tool_calls": parallel is not False,
        "presence_penalty": get("presence_penalty") or 0.0,
        "previous_response_id": get("previous_response_id"),
        "prompt_cache_key": get("prompt_cache_key"),
        "prompt_cache_retention": get("prompt_cache_retention"),
        "reasoning": _shown_reasoning(get("reasoning") or {}) if thinks else _NO_REASONING,
        "safety_identifier": get("safety_identifier"),
        "service_tier": _TIERS.get(tier, tier),
        "store": store is not False,
        "temperature": 1.0 if temperature is None else temperature,
        "text": _shown_text(text) if text else _PLAIN_TEXT,
        "tool_choice": get("tool_choice") or "auto",
        "tool_usage": _TOOL_USAGE,
        "tools": [_shown_tool(tool) for tool in tools] if tools else [],
        "top_logprobs": get("top_logprobs") or 0,
        "top_p": 1.0 if top_p is None else top_p,
        "truncation": get("truncation") or "disabled",
        "usage": usage_of(answer),
        "user": get("user"),
        "metadata": get("metadata") or {},
    }
    conversation = get("conversation")
    if conversation is not None:
        response["conversation"] = {"id": conversation_id(conversation)}
    if get("prompt_cache_options"):
        response["prompt_cache_options"] = body["prompt_cache_options"]
    return response


def filter_results(prompt_length: int, text_length: int) -> list[dict[str, Any]]:
    """Azure's `content_filters` of a finished response, in which nothing was found."""
    return [
        {
            "blocked": False,
            "source_type": source,
            "content_filter_raw": [],
            "content_filter_results": results,
            "content_filter_offsets": {"start_offset": 0, "end_offset": length, "check_offset": 0},
        }
        for source, results, length in (
            ("prompt", PROMPT_FILTERS[0]["content_filter_results"], prompt_length),
            ("completion", DELTA_FILTERS, text_length),
        )
    ]


def conversation_id(asked: Any) -> str:
    """The id in a request's `conversation`, which may be given bare or in an object."""
    found: str = asked["id"] if isinstance(asked, dict) else asked
    return found


def unfinished(response: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The same response before there is anything in it: `in_progress`, `queued`, or never (`cancelled`)."""
    begun = {
        **response,
        "status": status,
        "completed_at": None,
        "incomplete_details": None,
        "output": [],
        "service_tier": "auto" if response["service_tier"] == "default" else response["service_tier"],
        "usage": None,
    }
    if "content_filters" in begun:
        begun["content_filters"] = None
    return begun


def _shown_reasoning(asked: Mapping[str, Any]) -> dict[str, Any]:
    summary = asked.get("summary") or asked.get("generate_summary")
    return {"effort": asked.get("effort") or "medium", "summary": "detailed" if summary == "auto" else summary}


def _shown_text(asked: Mapping[str, Any]) -> dict[str, Any]:
    form = asked.get("format") or {"type": "text"}
    if form["type"] == "json_schema":
        form = {
            "type": "json_schema",
            "description": form.get("description"),
            "name": form["name"],
            "schema": form["schema"],
            "strict": form.get("strict") is True,
        }
    return {"format": form, "verbosity": asked.get("verbosity") or "medium"}


def _shown_tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    if tool["type"] != "function":
        return tool
    return {
        "type": "function",
        "description": tool.get("description"),
        "name": tool["name"],
        "parameters": tool.get("parameters"),
        "strict": tool.get("strict") is not False,
    }


def dump(value: Any) -> bytes:
    """JSON bytes of a reply that holds parts of requests. Raises Invalid if they are nested too deep to be written."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise Invalid(UNPARSABLE) from None
