"""Rules as people write them: read, refused in words, and written back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.faults.base import Reason
from proxies.dataplane.faults.error import ErrorReplyFault
from proxies.dataplane.faults.grammar import InvalidRules, read_rules, write_rule
from proxies.dataplane.faults.registry import all_faults
from proxies.dataplane.faults.rules import Match, Rule, Step, When
from tests.proxies.dataplane.faults.deciding import error

EXAMPLE = """
- {fault: error, status: 429, rate: 0.1, match: {operation: chat.*, model: gpt-4*, streaming: true}, id: storm}
- fault: delay
  min: 0.5
  max: 2
  when: {every: 3, after: 10, window: "22:00-06:00"}
- script:
    - {fault: error, status: 503, times: 2}
    - {fault: pass, times: 1}
    - {fault: hang, for_s: 60}
  repeat: false
  match: {header: {x-tenant: [a, b*]}, client: 10.0.0.0/8, path: /v1/*, prompt_hash: 0a*}
"""


def test_the_grammar_reads_as_it_is_written() -> None:
    storm, slow, script = read_rules(yaml.safe_load(EXAMPLE))
    assert storm == Rule(
        "storm",
        ErrorReplyFault(status=429),
        rate=0.1,
        match=Match(operation=("chat.*",), model=("gpt-4*",), streaming=True),
    )
    assert (slow.id, slow.rate, slow.when) == ("2", None, When(every=3, after=10, window=(79_200, 21_600)))
    assert (script.fault, script.repeats) == (None, False)
    assert script.script[:2] == (Step(ErrorReplyFault(status=503), times=2), Step(None, times=1))
    assert script.script[2].for_s == 60.0


def test_what_was_read_is_written_back() -> None:
    entries = yaml.safe_load(EXAMPLE)
    del entries[2]["repeat"]  # as by default
    assert [write_rule(rule) for rule in read_rules(entries)] == entries


def test_json_and_yaml_say_the_same() -> None:
    entries = yaml.safe_load(EXAMPLE)
    assert read_rules(json.loads(json.dumps(entries))) == read_rules(entries)
    assert read_rules([]) == ()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"fault": "error"}, "use a list of rules"),
        ("error", "use a list of rules"),
        (None, "use a list of rules"),
        ([error()] * 201, "use at most 200 rules; these are 201"),
        ([3], "entry 1: use a mapping such as {fault: error, status: 429}"),
        ([{1: 2}], "entry 1: use texts for the names of its members, not (int)"),
        ([{}], "entry 1, fault: name one, or write a script"),
        ([{"rate": 0.5}], "entry 1, fault: name one, or write a script"),
        ([{"falt": "error"}], "entry 1, falt: there is no such member of a rule; did you mean fault?"),
        ([{"fault": "eror"}], "entry 1, fault: eror: there is no such fault; did you mean error?"),
        ([{"fault": ["error"]}], "entry 1, fault: (list): there is no such fault; there are "),
        ([{"fault": "pass"}], "entry 1, fault: pass is for the steps of a script and for the header of a request"),
        ([error(), error(700)], "entry 2, status: use a whole number from 400 to 599"),
        ([{"fault": "error"}], "entry 1, status: give a status, a reason, or both"),
        ([error(code="a\nb")], "entry 1, code: use letters, digits and signs without line breaks"),
        ([error(stauts=3)], "entry 1, stauts: there is no such setting of error; did you mean status?"),
        ([error(model="o3")], "entry 1, model: it stands in match, as in match: {model: ...}"),
        ([error(first=3)], "entry 1, first: it stands in when, as in when: {first: ...}"),
        ([error(times=3)], "entry 1, times: it is for the steps of a script"),
        ([error(repeat=True)], "entry 1, repeat: it is for scripts"),
        ([error(script=[])], "entry 1, script: it makes a rule of its own, without a fault beside it"),
        ([error(when={"every": 0})], "entry 1, when.every: use a whole number from 1"),
        ([error(match={"model": 1})], "entry 1, match.model: use a text, or a list of up to 100 texts"),
        ([error(rate=1.5)], "entry 1, rate: use a number from 0 to 1"),
        ([error(rate=True)], "entry 1, rate: use a number from 0 to 1"),
        ([error(rate="10%")], "entry 1, rate: use a number from 0 to 1"),
        ([error(id="")], "entry 1, id: use up to 64 letters, digits, dots, hyphens and underscores"),
        ([error(id="2")], "entry 1, id: use up to 64 letters"),
        ([error(id=7)], "entry 1, id: use up to 64 letters"),
        ([error(id="a"), error(id="b"), error(id="a")], "entry 3, id: entry 1 has it already"),
        (
            [{"fault": "cut", "events": 1, "match": {"streaming": False}}],
            "entry 1, match.streaming: cut is for streams alone",
        ),
        ([{"script": []}], "entry 1, script: use a list of 1 to 100 steps"),
        ([{"script": [error(times=1)] * 101}], "entry 1, script: use a list of 1 to 100 steps"),
        ([{"script": "pass"}], "entry 1, script: use a list of 1 to 100 steps"),
        ([{"script": [3]}], "entry 1, script step 1: use a mapping such as"),
        ([{"script": [{"times": 1}]}], "entry 1, script step 1, fault: name one, or pass"),
        (
            [{"script": [error(times=1), error(7)]}],
            "entry 1, script step 2, status: use a whole number from 400 to 599",
        ),
        ([{"script": [error(times=1, for_s=1)]}], "entry 1, script step 1, for_s: use times or for_s, not both"),
        ([{"script": [error(for_s=0)]}], "entry 1, script step 1, for_s: use a number above 0 to 1000000000"),
        ([{"script": [error(times=0)]}], "entry 1, script step 1, times: use a whole number from 1"),
        ([{"script": [error(), error()]}], "entry 1, script step 1: it never ends: say how many times, or for_s"),
        ([{"script": [error()], "repeat": True}], "entry 1, repeat: the last step never ends: say how many times"),
        ([{"script": [error()], "repeat": 1}], "entry 1, repeat: use true or false"),
        ([{"script": [error()], "rate": 0.5}], "entry 1, rate: a script counts, it does not draw; leave it out"),
        ([{"script": [error()], "status": 3}], "entry 1, status: there is no such member of a script's rule"),
        ([{"script": [{"fault": "pass", "status": 3}]}], "entry 1, script step 1, status: there is no such setting of"),
        ([{"script": [error(rate=0.5)]}], "entry 1, script step 1, rate: it stands in the rule itself"),
    ],
)
def test_rules_nobody_can_obey_are_refused_with_entry_field_and_reason(entries: Any, words: str) -> None:
    with pytest.raises(InvalidRules) as caught:
        read_rules(entries)
    assert str(caught.value).startswith(words)


def test_ids_are_places_unless_people_name_them() -> None:
    assert [rule.id for rule in read_rules([error(), error(id="x"), error()])] == ["1", "x", "3"]


WORDS = st.sampled_from(
    [
        "fault", "script", "repeat", "times", "for_s", "rate", "match", "when", "id", "status", "reason", "seconds",
        "every", "first", "after", "between_s", "window", "model", "header", "client", "streaming", "error", "pass",
        "delay", "hang",
    ]
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), WORDS, st.just(10**400))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=500)
@given(
    VALUES | st.lists(st.fixed_dictionaries({"fault": WORDS}, optional={"match": VALUES, "when": VALUES, "id": VALUES}))
)
def test_whatever_is_read_is_rules_or_refused_in_words(value: Any) -> None:
    words = ""
    rules: tuple[Rule, ...] = ()
    try:
        rules = read_rules(value)
    except InvalidRules as refused:
        words = str(refused)
    assert words.isprintable()
    assert bool(words) or all(isinstance(rule, Rule) for rule in rules)


COUNTS = st.integers(1, 1000)
GLOBS = st.lists(st.text("ab*?.-", min_size=1, max_size=6), min_size=1, max_size=3)
ERRORS = st.fixed_dictionaries(
    {"fault": st.just("error"), "status": st.integers(400, 599)},
    optional={
        "reason": st.sampled_from([reason.value for reason in Reason]),
        "message": st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=10),
        "retry_after": st.floats(0, 86_400) | st.integers(0, 86_400),
    },
)
MATCH = st.fixed_dictionaries(
    {},
    optional={
        "operation": GLOBS,
        "model": GLOBS | st.just("gpt-4o"),
        "path": GLOBS,
        "streaming": st.booleans(),
        "header": st.dictionaries(st.text("xyz-", min_size=1, max_size=5), GLOBS, max_size=3),
        "client": st.sampled_from(["10.0.0.0/8", ["::1", "10.*.*.1"]]),
        "prompt_hash": GLOBS,
    },
)
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "after": COUNTS,
        "first": COUNTS,
        "between_s": st.tuples(st.floats(0, 100), st.floats(101, 1000)).map(list),
        "window": st.sampled_from(["22:00-06:30", "00:00-24:00", "01:02-03:04"]),
    },
)
STEPS = st.lists(ERRORS.map(lambda step: step | {"times": 2}) | st.just({"fault": "pass", "for_s": 2.5}), min_size=1)
RULES = st.builds(
    lambda base, optional: base | optional,
    ERRORS | st.builds(lambda steps, repeat: {"script": steps, "repeat": repeat}, STEPS, st.booleans()),
    st.fixed_dictionaries({}, optional={"match": MATCH, "when": WHEN}),
)


@settings(max_examples=200)
@given(st.lists(RULES, max_size=4), st.booleans())
def test_what_is_written_reads_back_the_same(entries: list[Any], is_named: bool) -> None:
    if is_named:
        entries = [entry | {"id": f"rule-{place}"} for place, entry in enumerate(entries)]
    rules = read_rules(entries)
    written = [write_rule(rule) for rule in rules]
    assert read_rules(json.loads(json.dumps(written))) == rules


def test_a_fault_without_settings_is_just_its_name() -> None:
    assert write_rule(read_rules([{"fault": "close"}])[0]) == {"fault": "close"}
    assert read_rules([{"fault": "close"}]) == (Rule("1", all_faults()["close"]()),)
