"""The JSON schemas of what the API takes: the fields of a proxy, whole and in groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from proxies.catalog import rule_schema, rules_schema
from proxies.models import DesiredState
from proxies.schemas import GROUPS, ProxyFields

READ_ONLY: Final = frozenset(
    {
        *("id", "shown_model", "base_url", "state", "reason", "reason_code", "generation", "applied_generation"),
        *("applied", "in_flight", "restarts", "created_at", "updated_at"),
    }
)
"""What a reply says of a proxy besides its fields. It may be sent back, and does nothing."""
READ_ONLY_IN_GROUPS: Final = frozenset({"applied", "generation", "reason", "decisions"})

_REPLIES: Final = {"type": "array", "items": {"type": "object"}, "default": []}
_DESIRED: Final = {
    "enum": [state.value for state in DesiredState],
    "description": "Running; stopped: requests in flight finish; killed: they are cut.",
}


@cache
def group_schema(group: str) -> dict[str, Any]:
    """One group of fields: "cache", "limits", ..."""
    return _properties_of(GROUPS[group].model_json_schema())


@cache
def fields_schema() -> dict[str, Any]:
    """All the fields of a proxy."""
    schema = _properties_of(ProxyFields.model_json_schema())
    return {**schema, "properties": {**schema["properties"], **{name: group_schema(name) for name in GROUPS}}}


def body(name: str) -> dict[str, Any]:
    """A reference to one of `bodies`."""
    return {"$ref": f"#/components/schemas/{name}"}


@cache
def bodies() -> dict[str, Any]:
    """What the API takes, by the names that its schema has for it. In groups null is the default, as leaving out is;
    what replies say besides is taken and does nothing."""
    return {
        "FaultRule": rule_schema(),
        "ProxyNew": _proxy_body("name", "provider"),
        "ProxyByName": _proxy_body("provider"),
        "ProxyChanges": _proxy_body(),
        "CacheSettings": _group_body("cache", "stats"),
        "LimitSettings": _group_body("limits"),
        "AccessSettings": _group_body("access"),
        "FaultSettings": {"oneOf": [_group_body("faults"), _by_reference()]},
    }


def _by_reference() -> dict[str, Any]:
    return {**rules_schema(), "items": body("FaultRule")}


def _group_body(group: str, *ignored: str) -> dict[str, Any]:
    return _settable(_with_references(group_schema(group)), READ_ONLY_IN_GROUPS | set(ignored))


def _proxy_body(*required: str) -> dict[str, Any]:
    schema = fields_schema()
    groups = {name: _nullable(_settable(_with_references(group_schema(name)), frozenset())) for name in GROUPS}
    properties = {
        **_settable(schema, READ_ONLY)["properties"],
        **groups,
        **{name: schema["properties"][name] for name in required},
        "desired_state": _DESIRED,
    }
    return {**schema, "properties": properties, "required": list(required)}


def _with_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema["properties"]
    if "rules" not in properties:
        return dict(schema)
    return {**schema, "properties": {**properties, "rules": _by_reference()}}


def _properties_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Without references, so that it can stand anywhere; with the grammars that the types do not tell."""
    whole = _inlined({name: part for name, part in schema.items() if name != "$defs"}, schema.get("$defs", {}))
    properties = whole["properties"]
    if "rules" in properties:
        properties["rules"] = {**rules_schema(), "default": []}
    if "replies" in properties:
        properties["replies"] = _REPLIES
    result: dict[str, Any] = whole
    return result


def _inlined(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(inner, definitions) for inner in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        definition = definitions[part["$ref"].rpartition("/")[2]]
        rest = {name: inner for name, inner in part.items() if name != "$ref"}
        return {**_inlined(definition, definitions), **rest}
    return {name: _inlined(inner, definitions) for name, inner in part.items()}


def _settable(schema: Mapping[str, Any], ignored: frozenset[str]) -> dict[str, Any]:
    properties = {name: _nullable(part) for name, part in schema["properties"].items()}
    properties |= {name: {"description": "From a reply; does nothing here."} for name in sorted(ignored)}
    return {**schema, "properties": properties}


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    if {"type": "null"} in schema.get("anyOf", ()):
        return dict(schema)
    return {"anyOf": [schema, {"type": "null"}]}
