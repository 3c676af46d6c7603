"""What the official SDKs do when they meet a fault, in words: data for the documents, held by the tests in
tests/faults.

Source: each SDK against an emulated proxy with the fault, with its own retries and time-outs, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

OPENAI_PYTHON = "OpenAI Python"
ANTHROPIC_PYTHON = "Anthropic Python"
GENAI_PYTHON = "Google GenAI Python"
BOTO3 = "boto3"
OPENAI_JAVASCRIPT = "OpenAI JavaScript"
ANTHROPIC_JAVASCRIPT = "Anthropic JavaScript"
GENAI_JAVASCRIPT = "Google GenAI JavaScript"
AWS_JAVASCRIPT = "AWS JavaScript"

PATIENCE_S: Mapping[str, int | None] = {
    OPENAI_PYTHON: 600,
    ANTHROPIC_PYTHON: 600,
    GENAI_PYTHON: None,
    BOTO3: 60,
    OPENAI_JAVASCRIPT: 600,
    ANTHROPIC_JAVASCRIPT: 600,
    GENAI_JAVASCRIPT: None,
    AWS_JAVASCRIPT: None,
}
"""Client -> seconds of silence before it gives up an attempt by itself; None: it never does."""

MEETS: Mapping[str, Mapping[str, str]] = {
    "delay": {
        OPENAI_PYTHON: "waits; beyond 600 s it is a hang",
        ANTHROPIC_PYTHON: "waits; beyond 600 s it is a hang",
        GENAI_PYTHON: "waits",
        BOTO3: "waits; beyond 60 s it is a hang",
        OPENAI_JAVASCRIPT: "waits; beyond 600 s it is a hang",
        ANTHROPIC_JAVASCRIPT: "waits; beyond 600 s it is a hang",
        GENAI_JAVASCRIPT: "waits",
        AWS_JAVASCRIPT: "waits",
    },
    "hang": {
        OPENAI_PYTHON: "`openai.APITimeoutError` after 3 attempts of 600 s",
        ANTHROPIC_PYTHON: "`anthropic.APITimeoutError` after 3 attempts of 600 s",
        GENAI_PYTHON: "waits for ever; with a time-out `httpx2.ReadTimeout`, not retried",
        BOTO3: "`botocore.ReadTimeoutError` after 3 attempts of 60 s",
        OPENAI_JAVASCRIPT: "`APIConnectionTimeoutError` after 3 attempts of 600 s",
        ANTHROPIC_JAVASCRIPT: "`APIConnectionTimeoutError` after 3 attempts of 600 s",
        GENAI_JAVASCRIPT: "waits for ever; with a time-out `AbortError`, not retried",
        AWS_JAVASCRIPT: "waits for ever; with a time-out `TimeoutError` after 3 attempts",
    },
    "reset": {
        OPENAI_PYTHON: "`openai.APIConnectionError` after 3 attempts",
        ANTHROPIC_PYTHON: "`anthropic.APIConnectionError` after 3 attempts",
        GENAI_PYTHON: "`httpx2.ReadError`, not retried",
        BOTO3: "`botocore.ConnectionClosedError` after 3 attempts",
        OPENAI_JAVASCRIPT: "`APIConnectionError` after 3 attempts",
        ANTHROPIC_JAVASCRIPT: "`APIConnectionError` after 3 attempts",
        GENAI_JAVASCRIPT: "`TypeError: fetch failed`, not retried",
        AWS_JAVASCRIPT: "`Error: Stream closed with error code NGHTTP2_INTERNAL_ERROR`, not retried",
    },
    "close": {
        OPENAI_PYTHON: "`openai.APIConnectionError` after 3 attempts",
        ANTHROPIC_PYTHON: "`anthropic.APIConnectionError` after 3 attempts",
        GENAI_PYTHON: "`httpx2.RemoteProtocolError`, not retried",
        BOTO3: "`botocore.ConnectionClosedError` after 3 attempts",
        OPENAI_JAVASCRIPT: "`APIConnectionError` after 3 attempts",
        ANTHROPIC_JAVASCRIPT: "`APIConnectionError` after 3 attempts",
        GENAI_JAVASCRIPT: "`TypeError: fetch failed`, not retried",
        AWS_JAVASCRIPT: "`Error: Stream closed with error code NGHTTP2_INTERNAL_ERROR`, not retried",
    },
    "reset_after_headers": {
        OPENAI_PYTHON: (
            "`openai.APIConnectionError` after 3 attempts; in a stream `openai.APIConnectionError` before the "
            "first event"
        ),
        ANTHROPIC_PYTHON: (
            "`anthropic.APIConnectionError` after 3 attempts; in a stream `httpx2.ReadError` before the first event"
        ),
        GENAI_PYTHON: "`httpx2.ReadError`, not retried",
        BOTO3: (
            "`botocore.ConnectionClosedError` after 3 attempts; in a stream `urllib3.ProtocolError` before the "
            "first event"
        ),
        OPENAI_JAVASCRIPT: "`TypeError: terminated`, not retried",
        ANTHROPIC_JAVASCRIPT: "`TypeError: terminated`, not retried",
        GENAI_JAVASCRIPT: "`TypeError: terminated`, not retried",
        AWS_JAVASCRIPT: "`Error: Stream closed with error code NGHTTP2_INTERNAL_ERROR`, not retried",
    },
    "truncate": {
        OPENAI_PYTHON: (
            "`openai.APIConnectionError` after 3 attempts; in a stream `openai.APIConnectionError` after the "
            "first event"
        ),
        ANTHROPIC_PYTHON: (
            "`anthropic.APIConnectionError` after 3 attempts; in a stream `httpx2.RemoteProtocolError` after "
            "the first event"
        ),
        GENAI_PYTHON: (
            "`httpx2.RemoteProtocolError`, not retried; in a stream `httpx2.RemoteProtocolError` after the first event"
        ),
        BOTO3: "returns a reply without content; in a stream `urllib3.ProtocolError` after the first event",
        OPENAI_JAVASCRIPT: (
            "`TypeError: terminated`, not retried; in a stream `TypeError: terminated` after the first event"
        ),
        ANTHROPIC_JAVASCRIPT: (
            "`TypeError: terminated`, not retried; in a stream `TypeError: terminated` after the first event"
        ),
        GENAI_JAVASCRIPT: (
            "`TypeError: terminated`, not retried; in a stream `TypeError: terminated` after the first event"
        ),
        AWS_JAVASCRIPT: (
            "`Error: Stream closed with error code NGHTTP2_INTERNAL_ERROR`, not retried; in a stream `Error: "
            "Stream closed with error code NGHTTP2_INTERNAL_ERROR` after the first event"
        ),
    },
    "malformed_json": {
        OPENAI_PYTHON: "`json.JSONDecodeError`, not retried; in a stream `json.JSONDecodeError` after the first event",
        ANTHROPIC_PYTHON: (
            "`json.JSONDecodeError`, not retried; in a stream `json.JSONDecodeError` after the first event"
        ),
        GENAI_PYTHON: (
            "`json.JSONDecodeError`, not retried; in a stream `genai.UnknownApiResponseError` after the first event"
        ),
        BOTO3: "returns a reply without content; in a stream skips the event",
        OPENAI_JAVASCRIPT: "`SyntaxError`, not retried; in a stream `SyntaxError` after the first event",
        ANTHROPIC_JAVASCRIPT: "`SyntaxError`, not retried; in a stream `SyntaxError` after the first event",
        GENAI_JAVASCRIPT: "`SyntaxError`, not retried; in a stream `SyntaxError` after the first event",
        AWS_JAVASCRIPT: "`SyntaxError`, not retried; in a stream `SyntaxError` after the first event",
    },
    "empty_body": {
        OPENAI_PYTHON: "`json.JSONDecodeError`, not retried; in a stream ends without an event",
        ANTHROPIC_PYTHON: "`json.JSONDecodeError`, not retried; in a stream ends without an event",
        GENAI_PYTHON: "returns a reply without content; in a stream ends without an event",
        BOTO3: "returns a reply without content; in a stream ends without an event",
        OPENAI_JAVASCRIPT: "returns `undefined`; in a stream ends without an event",
        ANTHROPIC_JAVASCRIPT: "returns `undefined`; in a stream ends without an event",
        GENAI_JAVASCRIPT: "`SyntaxError`, not retried; in a stream ends without an event",
        AWS_JAVASCRIPT: "returns a reply without content; in a stream ends without an event",
    },
    "wrong_length": {
        OPENAI_PYTHON: (
            "larger: `openai.APIConnectionError` after 3 attempts. Smaller: `json.JSONDecodeError`, not retried"
        ),
        ANTHROPIC_PYTHON: (
            "larger: `anthropic.APIConnectionError` after 3 attempts. Smaller: `json.JSONDecodeError`, not retried"
        ),
        GENAI_PYTHON: "larger: `httpx2.RemoteProtocolError`, not retried. Smaller: `json.JSONDecodeError`, not retried",
        BOTO3: "larger: unnoticed. Smaller: returns a reply without content",
        OPENAI_JAVASCRIPT: "larger: `TypeError: terminated`, not retried. Smaller: `SyntaxError`, not retried",
        ANTHROPIC_JAVASCRIPT: "larger: `TypeError: terminated`, not retried. Smaller: `SyntaxError`, not retried",
        GENAI_JAVASCRIPT: "larger: `TypeError: terminated`, not retried. Smaller: `SyntaxError`, not retried",
        AWS_JAVASCRIPT: (
            "larger: `Error: Stream closed with error code NGHTTP2_INTERNAL_ERROR`, not retried. Smaller: "
            "`SyntaxError`, not retried"
        ),
    },
    "wrong_content_type": {
        OPENAI_PYTHON: (
            "the type alone: unnoticed. An HTML page: returns the body as text; in a stream ends without an event"
        ),
        ANTHROPIC_PYTHON: (
            "the type alone: unnoticed. An HTML page: returns the body as text; in a stream ends without an event"
        ),
        GENAI_PYTHON: (
            "the type alone: unnoticed. An HTML page: `json.JSONDecodeError`, not retried; in a stream "
            "`genai.UnknownApiResponseError` before the first event"
        ),
        BOTO3: (
            "the type alone: unnoticed. An HTML page: returns a reply without content; in a stream "
            "`botocore.ChecksumMismatch` before the first event"
        ),
        OPENAI_JAVASCRIPT: (
            "the type alone: returns the body as text; in a stream unnoticed. An HTML page: returns the body as "
            "text; in a stream ends without an event"
        ),
        ANTHROPIC_JAVASCRIPT: (
            "the type alone: returns the body as text; in a stream unnoticed. An HTML page: returns the body as "
            "text; in a stream ends without an event"
        ),
        GENAI_JAVASCRIPT: (
            "the type alone: unnoticed. An HTML page: `SyntaxError`, not retried; in a stream `Error: "
            "Incomplete JSON segment at the end` before the first event"
        ),
        AWS_JAVASCRIPT: (
            "the type alone: unnoticed. An HTML page: `SyntaxError`, not retried; in a stream `Error: Truncated "
            "event message received` before the first event"
        ),
    },
    "cut": {
        OPENAI_PYTHON: "`openai.APIConnectionError`, not retried",
        ANTHROPIC_PYTHON: "closed: `httpx2.RemoteProtocolError`; reset: `httpx2.ReadError`; not retried",
        GENAI_PYTHON: "closed: `httpx2.RemoteProtocolError`; reset: `httpx2.ReadError`; not retried",
        BOTO3: "`urllib3.ProtocolError`, not retried",
        OPENAI_JAVASCRIPT: "`TypeError: terminated`, not retried",
        ANTHROPIC_JAVASCRIPT: "`TypeError: terminated`, not retried",
        GENAI_JAVASCRIPT: "`TypeError: terminated`, not retried",
        AWS_JAVASCRIPT: "`Error: Stream closed with error code NGHTTP2_INTERNAL_ERROR`, not retried",
    },
    "stall": {
        OPENAI_PYTHON: "`openai.APITimeoutError` after 600 s. A whole reply: `openai.APITimeoutError` after "
        "3 attempts of 600 s",
        ANTHROPIC_PYTHON: "`httpx2.ReadTimeout` after 600 s. A whole reply: `anthropic.APITimeoutError` after 3 "
        "attempts of 600 s",
        GENAI_PYTHON: "waits for ever; with a time-out `httpx2.ReadTimeout`",
        BOTO3: "`urllib3.ReadTimeoutError` after 60 s. A whole reply: `botocore.ReadTimeoutError` "
        "after 3 attempts of 60 s",
        OPENAI_JAVASCRIPT: "waits for ever. A whole reply: `APIConnectionTimeoutError` after 3 attempts of 600 s",
        ANTHROPIC_JAVASCRIPT: "waits for ever",
        GENAI_JAVASCRIPT: "waits for ever; with a time-out `AbortError`",
        AWS_JAVASCRIPT: "waits for ever; with a time-out the stream ends early, unnoticed. A whole reply: "
        "waits for ever; with a time-out `SyntaxError`",
    },
    "slow": {
        OPENAI_PYTHON: "waits; 600 s without an event are a stall",
        ANTHROPIC_PYTHON: "waits; 600 s without an event are a stall",
        GENAI_PYTHON: "waits",
        BOTO3: "waits; 60 s without an event are a stall",
        OPENAI_JAVASCRIPT: "waits; 600 s before its head are a hang",
        ANTHROPIC_JAVASCRIPT: "waits; 600 s before its head are a hang",
        GENAI_JAVASCRIPT: "waits",
        AWS_JAVASCRIPT: "waits",
    },
    "stream_error": {
        OPENAI_PYTHON: "`openai.APIError`, not retried",
        ANTHROPIC_PYTHON: "`anthropic.APIStatusError`, not retried",
        GENAI_PYTHON: "`genai.ServerError`, not retried",
        BOTO3: "`botocore.EventStreamError`, not retried",
        OPENAI_JAVASCRIPT: "`APIError`, not retried",
        ANTHROPIC_JAVASCRIPT: "`APIError`, not retried",
        GENAI_JAVASCRIPT: "`ApiError`, not retried",
        AWS_JAVASCRIPT: "`ModelStreamErrorException`, not retried",
    },
    "no_terminator": {
        OPENAI_PYTHON: "unnoticed",
        ANTHROPIC_PYTHON: "unnoticed",
        GENAI_PYTHON: "unnoticed; the last piece of text is missing",
        BOTO3: "unnoticed",
        OPENAI_JAVASCRIPT: "unnoticed",
        ANTHROPIC_JAVASCRIPT: "unnoticed; its `finalMessage()` raises `AnthropicError`",
        GENAI_JAVASCRIPT: "unnoticed; the last piece of text is missing",
        AWS_JAVASCRIPT: "unnoticed",
    },
    "duplicate": {
        OPENAI_PYTHON: "takes the text twice",
        ANTHROPIC_PYTHON: "takes the text twice",
        GENAI_PYTHON: "takes the text twice",
        BOTO3: "takes the text twice",
        OPENAI_JAVASCRIPT: "takes the text twice",
        ANTHROPIC_JAVASCRIPT: "takes the text twice",
        GENAI_JAVASCRIPT: "takes the text twice",
        AWS_JAVASCRIPT: "takes the text twice",
    },
    "reorder": {
        OPENAI_PYTHON: "takes the text in the wrong order",
        ANTHROPIC_PYTHON: "takes the text in the wrong order",
        GENAI_PYTHON: "takes the text in the wrong order",
        BOTO3: "takes the text in the wrong order",
        OPENAI_JAVASCRIPT: "takes the text in the wrong order",
        ANTHROPIC_JAVASCRIPT: "takes the text in the wrong order",
        GENAI_JAVASCRIPT: "takes the text in the wrong order",
        AWS_JAVASCRIPT: "takes the text in the wrong order",
    },
    "refusal": {
        OPENAI_PYTHON: "`refusal` holds the words, finished by `stop`",
        ANTHROPIC_PYTHON: "no text, finished by `refusal`",
        GENAI_PYTHON: "no text, finished by `SAFETY`",
        BOTO3: "other words, finished by `content_filtered`",
        OPENAI_JAVASCRIPT: "`refusal` holds the words, finished by `stop`",
        ANTHROPIC_JAVASCRIPT: "no text, finished by `refusal`",
        GENAI_JAVASCRIPT: "no text, finished by `SAFETY`",
        AWS_JAVASCRIPT: "other words, finished by `content_filtered`",
    },
    "length_stop": {
        OPENAI_PYTHON: "half of the text, finished by `length`",
        ANTHROPIC_PYTHON: "half of the text, finished by `max_tokens`",
        GENAI_PYTHON: "half of the text, finished by `MAX_TOKENS`",
        BOTO3: "half of the text, finished by `max_tokens`",
        OPENAI_JAVASCRIPT: "half of the text, finished by `length`",
        ANTHROPIC_JAVASCRIPT: "half of the text, finished by `max_tokens`",
        GENAI_JAVASCRIPT: "half of the text, finished by `MAX_TOKENS`",
        AWS_JAVASCRIPT: "half of the text, finished by `max_tokens`",
    },
    "empty_content": {
        OPENAI_PYTHON: "no text, finished by `stop`",
        ANTHROPIC_PYTHON: "no text, finished by `end_turn`",
        GENAI_PYTHON: "no text, finished by `STOP`",
        BOTO3: "no text, finished by `end_turn`",
        OPENAI_JAVASCRIPT: "no text, finished by `stop`",
        ANTHROPIC_JAVASCRIPT: "no text, finished by `end_turn`",
        GENAI_JAVASCRIPT: "no text, finished by `STOP`",
        AWS_JAVASCRIPT: "no text, finished by `end_turn`",
    },
    "invalid_tool_arguments": {
        OPENAI_PYTHON: "arguments that are no JSON",
        ANTHROPIC_PYTHON: "arguments of the wrong type; in a stream arguments that are no JSON",
        GENAI_PYTHON: "arguments of the wrong type",
        BOTO3: "arguments of the wrong type; in a stream arguments that are no JSON",
        OPENAI_JAVASCRIPT: "arguments that are no JSON",
        ANTHROPIC_JAVASCRIPT: "arguments of the wrong type; in a stream arguments that are no JSON",
        GENAI_JAVASCRIPT: "arguments of the wrong type",
        AWS_JAVASCRIPT: "arguments of the wrong type; in a stream arguments that are no JSON",
    },
}
"""Kind of fault -> client -> what happens there, as Markdown."""
