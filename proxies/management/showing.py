"""`manage.py proxy show`: one proxy, what is observed of it and how it is set, for people."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import Any

from logs.selectors import client_verdicts, newest_decision
from logs.verdicts import Verdicts
from proxies.management.access_actions import access_words
from proxies.management.console import ConsoleCommand, find
from proxies.management.fault_actions import fault_words
from proxies.management.limit_actions import limit_words
from proxies.models import Proxy
from proxies.schemas import fields_of
from proxies.selectors import Observation, base_url, observe_one, proxy_summary, shown_model


def proxy_show(command: ConsoleCommand, options: dict[str, Any]) -> None:
    proxy = find(options)
    seen = observe_one(proxy)
    verdicts = client_verdicts(proxy.pk, proxy.faults_reset_at)
    if options["as_json"]:
        command.print_json({**proxy_summary(proxy, seen), "verdicts": asdict(verdicts)})
        return
    command.print_table([(name, value) for name, value in _facts(proxy, seen).items() if value != ""])
    if verdicts.calls:
        command.say("")
        command.print_table(_verdict_rows(verdicts))


def state_words(seen: Observation) -> str:
    """The observed state, with its reason when there is one."""
    state = seen.state.replace("_", " ")
    return f"{state}: {seen.reason}" if seen.reason else state


def _verdict_rows(verdicts: Verdicts) -> list[tuple[str, ...]]:
    calls = f"{verdicts.calls} {'call' if verdicts.calls == 1 else 'calls'} that met a failure"
    retries = f"{verdicts.retries} {'retry' if verdicts.retries == 1 else 'retries'}"
    rows = [(f"  {question}", str(good), bad) for question, good, bad in verdicts.rows()]
    return [("CLIENTS", calls, retries), *rows]


def _facts(proxy: Proxy, seen: Observation) -> dict[str, str]:
    """What to show -> how, in order: what is observed, then the fields by the names that `set` takes, limits and faults
    each in one line."""
    fields = {**fields_of(proxy), "model": shown_model(proxy)}
    if replies := fields["emulation.replies"]:
        fields["emulation.replies"] = f"{len(replies)}; see `manage.py proxy replies {shlex.quote(proxy.name)}`"
    fields["access.allow"] = access_words(proxy.allow, "everybody")
    fields["access.block"] = access_words(proxy.block, "nobody")
    facts = {
        "id": str(proxy.pk),
        "owner": str(proxy.owner or "nobody"),
        "base URL": base_url(proxy),
        "desired state": str(proxy.desired_state),
        "state": state_words(seen),
    }
    for name, value in fields.items():
        group = name.partition(".")[0]
        if group == "limits":
            facts["limits"] = limit_words(proxy)
        elif group == "faults":
            facts["faults"] = fault_words(proxy)
            facts["decisions"] = str(newest_decision(proxy.pk, proxy.faults_reset_at))
        else:
            facts[name] = value if isinstance(value, str) else json.dumps(value)
    return facts
