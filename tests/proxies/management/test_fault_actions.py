"""`manage.py proxy faults`: rules from everywhere, in and out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from model_bakery import baker

from logs.models import RequestLog
from proxies.dataplane.faults.presets import PRESETS
from proxies.dataplane.faults.registry import all_faults
from proxies.models import Proxy, ProxyRuntime
from tests.proxies.management.calling import failure, run, run_json

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mine(make_proxy: Callable[..., Proxy]) -> Proxy:
    return make_proxy("mine")


def faults(*arguments: str) -> str:
    return run("proxy", "faults", "mine", *arguments)


def rules() -> list[object]:
    found: list[object] = Proxy.objects.get(name="mine").faults_rules
    return found


def test_a_rule_is_added_in_yaml_or_in_the_words_of_the_header() -> None:
    assert faults("--add", "error;status=429;rate=0.1") == "mine: changed: 1 rule (error), seed 0\n"
    faults(
        "--add", "{fault: delay, seconds: 2, match: {model: gpt-4*}}", "--add", "delay;min=1;max=2.5, close;rate=0.2"
    )
    assert rules() == [
        {"fault": "error", "status": 429, "rate": 0.1},
        {"fault": "delay", "seconds": 2, "match": {"model": "gpt-4*"}},
        {"fault": "delay", "min": 1, "max": 2.5},
        {"fault": "close", "rate": 0.2},
    ]


def test_a_file_takes_the_place_of_the_rules_and_may_say_more(tmp_path: Path) -> None:
    faults("--add", "close")
    file = tmp_path / "rules.yaml"
    file.write_text("- {fault: error, status: 503, when: {every: 3}}\n")
    faults("--file", str(file))
    assert rules() == [{"fault": "error", "status": 503, "when": {"every": 3}}]
    file.write_text('{"seed": 7, "per_request": true, "enabled": false}')
    faults("--file", str(file))
    proxy = Proxy.objects.get()
    assert (proxy.faults_seed, proxy.faults_per_request, proxy.faults_enabled) == (7, True, False)
    assert len(proxy.faults_rules) == 1


def test_what_is_shown_is_a_file_that_is_taken(tmp_path: Path, make_proxy: Callable[..., Proxy]) -> None:
    faults("--preset", "everything-at-once-mildly", "--add", "{script: [{fault: pass, times: 2}, {fault: close}]}")
    faults("--seed", "9223372036854775807", "--off", "--per-request", "on")
    shown = faults()
    assert shown.startswith(
        "# mine: 0 decisions so far\nseed: 9223372036854775807\nenabled: false\nper_request: true\n"
    )
    assert f"# {len(rules())}\n- script:\n  - fault: pass\n" in shown
    file = tmp_path / "shown.yaml"
    file.write_text(shown)
    make_proxy("copy")
    run("proxy", "faults", "copy", "--file", str(file))
    copied, wanted = run_json("proxy", "faults", "copy"), run_json("proxy", "faults", "mine")
    assert copied == wanted
    assert wanted["rules"] == rules()
    file.write_text(json.dumps(wanted))
    make_proxy("another")
    run("proxy", "faults", "another", "--file", str(file))
    assert run_json("proxy", "faults", "another") == wanted


def test_rules_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[{fault: hang}]")))
    faults("--file", "-")
    assert rules() == [{"fault": "hang"}]


def test_presets_take_the_place_of_the_rules_together_with_what_is_added() -> None:
    faults("--add", "close")
    faults("--preset", "slow-model", "--preset", "flaky-network", "--preset", "slow-model", "--add", "empty_body")
    wanted = [*PRESETS["slow-model"].rules, *PRESETS["flaky-network"].rules, {"fault": "empty_body"}]
    assert rules() == wanted
    assert failure("proxy", "faults", "mine", "--preset", "slow") == (
        f"There is no preset 'slow'; there are {', '.join(PRESETS)}.",
        1,
    )


def test_a_preset_of_another_provider_says_so_and_works() -> None:
    said = faults("--preset", "anthropic-overloaded")
    assert said.endswith("anthropic-overloaded is a bad day of anthropic; mine has it in the shapes of openai.\n")
    assert len(rules()) == len(PRESETS["anthropic-overloaded"].rules)


def test_a_rule_is_taken_out_by_its_name_or_its_number() -> None:
    faults("--add", "{fault: close, id: first}", "--add", "reset", "--add", "hang", "--add", "empty_body")
    faults("--remove", "first", "--remove", "3")
    assert rules() == [{"fault": "reset"}, {"fault": "empty_body"}]
    for name in ("first", "0", "3", "-1"):
        text, code = failure("proxy", "faults", "mine", f"--remove={name}")
        assert (text, code) == (f"There is no rule {name!r}: name one by its id, or by its number from 1 to 2.", 1)
    faults("--clear")
    assert rules() == []


def test_all_lists_can_be_seen_without_a_proxy() -> None:
    presets, kinds = run("proxy", "faults", "--presets"), run("proxy", "faults", "--kinds")
    assert [line.split()[0] for line in presets.splitlines()] == list(PRESETS)
    assert [line.split()[0] for line in kinds.splitlines()] == list(all_faults())
    assert [one["name"] for one in run_json("proxy", "faults", "--kinds")] == list(all_faults())
    assert failure("proxy", "faults", "mine", "--kinds")[1] == 2
    assert failure("proxy", "faults") == ("Say which proxy: NAME is missing.", 2)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("--add", "error;status=999"), "faults.rules: entry 1, status: use a whole number from 400 to 599", 1),
        (("--add", "eror"), "faults.rules: entry 1, fault: eror: there is no such fault; did you mean error?", 1),
        (("--add", "{fault: [}"), "This is neither JSON nor YAML", 1),
        (("--add", ""), "The rule is empty", 1),
        (("--add", "(a b)"), "'(a b)' is no rule: write error;status=429 or {fault: error, status: 429}.", 1),
        (("--add", "e\N{LATIN SMALL LETTER E WITH ACUTE}"), "'eé' is no rule", 1),
        (("--add", "error;status=:aGk=:"), "'error;status=:aGk=:' is no rule", 1),
        (("--add", "error;status=500;rate=0.6", "--add", "error;status=503;rate=0.6"), "faults.rules: entries 1, 2", 1),
        (("--seed", "-1"), "faults.seed: Input should be greater than or equal to 0.", 1),
        (("--seed", "often"), "faults.seed: Input should be a valid integer.", 1),
        (("--per-request", "maybe"), "--per-request: use on or off, or yes or no, not 'maybe'.", 2),
        (("--file", "/nowhere/rules.yaml"), "/nowhere/rules.yaml: No such file or directory.", 1),
    ],
)
def test_what_is_refused_is_named_and_changes_nothing(arguments: tuple[str, ...], words: str, code: int) -> None:
    text, returncode = failure("proxy", "faults", "mine", *arguments)
    assert text.startswith(words)
    assert returncode == code
    assert Proxy.objects.get().generation == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "faults.rules: This is empty; write [] for no rules."),
        ("fault: close", "faults.rules: 'fault' is none of rules, seed, enabled, per_request. A single rule is a list"),
        ("rule: []", "faults.rules: 'rule' is none of rules, seed, enabled, per_request."),
        ("text", "faults.rules: Use a list of rules, or a mapping with rules, seed, enabled, per_request."),
        ("rules: {fault: close}", "faults.rules: Input should be a valid list."),
        ("[{fault: close, id: a}, {fault: reset, id: a}]", "faults.rules: entry 2, id: entry 1 has "),
    ],
)
def test_a_file_that_is_refused_says_why(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "rules"
    file.write_text(text)
    found, code = failure("proxy", "faults", "mine", "--file", str(file))
    assert found.startswith(words)
    assert code == 1


def test_the_counter_is_of_the_present_run_and_a_reset_begins_it_again(mine: Proxy) -> None:
    now = timezone.now()
    for number, started_at in (
        (41, now - timedelta(hours=1)),
        (1, now + timedelta(hours=1)),
        (2, now + timedelta(hours=1)),
    ):
        baker.make(RequestLog, proxy_id=mine.pk, started_at=started_at, decision=number)  # fmt: skip
    baker.make(RequestLog, proxy_id=mine.pk, started_at=now + timedelta(hours=1), decision=None)
    assert run_json("proxy", "faults", "mine")["decisions"] == 2
    RequestLog.objects.filter(decision__lt=3).delete()
    assert run_json("proxy", "faults", "mine")["decisions"] == 41
    assert faults("--reset") == "mine: begun again: no rules\n"
    assert run_json("proxy", "faults", "mine")["decisions"] == 0
    assert Proxy.objects.get().generation == 2


def test_naming_a_seed_begins_a_run_even_if_it_is_the_same(mine: Proxy) -> None:
    faults("--add", "close", "--seed", "7")
    before = Proxy.objects.get().faults_reset_at
    assert faults("--seed", "7") == "mine: begun again: 1 rule (close), seed 7\n"
    again = Proxy.objects.get().faults_reset_at
    assert before is not None
    assert again is not None
    assert again > before


def test_a_change_is_live_when_the_command_returns(mine: Proxy, observed: Callable[..., ProxyRuntime]) -> None:
    Proxy.objects.update(desired_state="running")
    observed(mine, "running", applied_generation=2)
    assert faults("--add", "close") == "mine: changed, and live: 1 rule (close), seed 0\n"
    observed(mine, "running", applied_generation=3)
    assert faults("--reset") == "mine: begun again, and live: 1 rule (close), seed 0\n"
    assert faults("--off").startswith("mine: changed; the worker has not taken it up yet: 1 rule (close)")


def test_show_says_it_in_one_line() -> None:
    faults("--add", "close;rate=0.1", "--add", "{script: [{fault: hang, for_s: 2}]}", "--off", "--per-request", "on")
    shown = run("proxy", "show", "mine")
    said = "2 rules (close, script), seed 0; the header x-rubberduck-fault is obeyed; switched off"
    assert f"\nfaults                  {said}\n" in shown
    assert "\nlimits                  none\n" in shown
