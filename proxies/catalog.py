"""What a proxy can be told to simulate, described: for the API's schema, for forms and for documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cache
from typing import Any

from providers.faults.base import Reason
from providers.registry import all_providers
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import PASS, all_faults
from proxies.dataplane.faults.rules import MAX_RULES, MAX_STEPS
from proxies.dataplane.faults.settings import Setting, describe, json_schema

_TEXTS: Mapping[str, Any] = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 1}

_MATCH: Mapping[str, Any] = {
    "type": "object",
    "description": "Which requests the rule is for: all parts must hold. Texts are globs; of a list, one must fit.",
    "additionalProperties": False,
    "properties": {
        "operation": {**_TEXTS, "description": "Names of operations: chat.completions, embed*"},
        "path": {**_TEXTS, "description": "Paths as clients send them, without query: /v1/*"},
        "model": {**_TEXTS, "description": "Names of models: gpt-4*"},
        "streaming": {"type": "boolean", "description": "Requests for a stream alone, or the others alone."},
        "header": {
            "type": "object",
            "additionalProperties": _TEXTS,
            "description": "Names of headers with globs of their values.",
        },
        "client": {**_TEXTS, "description": "Client addresses, as access lists write them: 10.0.0.0/8"},
        "prompt_hash": {**_TEXTS, "description": "Prompt hashes, as the log shows them."},
    },
}
_WHEN: Mapping[str, Any] = {
    "type": "object",
    "description": "When the rule fires for the requests it is for: all parts must hold.",
    "additionalProperties": False,
    "properties": {
        "every": {**_COUNT, "description": "The n-th of its requests, the 2n-th, ..."},
        "first": {**_COUNT, "description": "The first n of its requests (after those that `after` leaves out)."},
        "after": {**_COUNT, "description": "Not the first n of its requests."},
        "between_s": {
            "type": "array",
            "items": {"type": "number", "minimum": 0},
            "minItems": 2,
            "maxItems": 2,
            "description": "From so many to so many seconds since the run began.",
        },
        "window": {"type": "string", "description": "Every day between these times, UTC: 22:00-06:00"},
    },
}
_ID: Mapping[str, Any] = {
    "type": "string",
    "maxLength": 64,
    "description": "The rule's own name: its draws are made with it. Without one, its place in the list.",
}
_RATE: Mapping[str, Any] = {
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "description": "The share of its requests the rule fires for; without one, it fires whenever `when` holds.",
}


@cache
def rule_schema() -> dict[str, Any]:
    """The JSON schema of one rule: a fault with its settings, told apart by `fault`, or a script."""
    members = {"id": _ID, "rate": _RATE, "match": _MATCH, "when": _WHEN}
    rules = [_beside(schema, members) for schema in _faults()]
    return {"oneOf": [*rules, _script()]}


@cache
def catalog() -> dict[str, Any]:
    """Faults with their settings, presets, reasons of errors, and the operations of each provider."""
    return {
        "faults": [
            {
                "kind": kind,
                "title": cls.title,
                "summary": cls.summary,
                "stage": str(cls.stage),
                "streams": cls.streams,
                "settings": [_plain(setting) for setting in describe(cls)],
            }
            for kind, cls in all_faults().items()
        ],
        "presets": [{**asdict(preset), "rules": list(preset.rules)} for preset in PRESETS.values()],
        "reasons": [str(reason) for reason in Reason],
        "operations": {
            provider.id: list(dict.fromkeys(operation.name for operation in provider.operations))
            for provider in all_providers().values()
        },
        "rule": rule_schema(),
    }


def rules_schema() -> dict[str, Any]:
    """The JSON schema of a proxy's rules."""
    return {"type": "array", "maxItems": MAX_RULES, "items": rule_schema()}


def _plain(setting: Setting) -> dict[str, Any]:
    return {field.name: getattr(setting, field.name) for field in fields(setting) if field.name != "enum"}


def _faults() -> list[dict[str, Any]]:
    return [json_schema(cls) for cls in all_faults().values()]


def _beside(schema: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "properties": {**schema["properties"], **members}}


def _script() -> dict[str, Any]:
    moments = {
        "times": {**_COUNT, "description": "For so many of its requests ..."},
        "for_s": {"type": "number", "exclusiveMinimum": 0, "description": "... or for so many seconds."},
    }
    passing = {
        "title": "Nothing",
        "type": "object",
        "properties": {"fault": {"const": PASS}, **moments},
        "required": ["fault"],
        "additionalProperties": False,
    }
    steps = {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_STEPS,
        "items": {"oneOf": [passing, *(_beside(schema, moments) for schema in _faults())]},
    }
    repeat = {"type": "boolean", "default": False, "description": "Whether it begins again after its last step."}
    return {
        "title": "Script",
        "description": "Steps in their order.",
        "type": "object",
        "properties": {"script": steps, "repeat": repeat, "id": _ID, "match": _MATCH, "when": _WHEN},
        "required": ["script"],
        "additionalProperties": False,
    }
