"""Fault rules as people edit them: rules written in a line, whole files, presets, and single ones taken out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import http_sf

from proxies.dataplane.faults.presets import PRESETS, Preset
from proxies.documents import read_document
from proxies.errors import Invalid, NotFound

FIELDS = ("rules", "seed", "enabled", "per_request")
# What is shown besides, here and by the API, may be given back, and does nothing.
_READ_ONLY = frozenset({"applied", "generation", "reason", "decisions"})


def rules_in_line(text: str) -> list[Any]:
    """Rules written in one line: a YAML or JSON mapping, or the words of the request header, in which a rule's rate and
    id may stand too: `error;status=429;rate=0.1`. Raises Invalid."""
    if text.lstrip().startswith(("{", "[")):
        rule = read_document(text)
        return rule if isinstance(rule, list) else [rule]
    try:
        members: Any = http_sf.parse(text.encode("ascii"), tltype="list")
        rules = [
            {"fault": _token(kind), **{name: _plain(value) for name, value in settings.items()}}
            for kind, settings in members
        ]
    except (http_sf.errors.StructuredFieldError, UnicodeEncodeError, TypeError, ValueError):
        raise Invalid(f"{text!r} is no rule: write error;status=429 or {{fault: error, status: 429}}.") from None
    if not rules:
        raise Invalid("The rule is empty: write error;status=429 or {fault: error, status: 429}.")
    return rules


def fields_in_document(document: Any) -> dict[str, Any]:
    """What a file says: a list is the rules; a mapping may name the other fields too, which else stay as they are."""
    if document is None:
        raise Invalid(fields={"faults.rules": "This is empty; write [] for no rules."})
    if isinstance(document, list):
        return {"rules": document}
    if not isinstance(document, Mapping):
        raise Invalid(fields={"faults.rules": f"Use a list of rules, or a mapping with {', '.join(FIELDS)}."})
    if unknown := [name for name in document if name not in FIELDS and name not in _READ_ONLY]:
        hint = " A single rule is a list with one entry." if "fault" in document or "script" in document else ""
        raise Invalid(fields={"faults.rules": f"{unknown[0]!r} is none of {', '.join(FIELDS)}.{hint}"})
    fields = {name: value for name, value in document.items() if name not in _READ_ONLY}
    return {name: [] if name == "rules" and value is None else value for name, value in fields.items()}


def rules_of_presets(names: Iterable[str]) -> list[Any]:
    """The rules of several presets, each once. Raises NotFound."""
    return [dict(rule) for name in dict.fromkeys(names) for rule in preset(name).rules]


def preset(name: str) -> Preset:
    """Raises NotFound, which names them all."""
    found = PRESETS.get(name)
    if found is None:
        raise NotFound(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return found


def without(rules: Sequence[Any], names: Iterable[str]) -> list[Any]:
    """The rules that are left after those named by their id, or by their place counted from 1, are taken out. Places
    are those of `rules`. Raises NotFound."""
    removed = set()
    for name in names:
        places = [place for place, rule in enumerate(rules) if isinstance(rule, Mapping) and rule.get("id") == name]
        if not places and name.isascii() and name.isdigit() and 1 <= int(name[:9]) <= len(rules):
            places = [int(name) - 1]
        if not places:
            known = f"name one by its id, or by its number from 1 to {len(rules)}" if rules else "there are none at all"
            raise NotFound(f"There is no rule {name!r}: {known}.")
        removed |= set(places)
    return [rule for place, rule in enumerate(rules) if place not in removed]


def kinds_in(rules: Iterable[Any]) -> list[str]:
    """The kinds of the rules in their order, each once; "script" for a script."""
    kinds = (rule.get("fault") or "script" for rule in rules if isinstance(rule, Mapping))
    return list(dict.fromkeys(str(kind) for kind in kinds))


def _token(value: Any) -> str:
    if not isinstance(value, http_sf.Token):
        raise TypeError
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, bool | int | float | str) else _token(value)
