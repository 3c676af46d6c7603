"""What every scenario is to end as: the same table holds directly and through a proxy."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.wire.sdks import Result, Setup

# Tokens in and out, as the stand-in reports them.
_TOKENS_IN = (
    "prompt_tokens",
    "input_tokens",
    "inputTokens",
    "prompt_token_count",
    "promptTokenCount",
    "inputTokenCount",
    "inputTextTokenCount",
)
_TOKENS_OUT = (
    "completion_tokens",
    "output_tokens",
    "outputTokens",
    "candidates_token_count",
    "candidatesTokenCount",
    "outputTokenCount",
)
_CHUNKS = {
    "openai": {"stream": 7, "stream_usage": 8, "tool_stream": 5, "responses_stream": 13},
    # Azure opens with a chunk of its own, for the prompt's filter results.
    "azure": {"stream": 8, "stream_usage": 9, "tool_stream": 6, "responses_stream": 13},
    "anthropic": {"stream": 10, "tool_stream": 9},
    "bedrock": {"stream": 9, "tool_stream": 8, "invoke_stream": 10},
    "genai": {"stream": 5, "tool_stream": 1},
}
# Streams whose usage is nowhere on the wire.
_NO_USAGE = {"openai": {"stream"}, "azure": {"stream"}}

# scenario -> (classes that will do, status, code, type)
_Error = tuple[set[str], int | None, str | None, str | None]
_ERRORS: dict[str, dict[str, _Error]] = {
    "openai": {
        "error_400": ({"BadRequestError"}, 400, None, "invalid_request_error"),
        "error_401": ({"AuthenticationError"}, 401, "invalid_api_key", "invalid_request_error"),
        "error_404": ({"NotFoundError"}, 404, "model_not_found", "invalid_request_error"),
        "error_429": ({"RateLimitError"}, 429, "rate_limit_exceeded", "requests"),
        "error_500": ({"InternalServerError"}, 500, None, "server_error"),
        "stream_error": ({"APIError"}, None, "server_error", "server_error"),
    },
    "azure": {
        "error_400": ({"BadRequestError"}, 400, "content_filter", None),
        "error_429": ({"RateLimitError"}, 429, "429", None),
        "error_500": ({"InternalServerError"}, 500, "InternalServerError", None),
        "stream_error": ({"APIError"}, None, "server_error", "server_error"),
    },
    "anthropic": {
        "error_400": ({"BadRequestError"}, 400, None, "invalid_request_error"),
        "error_401": ({"AuthenticationError"}, 401, None, "authentication_error"),
        "error_429": ({"RateLimitError"}, 429, None, "rate_limit_error"),
        "error_500": ({"InternalServerError"}, 500, None, "api_error"),
        "error_529": ({"OverloadedError"}, 529, None, "overloaded_error"),
        "stream_error": ({"APIStatusError", "APIError"}, None, None, "overloaded_error"),
    },
    "claude-bedrock": {
        "error_400": ({"BadRequestError"}, 400, None, None),
        "error_401": ({"AuthenticationError"}, 401, None, None),
        "error_429": ({"RateLimitError"}, 429, None, None),
        "error_500": ({"InternalServerError"}, 500, None, None),
        "error_529": ({"OverloadedError", "InternalServerError"}, 529, None, None),
        # Older AnthropicBedrock reads exception frames with botocore's parser, which raises its own.
        "stream_error": ({"APIStatusError", "ValueError"}, None, None, "throttlingException"),
    },
    "claude-vertex": {
        "error_400": ({"BadRequestError"}, 400, None, None),
        "error_401": ({"AuthenticationError"}, 401, None, None),
        "error_429": ({"RateLimitError"}, 429, None, None),
        "error_500": ({"InternalServerError"}, 500, None, None),
        "error_529": ({"OverloadedError", "InternalServerError"}, 529, None, None),
        "stream_error": ({"APIStatusError"}, None, None, "overloaded_error"),
    },
    "bedrock": {
        "error_400": ({"ValidationException"}, 400, "ValidationException", None),
        "error_403": ({"AccessDeniedException"}, 403, "AccessDeniedException", None),
        "error_429": ({"ThrottlingException"}, 429, "ThrottlingException", None),
        "error_500": ({"InternalServerException"}, 500, "InternalServerException", None),
        "stream_error": ({"EventStreamError", "ThrottlingException"}, None, None, None),
    },
    "genai": {
        "error_400": ({"ClientError", "ApiError"}, 400, "INVALID_ARGUMENT", None),
        "error_401": ({"ClientError"}, 401, "UNAUTHENTICATED", None),
        "error_429": ({"ClientError", "ApiError"}, 429, "RESOURCE_EXHAUSTED", None),
        "error_500": ({"ServerError", "ApiError"}, 500, "INTERNAL", None),
        "error_stream_429": ({"ClientError"}, 429, "RESOURCE_EXHAUSTED", None),
        "stream_error": ({"ServerError", "ApiError"}, 503, "UNAVAILABLE", None),
    },
}
# What an SDK raises when a stream is cut without its last chunk.
_CUT = {"APIConnectionError", "RemoteProtocolError", "ProtocolError", "TypeError", "Error"}
# The header that carries the provider's own request id, where the SDK's error exposes it.
_REQUEST_ID = {
    "openai": "x-request-id",
    "azure": "x-request-id",
    "anthropic": "request-id",
    "bedrock": "x-amzn-requestid",
}


def mismatch(setup: Setup, result: Result) -> str | None:
    """What is wrong with a scenario's result, in words; None when it is as it must be."""
    scenario = result["scenario"].removesuffix("_again")
    if scenario == "stream_cut":
        raised = (result.get("error") or {}).get("class")
        return None if raised in _CUT else f"a cut stream ended as {raised or 'a clean end'}"
    if scenario in _ERRORS[setup.family]:
        return _wrong_error(setup, _ERRORS[setup.family][scenario], result)
    if not result["ok"]:
        return f"raised {result['error']['class']}: {result['error']['text'][:300]}"
    kind = "anthropic" if setup.family.startswith("claude") else setup.family
    return _wrong_reply(setup, kind, scenario, result)


