"""Fault rules as people write them: values of JSON or YAML into rules, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from proxies.dataplane.faults.base import Fault
from proxies.dataplane.faults.conditions import (
    ELSEWHERE,
    RULE_WORDS,
    SCRIPT_WORDS,
    STEP_WORDS,
    mapping,
    misplaced,
    read_match,
    read_when,
    seconds,
    whole,
    write_match,
    write_when,
)
from proxies.dataplane.faults.rates import find_excess
from proxies.dataplane.faults.registry import PASS, all_faults
from proxies.dataplane.faults.rules import MAX_RULES, MAX_STEPS, Rule, Step
from proxies.dataplane.faults.settings import (
    InvalidField,
    number,
    read_number,
    read_settings,
    shown,
    unknown,
    write_settings,
)

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


class InvalidRules(ValueError):
    """Rules that nobody can obey; the text names entry, field and reason."""


def read_rules(entries: Any) -> tuple[Rule, ...]:
    """The rules of a list of mappings. Raises InvalidRules."""
    if not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)):
        raise InvalidRules("use a list of rules")
    if len(entries) > MAX_RULES:
        raise InvalidRules(f"use at most {MAX_RULES} rules; these are {len(entries)}")
    rules: list[Rule] = []
    places: dict[str, int] = {}
    for place, entry in enumerate(entries, 1):
        try:
            rule = _read_rule(entry, place)
            if rule.id in places:
                raise InvalidField("id", f"entry {places[rule.id]} has it already")
        except InvalidField as error:
            field = f", {error.field}" if error.field else ""
            raise InvalidRules(f"entry {place}{field}: {error.reason}") from None
        places[rule.id] = place
        rules.append(rule)
    excess = find_excess(rules)
    if excess is not None:
        raise InvalidRules(_too_much(rules, excess))
    return tuple(rules)


def _too_much(rules: Sequence[Rule], excess: Sequence[int]) -> str:
    names = [f"{index + 1} ({rules[index].id})" if _has_name(rules[index]) else str(index + 1) for index in excess]
    shown_names = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    total = sum(rules[index].rate or 0.0 for index in excess)
    return (
        f"entries {shown_names}, rate: one request can meet them all, and their rates add up to {total:.6g}; keep the "
        "sum at 1, or tell the rules apart by match or when"
    )


def write_rule(rule: Rule) -> dict[str, Any]:
    """The entry that a rule is read from, without what is as it is by default. A rule without a name of its own reads
    back the same at the same place of the list."""
    entry: dict[str, Any]
    if rule.fault is not None:
        entry = _write_fault(rule.fault)
    else:
        entry = {"script": [_write_step(step) for step in rule.script]}
        if rule.repeats:
            entry["repeat"] = True
    if rule.rate is not None:
        entry["rate"] = number(rule.rate)
    if match := write_match(rule.match):
        entry["match"] = match
    if when := write_when(rule.when):
        entry["when"] = when
    if _has_name(rule):
        entry["id"] = rule.id
    return entry


def _has_name(rule: Rule) -> bool:
    return not rule.id.isdigit()


def _read_rule(entry: Any, place: int) -> Rule:
    members = mapping(entry, "", "use a mapping such as {fault: error, status: 429}")
    is_script = "script" in members and "fault" not in members
    if not is_script and "fault" not in members:
        for name in members:
            if name not in RULE_WORDS and name not in ELSEWHERE:
                raise InvalidField(shown(name), unknown(name, "member of a rule", ("fault", "script", *RULE_WORDS)))
        raise InvalidField("fault", "name one, or write a script")
    rule_id = _read_id(members.get("id"), place)
    match, when = read_match(members.get("match")), read_when(members.get("when"))
    if is_script:
        steps, repeats = _read_script(members)
        return Rule(id=rule_id, script=steps, repeats=repeats, match=match, when=when)
    fault = _read_fault(members, RULE_WORDS)
    if fault.streams is not None and match.streaming is not None and fault.streams is not match.streaming:
        only = "streams" if fault.streams else "replies that are no streams"
        raise InvalidField("match.streaming", f"{fault.kind} is for {only} alone")
    return Rule(id=rule_id, fault=fault, rate=_read_rate(members.get("rate")), match=match, when=when)


def _read_id(value: Any, place: int) -> str:
    if value is None:
        return str(place)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        reason = "use up to 64 letters, digits, dots, hyphens and underscores, beginning with a letter"
        raise InvalidField("id", reason)
    return value


def _read_rate(value: Any) -> float | None:
    if value is None:
        return None
    rate: float | None = read_number(value, is_whole=False, ge=0, le=1)
    if rate is None:
        raise InvalidField("rate", "use a number from 0 to 1")
    return rate


def _read_script(members: Mapping[str, Any]) -> tuple[tuple[Step, ...], bool]:
    for name in members:
        if name == "rate":
            raise InvalidField("rate", "a script counts, it does not draw; leave it out")
        if name not in SCRIPT_WORDS:
            raise misplaced(name, "", "member of a script's rule", SCRIPT_WORDS)
    entries = members["script"]
    if not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)) or not 1 <= len(entries) <= MAX_STEPS:
        raise InvalidField("script", f"use a list of 1 to {MAX_STEPS} steps")
    repeats = members.get("repeat")
    if repeats is not None and not isinstance(repeats, bool):
        raise InvalidField("repeat", "use true or false")
    steps = []
    for place, entry in enumerate(entries, 1):
        try:
            steps.append(_read_step(entry))
        except InvalidField as error:
            field = f", {error.field}" if error.field else ""
            raise InvalidField(f"script step {place}{field}", error.reason) from None
    endless = [place for place, step in enumerate(steps, 1) if step.times is None and step.for_s is None]
    if endless and endless[0] < len(steps):
        raise InvalidField(f"script step {endless[0]}", "it never ends: say how many times, or for_s")
    if endless and repeats:
        raise InvalidField("repeat", "the last step never ends: say how many times, or for_s")
    return tuple(steps), bool(repeats)


def _read_step(entry: Any) -> Step:
    members = mapping(entry, "", "use a mapping such as {fault: error, status: 503, times: 2}")
    if "fault" not in members:
        raise InvalidField("fault", f"name one, or {PASS}")
    fault = None
    if members["fault"] == PASS:
        for name in members:
            if name not in ("fault", *STEP_WORDS):
                raise misplaced(name, "", f"setting of {PASS}", STEP_WORDS)
    else:
        fault = _read_fault(members, STEP_WORDS)
    times, for_s = members.get("times"), members.get("for_s")
    if times is not None and for_s is not None:
        raise InvalidField("for_s", "use times or for_s, not both")
    return Step(
        fault,
        times=None if times is None else whole(times, "times"),
        for_s=None if for_s is None else seconds(for_s, "for_s", gt=0),
    )


def _read_fault(members: Mapping[str, Any], beside: Sequence[str]) -> Fault:
    kind = members["fault"]
    known = all_faults()
    if kind == PASS:
        raise InvalidField("fault", f"{PASS} is for the steps of a script and for the header of a request")
    cls = known.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise InvalidField("fault", f"{shown(kind)}: {unknown(kind, 'fault', known)}")
    settings = {name: value for name, value in members.items() if name != "fault" and name not in beside}
    for name in settings:
        if name in ELSEWHERE:
            raise misplaced(name, "", f"setting of {kind}", ())
    return read_settings(cls, settings)


def _write_fault(fault: Fault) -> dict[str, Any]:
    return {"fault": fault.kind, **write_settings(fault)}


def _write_step(step: Step) -> dict[str, Any]:
    entry: dict[str, Any] = {"fault": PASS} if step.fault is None else _write_fault(step.fault)
    if step.times is not None:
        entry["times"] = step.times
    if step.for_s is not None:
        entry["for_s"] = number(step.for_s)
    return entry
