"""Fault rules for bad days that people recognise: each is a list in the grammar, to be taken as it is or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """`providers`: whose bad day it is; empty: anybody's. It works with any provider, in that provider's shapes."""

    name: str
    title: str
    description: str
    providers: tuple[str, ...]
    rules: tuple[Mapping[str, Any], ...]


_STREAMS: Mapping[str, Any] = {"streaming": True}
_WHOLE: Mapping[str, Any] = {"streaming": False}

_PRESETS = (
    Preset(
        "openai-rate-limit-storm",
        "OpenAI rate-limit storm",
        "Waves of 429 with a short retry-after, some too long for a client's two retries, then twenty calm seconds. "
        "Now and then it is the tokens that are too many, and once in a while the money that is spent.",
        ("openai", "azure_openai"),
        (
            {
                "id": "storm",
                "script": [
                    {"fault": "pass", "times": 2},
                    {"fault": "error", "reason": "rate_limit", "retry_after": 1, "times": 2},
                    {"fault": "pass", "times": 1},
                    {"fault": "error", "reason": "rate_limit", "retry_after": 2, "times": 4},
                    {"fault": "pass", "times": 2},
                    {"fault": "error", "reason": "token_limit", "retry_after": 1, "times": 2},
                    {"fault": "pass", "for_s": 20},
                ],
                "repeat": True,
            },
            {"id": "storm-tokens", "fault": "error", "reason": "token_limit", "retry_after": 2, "rate": 0.05},
            {"id": "storm-quota", "fault": "error", "reason": "quota", "rate": 0.01},
        ),
    ),
    Preset(
        "anthropic-overloaded",
        "Anthropic overloaded",
        "A third of the requests ends in 529 overloaded_error, a few in 500 or 429, and some streams break off with an "
        "error event after they have begun; the rest takes its time.",
        ("anthropic",),
        (
            {"id": "overloaded", "fault": "error", "reason": "overloaded", "rate": 0.33},
            {"id": "overloaded-api-error", "fault": "error", "reason": "server_error", "rate": 0.03},
            {"id": "overloaded-rate-limit", "fault": "error", "reason": "rate_limit", "retry_after": 5, "rate": 0.04},
            {
                "id": "overloaded-in-stream",
                "fault": "stream_error",
                "events": 4,
                "reason": "overloaded",
                "rate": 0.1,
                "match": _STREAMS,
            },
            {"id": "overloaded-slow", "fault": "delay", "p50": 1, "p90": 4, "p99": 12, "rate": 0.5},
        ),
    ),
    Preset(
        "azure-region-outage",
        "Azure region outage",
        "A quarter of a minute of first signs, a minute in which the region answers nothing but 503, closed "
        "connections and silence, half a minute of recovery, then all is well. `--reset` lets it happen again.",
        ("azure_openai",),
        (
            {
                "id": "outage-slow",
                "fault": "delay",
                "min": 0.5,
                "max": 4,
                "rate": 0.6,
                "when": {"between_s": [0, 15]},
            },
            {"id": "outage-signs", "fault": "error", "status": 500, "rate": 0.2, "when": {"between_s": [0, 15]}},
            {"id": "outage-closed", "fault": "close", "when": {"every": 4, "between_s": [15, 75]}},
            {"id": "outage-silent", "fault": "hang", "max_seconds": 30, "when": {"every": 7, "between_s": [15, 75]}},
            {"id": "outage", "fault": "error", "status": 503, "retry_after": 10, "when": {"between_s": [15, 75]}},
            {
                "id": "outage-recovery",
                "fault": "error",
                "reason": "rate_limit",
                "retry_after": 2,
                "rate": 0.25,
                "when": {"between_s": [75, 105]},
            },
        ),
    ),
    Preset(
        "bedrock-throttling",
        "Bedrock throttling",
        "ThrottlingException in bursts of one to five, as under an account's quota; besides, models that are not ready "
        "or too slow, and a few streams that are throttled on their way.",
        ("bedrock",),
        (
            {
                "id": "throttling",
                "script": [
                    {"fault": "pass", "times": 2},
                    {"fault": "error", "reason": "throttling", "times": 1},
                    {"fault": "pass", "times": 3},
                    {"fault": "error", "reason": "throttling", "times": 5},
                    {"fault": "pass", "times": 1},
                    {"fault": "error", "reason": "throttling", "times": 2},
                    {"fault": "pass", "times": 4},
                ],
                "repeat": True,
            },
            {"id": "throttling-unavailable", "fault": "error", "reason": "unavailable", "rate": 0.03},
            {"id": "throttling-timeout", "fault": "error", "reason": "timeout", "rate": 0.02},
            {
                "id": "throttling-in-stream",
                "fault": "stream_error",
                "events": 3,
                "reason": "throttling",
                "rate": 0.05,
                "match": _STREAMS,
            },
        ),
    ),
    Preset(
        "slow-model",
        "slow model",
        "Every answer comes, late: streams begin after three seconds and bring eight tokens a second, whole replies "
        "take six seconds as a rule and a minute at worst.",
        (),
        (
            {
                "id": "slow-stream",
                "fault": "slow",
                "ttft": 3,
                "tokens_per_second": 8,
                "jitter": 0.4,
                "match": _STREAMS,
            },
            {
                "id": "slow-reply",
                "fault": "delay",
                "p50": 6,
                "p75": 9,
                "p90": 15,
                "p95": 20,
                "p99": 40,
                "p100": 60,
                "match": _WHOLE,
            },
        ),
    ),
    Preset(
        "flaky-network",
        "flaky network",
        "A bad line between client and provider: connections reset and closed, before and after the head of a reply, "
        "bodies that end early, streams that stop, and latency that wanders.",
        (),
        (
            {"id": "network-latency", "fault": "delay", "mean": 0.3, "deviation": 0.2, "rate": 0.5},
            {"id": "network-reset", "fault": "reset", "rate": 0.04},
            {"id": "network-closed", "fault": "close", "rate": 0.03},
            {"id": "network-silent", "fault": "hang", "max_seconds": 30, "rate": 0.01},
            {"id": "network-reset-late", "fault": "reset_after_headers", "rate": 0.03},
            {"id": "network-truncated", "fault": "truncate", "fraction": 0.6, "rate": 0.03, "match": _WHOLE},
            {"id": "network-cut", "fault": "cut", "events": 5, "reset": True, "rate": 0.05, "match": _STREAMS},
            {"id": "network-stall", "fault": "stall", "events": 3, "seconds": 8, "rate": 0.05, "match": _STREAMS},
        ),
    ),
    Preset(
        "stream-dies-half-way",
        "stream dies half way",
        "Half of the streams do not reach their end: most are cut after a few events, some fall silent, some end "
        "without the event that says so. Replies that are not streamed are left alone.",
        (),
        (
            {"id": "dies-cut", "fault": "cut", "events": 5, "rate": 0.4, "match": _STREAMS},
            {"id": "dies-silent", "fault": "stall", "events": 4, "seconds": 60, "rate": 0.1, "match": _STREAMS},
            {"id": "dies-unfinished", "fault": "no_terminator", "rate": 0.1, "match": _STREAMS},
        ),
    ),
    Preset(
        "everything-at-once-mildly",
        "everything at once, mildly",
        "A little of everything there is, rarely enough that most requests succeed: for a test that runs long and must "
        "not be surprised by anything.",
        (),
        (
            {"id": "mild-latency", "fault": "delay", "p50": 0.05, "p90": 0.5, "p99": 3, "rate": 0.2},
            {"id": "mild-rate-limit", "fault": "error", "reason": "rate_limit", "retry_after": 1, "rate": 0.02},
            {"id": "mild-server-error", "fault": "error", "reason": "server_error", "rate": 0.01},
            {"id": "mild-overloaded", "fault": "error", "reason": "overloaded", "rate": 0.01},
            {"id": "mild-timeout", "fault": "error", "reason": "timeout", "rate": 0.005},
            {"id": "mild-content-filter", "fault": "error", "reason": "content_filter", "rate": 0.005},
            {"id": "mild-reset", "fault": "reset", "rate": 0.005},
            {"id": "mild-close", "fault": "close", "rate": 0.005},
            {"id": "mild-hang", "fault": "hang", "max_seconds": 20, "rate": 0.002},
            {"id": "mild-reset-late", "fault": "reset_after_headers", "rate": 0.003},
            {"id": "mild-truncated", "fault": "truncate", "rate": 0.005, "match": _WHOLE},
            {"id": "mild-wrong-length", "fault": "wrong_length", "difference": 10, "rate": 0.003, "match": _WHOLE},
            {"id": "mild-malformed", "fault": "malformed_json", "rate": 0.005},
            {"id": "mild-empty-body", "fault": "empty_body", "rate": 0.003, "match": _WHOLE},
            {"id": "mild-html", "fault": "wrong_content_type", "html": True, "rate": 0.003, "match": _WHOLE},
            {"id": "mild-slow", "fault": "slow", "ttft": 1, "tokens_per_second": 30, "rate": 0.05, "match": _STREAMS},
            {"id": "mild-cut", "fault": "cut", "events": 6, "rate": 0.01, "match": _STREAMS},
            {"id": "mild-stall", "fault": "stall", "events": 4, "seconds": 5, "rate": 0.01, "match": _STREAMS},
            {
                "id": "mild-stream-error",
                "fault": "stream_error",
                "events": 3,
                "reason": "server_error",
                "rate": 0.01,
                "match": _STREAMS,
            },
            {"id": "mild-unfinished", "fault": "no_terminator", "rate": 0.005, "match": _STREAMS},
            {"id": "mild-duplicate", "fault": "duplicate", "rate": 0.005, "match": _STREAMS},
            {"id": "mild-reorder", "fault": "reorder", "rate": 0.003, "match": _STREAMS},
            {"id": "mild-refusal", "fault": "refusal", "rate": 0.01},
            {"id": "mild-length", "fault": "length_stop", "rate": 0.01},
            {"id": "mild-arguments", "fault": "invalid_tool_arguments", "rate": 0.02},
            {"id": "mild-empty", "fault": "empty_content", "rate": 0.005},
        ),
    ),
)

PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _PRESETS}