def _wrong_error(setup: Setup, expected: _Error, result: Result) -> str | None:
    classes, status, code, error_type = expected
    error = result.get("error")
    if error is None:
        return "raised nothing"
    if error["class"] not in classes:
        return f"raised {error['class']}, not {classes}"
    if status and error["status"] != status:
        return f"status {error['status']}, not {status}"
    # JavaScript's genai keeps the provider's code in its message only.
    if code and code != error.get("code") and code not in error["text"]:
        return f"code {error.get('code')}, not {code}"
    if error_type and error_type != error.get("type") and error["class"] != "ValueError":
        return f"type {error.get('type')}, not {error_type}"
    header = _REQUEST_ID.get(setup.family)
    if status and header and not (error["request_id"] and error["request_id"] == result["headers"].get(header)):
        return f"request id {error['request_id']}, not the header's {result['headers'].get(header)}"
    return None


def wrong_class(setup: Setup, result: Result) -> str | None:
    """What is wrong with the class and the status of a scenario's error; None when they are as they must be."""
    classes, status, _, _ = _ERRORS[setup.family][result["scenario"]]
    return _wrong_error(setup, (classes, status, None, None), result)


def _wrong_reply(setup: Setup, kind: str, scenario: str, result: Result) -> str | None:
    if scenario.startswith("tool") or scenario.endswith("_tool"):
        tool = result["tool"]
        arguments = json.loads(tool["arguments"]) if isinstance(tool["arguments"], str) else tool["arguments"]
        if tool["name"] != "get_weather" or not re.fullmatch(r"Paris #\d+", arguments["city"]):
            return f"tool call {tool}"
    elif "text" in result and not re.fullmatch(
        r"Hello from upstream #\d+\.( \d+ bytes of hello\.wav)?", result["text"]
    ):
        return f"text {result['text']!r}"
    base = {"stream_paced": "stream", "gzip_stream": "stream", "async_stream": "stream"}.get(scenario, scenario)
    chunks = _CHUNKS[kind].get(base)
    if chunks and result["chunks"] != chunks:
        return f"{result['chunks']} chunks, not {chunks}"
    if "usage" in result:
        without = base in _NO_USAGE.get(kind, ())
        if without != (result["usage"] is None):
            return f"usage {result['usage']}"
        if result["usage"] and not _right_tokens(result["usage"]):
            return f"usage {result['usage']}"
    check = _VALUES.get(scenario)
    if check and not check(result["value"]):
        return f"value {result['value']}"
    return None


def _right_tokens(usage: dict[str, Any]) -> bool:
    tokens_in = [usage[name] for name in _TOKENS_IN if usage.get(name) is not None]
    tokens_out = [usage[name] for name in _TOKENS_OUT if usage.get(name) is not None]
    known = bool(tokens_in or tokens_out)
    return known and all(count == 1000 for count in tokens_in) and all(count in {80, 100} for count in tokens_out)


def _is_vectors(value: Any) -> bool:
    vectors = value if isinstance(value[0], list) else [value]
    return all(vector[0] == vectors[0][0] >= 1 and vector[1:3] == [0.25, -0.5] for vector in vectors)


_VALUES = {
    "embeddings": _is_vectors,
    "embeddings_float": _is_vectors,
    "models": lambda value: len(value) >= 2 and re.search(r"standin\S*-\d+$", value[-1]),
    "count_tokens": lambda value: value > 1000,
    "files": lambda value: value["bytes"] == 1900 and value["same"] and value["deleted"],
    "upload": lambda value: value["size"] == value["sent"] == 900,
    "speech": lambda value: value["head"] == "494433040000" and "Hello from upstream #" in value["text"],
    "image": lambda value: value == 96,
    "moderation": lambda value: value["flagged"] is False,
    "parallel": lambda value: len(set(value)) == len(value) == 20,
}

# What differs between two calls that are otherwise alike: the stand-in's number, and ids and times made per reply.
_PER_REPLY = (
    (re.compile(r"(#|standin\S*-|modr-|chatcmpl-|resp_|msg_|fc_|file-|toolu_|call_|tooluse_|req_\w*?)\d+"), r"\1N"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"req_\w+"), "req_N"),
)


def reply_number(result: Result) -> str:
    """What tells which upstream reply a result was made from: equal for a replay, different for a fresh one."""
    told = json.dumps([result.get(field) for field in ("text", "tool", "value")])
    return ",".join(re.findall(r"(?:#|standin\S*?-|modr-)(\d+)", told)) or told


def comparable(result: Result) -> Any:
    """A result without what must differ from call to call: what a client sees the same through a proxy as without."""
    kept = {name: value for name, value in result.items() if name not in {"arrivals", "headers"}}
    if result["scenario"].removesuffix("_again") in {"embeddings", "embeddings_float", "count_tokens", "speech"}:
        kept.pop("value")
    whole = json.dumps(kept)
    for pattern, replacement in _PER_REPLY:
        whole = pattern.sub(replacement, whole)
    return json.loads(whole)
