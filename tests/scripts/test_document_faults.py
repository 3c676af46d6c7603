"""docs/faults.md: current, whole, and its examples are rules."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from providers.faults.base import Reason
from proxies.dataplane.faults.clients import MEETS
from proxies.dataplane.faults.error_clients import RAISES
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.header import read_header
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import all_faults
from proxies.dataplane.faults.settings import describe
from proxies.documents import read_document
from proxies.fault_rules import rules_in_line

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "faults.md").read_text()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document_faults", ROOT / "scripts" / "document_faults.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_as_the_code_declares_it(script: ModuleType) -> None:
    assert script.document() == DOCUMENT, "run `make docs`"


def part(anchor: str) -> str:
    return DOCUMENT.partition(f'<a id="{anchor}"></a>')[2].partition("<a id=")[0]


@pytest.mark.parametrize("kind", all_faults())
def test_every_fault_is_there_with_its_settings_and_an_example_in_each_form(kind: str) -> None:
    text = part(kind.replace("_", "-"))
    assert [one.name for one in describe(all_faults()[kind]) if f"| `{one.name}` |" not in text] == []
    rules = read_rules(read_document(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]))
    command = shlex.split(re.findall(r"^\.venv/bin/python manage.py (.*)$", text, re.MULTILINE)[0])
    header = re.findall(r"^x-rubberduck-fault: (.*)$", text, re.MULTILINE)[0]
    assert command[:4] == ["proxy", "faults", "NAME", "--add"]
    assert read_rules(rules_in_line(command[4]))[0] == rules[0]
    assert read_header(header.encode()) == (rules[0].fault,)
    assert all(f"| {client} | {words} |" in text for client, words in MEETS.get(kind, {}).items())


def test_every_preset_and_every_reason_is_there() -> None:
    assert [name for name in PRESETS if f"--preset {name}\n" not in DOCUMENT] == []
    assert {reason: DOCUMENT.count(f"\n| `{reason}` |") for reason in Reason} == dict.fromkeys(Reason, 10)


@pytest.mark.parametrize("provider", RAISES)
def test_what_each_client_raises_for_each_error_is_there(provider: str) -> None:
    clients = RAISES[provider]
    table = DOCUMENT.partition(f"| `reason` | Status | {' | '.join(clients)} |\n")[2].partition("\n\n")[0]
    rows = {
        line.split("`")[1]: line.removeprefix("| ").removesuffix(" |").split(" | ") for line in table.splitlines()[1:]
    }
    assert list(rows) == list(Reason)
    for reason, (_, status, *cells) in rows.items():
        for met, cell in zip(clients.values(), cells, strict=True):
            raised = met[Reason(reason)]
            before, name, after = cell.split("`")
            assert (before.removesuffix(": ") or status, name) == (str(raised.status), raised.name)
            assert after == (f" ({raised.attempts})" if raised.attempts > 1 else "")


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL))
def test_every_example_is_taken_by_the_grammar(block: str) -> None:
    assert read_rules(read_document(block))
