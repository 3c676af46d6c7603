"""`manage.py proxy faults`: what a proxy simulates, shown and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandParser

from logs.selectors import newest_decision
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import all_faults
from proxies.documents import write_yaml
from proxies.errors import Invalid
from proxies.fault_rules import FIELDS, fields_in_document, kinds_in, preset, rules_in_line, rules_of_presets, without
from proxies.management.console import (
    ConsoleCommand,
    find,
    read_file,
    read_number_or_none,
    read_switch,
    wrong_usage,
)
from proxies.models import Proxy
from proxies.schemas import group_of
from proxies.services import proxy_reset_faults


def add_fault_arguments(faults: CommandParser) -> None:
    whole = faults.add_mutually_exclusive_group()
    whole.add_argument(
        "--file", metavar="FILE", help=f"YAML or JSON: a list of rules to take their place, or {', '.join(FIELDS)}"
    )
    whole.add_argument(
        "--preset", action="append", metavar="PRESET", help="rules to take their place; several are put together"
    )
    whole.add_argument("--clear", action="store_true", help="leave no rule")
    faults.add_argument("--remove", action="append", metavar="ID|N", help="take out one rule, by its id or number")
    faults.add_argument(
        "--add", action="append", metavar="RULE", help="add one: 'error;status=429', '{fault: delay, seconds: 2}'"
    )
    faults.add_argument("--seed", metavar="N", help="a whole number: the same seed, the same faults")
    faults.add_argument("--reset", action="store_true", help="begin again: the decision counter, and all rules count")
    on = faults.add_mutually_exclusive_group()
    on.add_argument("--on", action="store_true", help="let the rules act")
    on.add_argument("--off", action="store_true", help="keep the rules, but let none act")
    faults.add_argument("--per-request", metavar="on|off", help="whether the header x-rubberduck-fault is obeyed")
    lists = faults.add_mutually_exclusive_group()
    lists.add_argument("--presets", action="store_true", help="list the presets")
    lists.add_argument("--kinds", action="store_true", help="list the faults")


def proxy_faults(command: ConsoleCommand, options: dict[str, Any]) -> None:
    """Shows what a proxy simulates, or changes it first; or lists presets and kinds, which needs no proxy."""
    if options["presets"] or options["kinds"]:
        _list(command, options)
        return
    proxy = find(options)
    run = proxy.faults_reset_at
    words = ""
    if edit := _edit(options):
        proxy, words = command.change(proxy, edit, options)
    # Whoever names a seed wants its sequence from the beginning, even if the proxy has that seed already.
    if options["reset"] or (options["seed"] is not None and proxy.faults_reset_at == run):
        proxy = proxy_reset_faults(proxy=proxy)
        words = command.applied(proxy, options).replace("changed", "begun again", 1)
    if options["as_json"]:
        command.print_json(faults_of(proxy))
    elif words:
        command.say(f"{proxy.name}: {words}: {fault_words(proxy)}")
        for name in options["preset"] or []:
            _note_foreign(command, proxy, name)
    else:
        _show(command, proxy)


def faults_of(proxy: Proxy) -> dict[str, Any]:
    """The fields, and how many exchanges of the present run have been decided."""
    return {**group_of(proxy, "faults"), "decisions": newest_decision(proxy.pk, proxy.faults_reset_at)}


def fault_words(proxy: Proxy) -> str:
    """What a proxy simulates, in one line."""
    count = len(proxy.faults_rules)
    rules = "no rules"
    if count:
        kinds = kinds_in(proxy.faults_rules)
        named = ", ".join(kinds[:6]) + (", ..." if len(kinds) > 6 else "")
        rules = f"{count} {'rule' if count == 1 else 'rules'} ({named}), seed {proxy.faults_seed}"
    switched_off = "" if proxy.faults_enabled else "; switched off"
    header = "; the header x-rubberduck-fault is obeyed" if proxy.faults_per_request else ""
    return f"{rules}{header}{switched_off}"


def _edit(options: Mapping[str, Any]) -> Callable[[Proxy], Mapping[str, Any]] | None:
    """What the options make of a proxy: dotted name -> value. None: they change nothing."""
    fields: dict[str, Any] = {}
    if options["file"] is not None:
        fields = fields_in_document(read_file("faults.rules", options["file"]))
    elif options["preset"]:
        fields["rules"] = rules_of_presets(options["preset"])
    elif options["clear"]:
        fields["rules"] = []
    removed = options["remove"] or []
    added = [rule for text in options["add"] or [] for rule in rules_in_line(text)]
    if options["seed"] is not None:
        fields["seed"] = read_number_or_none(options["seed"])
    if options["on"] or options["off"]:
        fields["enabled"] = options["on"]
    if options["per_request"] is not None:
        fields["per_request"] = read_switch("--per-request", options["per_request"])
    if not (fields or removed or added):
        return None

    def edit(proxy: Proxy) -> dict[str, Any]:
        changes = dict(fields)
        if removed or added:
            rules = changes.get("rules", proxy.faults_rules)
            if not isinstance(rules, list):
                raise Invalid(fields={"faults.rules": "Use a list of rules."})
            changes["rules"] = [*without(rules, removed), *added]
        return {f"faults.{name}": value for name, value in changes.items()}

    return edit


def _show(command: ConsoleCommand, proxy: Proxy) -> None:
    """As a file that `--file` takes, with the rules' numbers and the counter in comments."""
    fields = faults_of(proxy)
    command.say(f"# {proxy.name}: {fields['decisions']} decisions so far")
    command.say(write_yaml({name: fields[name] for name in FIELDS if name != "rules"}))
    command.say("rules:" if fields["rules"] else "rules: []")
    for number, rule in enumerate(fields["rules"], 1):
        command.say(f"# {number}")
        command.say(write_yaml([rule]))


def _list(command: ConsoleCommand, options: Mapping[str, Any]) -> None:
    if options["name"] is not None:
        raise wrong_usage("--presets and --kinds need no NAME.")
    if options["presets"]:
        found = [(one.name, one.description) for one in PRESETS.values()]
    else:
        found = [(kind, cls.summary) for kind, cls in all_faults().items()]
    if options["as_json"]:
        command.print_json([{"name": name, "description": words} for name, words in found])
    else:
        command.print_table(found)


def _note_foreign(command: ConsoleCommand, proxy: Proxy, name: str) -> None:
    providers = preset(name).providers
    if providers and proxy.provider not in providers:
        whose = " or ".join(providers)
        command.say(f"{name} is a bad day of {whose}; {proxy.name} has it in the shapes of {proxy.provider}.")
