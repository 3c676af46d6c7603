"""Writes docs/faults.md: the prose beside this file, and everything that the code itself declares."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = Path(__file__).with_suffix(".md")
DOCUMENT = ROOT / "docs" / "faults.md"
sys.path.insert(0, str(ROOT))

from providers.faults.base import Asked, Reason  # noqa: E402
from providers.faults.registry import get_faults  # noqa: E402
from providers.registry import all_providers  # noqa: E402
from proxies.dataplane.faults.base import Fault, Stage  # noqa: E402
from proxies.dataplane.faults.clients import MEETS  # noqa: E402
from proxies.dataplane.faults.error_clients import RAISES, Raised  # noqa: E402
from proxies.dataplane.faults.header import write_header  # noqa: E402
from proxies.dataplane.faults.presets import PRESETS  # noqa: E402
from proxies.dataplane.faults.registry import all_faults  # noqa: E402
from proxies.dataplane.faults.settings import (  # noqa: E402
    InvalidField,
    Setting,
    describe,
    read_settings,
    write_settings,
)

NOW = 1_795_219_200.0  # a moment, so that what is written does not depend on the day
REQUEST_ID = "019aa8f0-0000-7000-8000-000000000000"
LONGEST_MESSAGE = 220
ASKED: Mapping[str, tuple[bytes, str]] = {
    "openai": (b"/v1/chat/completions", "gpt-4o-mini"),
    "azure_openai": (b"/openai/deployments/gpt-4o-mini/chat/completions", "gpt-4o-mini"),
    "anthropic": (b"/v1/messages", "claude-haiku-4-5"),
    "bedrock": (b"/model/amazon.nova-lite-v1%3A0/converse", "amazon.nova-lite-v1:0"),
    "vertex_ai": (b"/v1beta/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash"),
}
"""Provider -> path and model of the request whose errors are shown."""
EXAMPLES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "delay": (
        {"seconds": 2},
        {"min": 0.5, "max": 4},
        {"mean": 2, "deviation": 0.5},
        {"p50": 0.8, "p90": 4, "p99": 20},
    ),
    "error": ({"status": 503}, {"reason": "rate_limit", "retry_after": 2}, {"reason": "context_length"}),
}
"""Where one example, made from the examples of the settings, would not show it."""
NOTES: Mapping[str, str] = {
    "error": "What each client raises, and how often it tries: see [Errors by name](#errors-by-name)."
}
"""In the place of what clients do, where one table could not say it."""
STAGES = {
    Stage.DELAY: "Delays: they happen first, and add up",
    Stage.REPLACE: "In the place of the reply: one at most",
    Stage.DAMAGE: "Damage to the real reply on its way",
}


def document() -> str:
    """The whole text of docs/faults.md."""
    text = TEMPLATE.read_text()
    for name, write in PARTS.items():
        text = text.replace(f"<!-- {name} -->", write().strip())
    return text


# --- faults


def overview() -> str:
    rows = [
        (f"[`{kind}`](#{kind.replace('_', '-')})", cls.title, _for(cls))
        for kind, cls in all_faults().items()
    ]  # fmt: skip
    return _table(("Fault", "", "For"), rows)


def faults() -> str:
    parts = []
    for stage, title in STAGES.items():
        parts.append(f"## {title}")
        parts += [_fault(kind, cls) for kind, cls in all_faults().items() if cls.stage is stage]
    return "\n\n".join(parts)


def _fault(kind: str, cls: type[Fault]) -> str:
    examples = [read_settings(cls, values) for values in EXAMPLES.get(kind, ())] or [example_of(cls)]
    rules = [{"fault": kind, **write_settings(example), "rate": 0.1} for example in examples]
    header = write_header((examples[0],))
    parts = [f'<a id="{kind.replace("_", "-")}"></a>', f"### {cls.title}: `{kind}`", cls.summary]
    if described := describe(cls):
        rows = [(f"`{one.name}`", one.words, _default(one), one.help) for one in described]
        parts.append(_table(("Setting", "Value", "Default", ""), rows))
    parts.append(
        "```yaml\n" + "".join(f"- {{{_flow(rule)}}}\n" for rule in rules) + "```\n\n"
        f"```sh\n.venv/bin/python manage.py proxy faults NAME --add {quote(f'{header};rate=0.1')}\n```\n\n"
        f"```http\nx-rubberduck-fault: {header}\n```"
    )
    if met := MEETS.get(kind):
        parts.append(_table(("Client", "What it does"), met.items()))
    if note := NOTES.get(kind):
        parts.append(note)
    return "\n\n".join(parts)


def example_of(cls: type[Fault]) -> Fault:
    """The fault with the settings its declaration gives as examples, as many of them as go together."""
    chosen: dict[str, Any] = {}
    for one in describe(cls):
        if one.example is not None and _is_valid(cls, {**chosen, one.name: one.example}):
            chosen[one.name] = one.example
    return read_settings(cls, chosen)


def _is_valid(cls: type[Fault], values: Mapping[str, Any]) -> bool:
    try:
        read_settings(cls, values)
    except InvalidField:
        return False
    return True


def _for(cls: type[Fault]) -> str:
    return {None: "every reply", True: "streams", False: "whole replies"}[cls.streams]


def _default(setting: Setting) -> str:
    return "" if setting.default is None else f"`{json.dumps(setting.default)}`"


# --- presets


def presets() -> str:
    parts = []
    for preset in PRESETS.values():
        rules = "\n".join(_rule(rule) for rule in preset.rules)
        parts.append(
            f"### {preset.title[0].upper()}{preset.title[1:]}: `{preset.name}`\n\n{preset.description}\n\n"
            f"```sh\n.venv/bin/python manage.py proxy faults NAME --preset {preset.name}\n```\n\n"
            f"<details><summary>Its rules</summary>\n\n```yaml\n{rules}\n```\n\n</details>"
        )
    return "\n\n".join(parts)


def _rule(rule: Mapping[str, Any]) -> str:
    if "script" not in rule:
        return f"- {{{_flow(rule)}}}"
    others = "".join(f"\n  {name}: {_value(value)}" for name, value in rule.items() if name not in ("id", "script"))
    steps = "".join(f"\n    - {{{_flow(step)}}}" for step in rule["script"])
    return f"- id: {rule['id']}\n  script:{steps}{others}"


def _flow(members: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_value(value)}" for name, value in members.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{_flow(value)}}}"
    if isinstance(value, str) and value.replace("_", "").replace("-", "").isalnum():
        return value
    return json.dumps(value)


# --- errors


def reasons() -> str:
    parts = []
    for provider_id in ASKED:
        rows = [_reason(provider_id, reason) for reason in Reason]
        parts += [
            f"### {all_providers()[provider_id].label}",
            _table(("`reason`", "Status", "Code", "Message"), rows),
            _raised(provider_id),
        ]
    return "\n\n".join(parts)


def _reason(provider_id: str, reason: Reason) -> tuple[str, ...]:
    path, model = ASKED[provider_id]
    call = all_providers()[provider_id].match("POST", path)
    reply = get_faults(provider_id).error(Asked(call, REQUEST_ID, NOW, model), reason=reason)
    headers = dict(reply.headers)
    body = json.loads(reply.body)
    said = body.get("error", body)
    codes = [said.get(name) for name in ("code", "status", "type")]
    named = headers.get(b"x-amzn-errortype", b"").partition(b":")[0].decode()
    code = named or next((code for code in codes if isinstance(code, str)), "")
    message = " ".join(str(said["message"]).split())
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE].rsplit(' ', 1)[0]} ..."
    return f"`{reason}`", str(reply.status), f"`{code}`" if code else "", message


def _raised(provider_id: str) -> str:
    clients = RAISES[provider_id]
    usual = next(iter(clients.values()))
    rows = [
        (f"`{reason}`", str(usual[reason].status), *(_met(met[reason], usual[reason]) for met in clients.values()))
        for reason in Reason
    ]
    return _table(("`reason`", "Status", *clients), rows)


def _met(raised: Raised, usual: Raised) -> str:
    status = f"{raised.status}: " if raised.status != usual.status else ""
    attempts = f" ({raised.attempts})" if raised.attempts > 1 else ""
    return f"{status}`{raised.name}`{attempts}"


# --- tables


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "&#124;") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: Mapping[str, Callable[[], str]] = {
    "overview": overview,
    "faults": faults,
    "presets": presets,
    "reasons": reasons,
}

if __name__ == "__main__":
    DOCUMENT.write_text(document())
