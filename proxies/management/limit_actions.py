"""`manage.py proxy limits`: how many requests and tokens a minute may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from proxies.dataplane.config import LimitScope, OverLimit
from proxies.errors import Invalid
from proxies.management.console import ConsoleCommand, find, read_file, read_number_or_none, read_switch
from proxies.models import Proxy
from proxies.schemas import LimitFields, group_of

FIELDS = tuple(LimitFields.model_fields)
_WHOSE = {LimitScope.PROXY: "", LimitScope.CLIENT: ", for each client", LimitScope.CREDENTIAL: ", for each credential"}


def add_limit_arguments(limits: CommandParser) -> None:
    limits.add_argument("--rpm", metavar="N", help="requests per minute; none: no limit")
    limits.add_argument("--tpm", metavar="N", help="tokens per minute, input and output together; none: no limit")
    limits.add_argument("--per", metavar="WHOM", help=f"whose are counted together: {', '.join(LimitScope)}")
    over = limits.add_mutually_exclusive_group()
    over.add_argument("--hold", metavar="S", help="over the limit: wait for a turn, S seconds at most, then reject")
    over.add_argument("--reject", action="store_true", help="over the limit: the provider's 429 at once")
    limits.add_argument("--hits", metavar="yes|no", help="whether answers from the cache count")
    limits.add_argument("--quota-headers", metavar="yes|no", help="whether replies say what is left, as the provider's")
    whole = limits.add_mutually_exclusive_group()
    whole.add_argument("--clear", action="store_true", help="no limit")
    whole.add_argument("--file", metavar="FILE", help=f"YAML or JSON with {', '.join(FIELDS)}; -: standard input")


def proxy_limits(command: ConsoleCommand, options: dict[str, Any]) -> None:
    """Shows the limits, or changes them first. A file says them all: what it leaves out goes back to its default."""
    proxy = find(options)
    words = ""
    if changes := _changes(options):
        proxy, words = command.change(proxy, lambda current: changes, options)
    fields = group_of(proxy, "limits")
    if options["as_json"]:
        command.print_json(fields)
    elif words:
        command.say(f"{proxy.name}: {words}: {limit_words(proxy)}")
    else:
        command.print_table([("limits", limit_words(proxy)), *((name, _text(fields[name])) for name in FIELDS)])


def limit_words(proxy: Proxy) -> str:
    """The limits in one sentence."""
    kinds = [
        f"{number} {what}{'' if number == 1 else 's'}"
        for number, what in ((proxy.limits_rpm, "request"), (proxy.limits_tpm, "token"))
        if number is not None
    ]
    if not kinds:
        return "none"
    is_held = proxy.limits_over_limit == OverLimit.HOLD
    parts = [
        f"{' and '.join(kinds)} per minute{_WHOSE[LimitScope(proxy.limits_per)]}",
        f"what comes over it is held up to {proxy.limits_hold_s:g} s" if is_held else "what comes over it is rejected",
        "hits count" if proxy.limits_counts_hits else "hits do not count",
    ]
    if proxy.limits_quota_headers:
        parts.append("replies carry quota headers")
    return "; ".join(parts)


def _changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted name -> value of what the options name."""
    changes: dict[str, Any] = {}
    if options["file"] is not None:
        document = read_file("limits", options["file"])
        if not isinstance(document, Mapping):
            raise Invalid(fields={"limits": f"Use a mapping with {', '.join(FIELDS)}."})
        changes = {f"limits.{name}": None for name in FIELDS} | {f"limits.{name}": v for name, v in document.items()}
    elif options["clear"]:
        changes = {f"limits.{name}": None for name in FIELDS}
    for name in ("rpm", "tpm"):
        if options[name] is not None:
            changes[f"limits.{name}"] = read_number_or_none(options[name])
    if options["per"] is not None:
        changes["limits.per"] = options["per"]
    if options["hold"] is not None:
        changes |= {"limits.over_limit": "hold", "limits.hold_s": read_number_or_none(options["hold"])}
    if options["reject"]:
        changes["limits.over_limit"] = "reject"
    if options["hits"] is not None:
        changes["limits.counts_hits"] = read_switch("--hits", options["hits"])
    if options["quota_headers"] is not None:
        changes["limits.quota_headers"] = read_switch("--quota-headers", options["quota_headers"])
    return changes


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
