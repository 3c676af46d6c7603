"""The fields of a proxy: every reason names the field as the API does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxies.errors import Invalid
from proxies.models import Proxy
from proxies.schemas import COLUMNS, fields_of, flatten, validate

LEAST = {"name": "mine", "provider": "openai"}


def reasons(**fields: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        validate({}, flatten({**LEAST, **fields}))
    return caught.value.fields


def test_a_name_and_a_provider_are_enough() -> None:
    values = validate({}, LEAST)
    assert values.keys() == COLUMNS.keys()
    assert (values["cache.mode"], values["cache.single_flight"], values["timeouts.connect_s"]) == ("on", True, 10.0)
    assert values["port"] is None


def test_every_column_a_user_decides_has_a_field() -> None:
    decided_otherwise = {
        *("id", "owner", "cache_epoch", "desired_state", "generation", "created_at", "updated_at"),
        "faults_reset_at",
    }
    assert set(COLUMNS.values()) == {field.name for field in Proxy._meta.concrete_fields} - decided_otherwise


def test_defaults_are_the_same_in_table_and_schema() -> None:
    stored = fields_of(Proxy(name="mine", provider="openai"))
    assert validate({}, LEAST) == stored


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "at least 1 character"),
        ("name", "   ", "at least 1 character"),
        ("name", "x" * 101, "at most 100 characters"),
        ("name", "a\nb", "line breaks"),
        ("name", "a\x00b", "control characters"),
        ("name", "\ud800", "string"),
        ("name", 7, "valid string"),
        ("emulation.ttft_s", 601, "less than or equal to 600"),
        ("emulation.tokens_per_s", 0.05, "Use at least 0.1, or 0 for at once."),
        ("emulation.jitter", 1.5, "less than or equal to 1"),
        ("emulation.replies", "text", "valid list"),
        ("emulation.replies", [{"reply": {"error": {"status": 1}}}], "entry 1, reply.error.status: Input should be"),
        ("description", "a\x00", "control characters"),
        ("tags", "ci", "valid list"),
        ("tags", ["ok", ""], "entry 2: String should have at least 1 character"),
        ("tags", [str(n) for n in range(21)], "at most 20 items"),
        ("bind", "localhost", "Use an IP address"),
        ("bind", "300.0.0.1", "Use an IP address"),
        ("bind", "fe80::1%" + "x" * 100, "Use an IP address"),
        ("port", 0, "greater than or equal to 1"),
        ("port", 65536, "less than or equal to 65535"),
        ("port", "abc", "valid integer"),
        ("port", 80.5, "valid integer"),
        ("port", True, "valid integer"),
        ("upstream", "api.openai.com", "Begin with http"),
        ("credential", "sk-secret", "Use a reference"),
        ("credential", "os.environ/", "Use a reference"),
        ("credential", "profile:a\0b", "control characters"),
        ("region", "us east", "lower-case letters"),
        ("cache.mode", "always", "'off', 'on', 'replay' or 'refresh'"),
        ("cache.ttl_s", 0, "greater than or equal to 0.001"),
        ("cache.ttl_s", float("nan"), "finite number"),
        ("cache.ttl_s", True, "valid number"),
        ("cache.pace", "slow", "'immediate', 'fixed', 'random' or 'recorded'"),
        ("cache.pace_max_s", 4000, "less than or equal to 3600"),
        ("cache.single_flight", "perhaps", "valid boolean"),
        ("cache.ignored_pointers", ["/a", "b"], "entry 2: A JSON pointer begins with a slash"),
        ("cache.ignored_pointers", ["/a~2"], "entry 1: In a JSON pointer"),
        ("limits.rpm", 0, "greater than or equal to 1"),
        ("limits.rpm", 1_000_001, "less than or equal to 1000000"),
        ("limits.rpm", True, "valid integer"),
        ("limits.tpm", 1.5, "valid integer"),
        ("limits.tpm", 1_000_000_001, "less than or equal to 1000000000"),
        ("limits.per", "user", "'proxy', 'client' or 'credential'"),
        ("limits.over_limit", "drop", "'reject' or 'hold'"),
        ("limits.hold_s", 3601, "less than or equal to 3600"),
        ("limits.counts_hits", "perhaps", "valid boolean"),
        ("faults.rules", "text", "valid list"),
        ("faults.rules", [{"fault": "close"}, {"fault": "error", "status": 1}], "entry 2, status: use a whole number"),
        ("faults.rules", [{"fault": "error", "status": float("nan")}], "entry 1, status: use a whole number"),
        ("faults.seed", -1, "greater than or equal to 0"),
        ("faults.seed", 2**63, "less than or equal to 9223372036854775807"),
        ("faults.seed", "7", "valid integer"),
        ("faults.enabled", 2, "valid boolean"),
        ("access.block", ["10.0.0.1"] * 50_001, "The list has 50001 entries; 50000 is the most."),
        ("access.allow", ["10.0.0.1", "10.0.0.1/8"], "line 2: '10.0.0.1/8' is an address inside a range"),
        ("access.block", "10.0.0.1", "valid list"),
        ("timeouts.connect_s", 0, "greater than or equal to 0.01"),
        ("timeouts.silence_s", -1, "greater than or equal to 0.01"),
        ("colour", "blue", "no such field"),
        ("cache.colour", "blue", "no such field"),
        ("owner", 1, "no such field"),
        ("generation", 1, "no such field"),
        ("desired_state", "running", "no such field"),
        ("cache", "off", "Use an object"),
        ("cache", {"mode": "foo"}, ""),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(field: str, value: Any, reason: str) -> None:
    found = reasons(**{field: value})
    name = "cache.mode" if isinstance(value, dict) else field
    assert list(found) == [name]
    assert reason in found[name]


def test_all_bad_fields_are_named_at_once() -> None:
    assert reasons(port=0, name="", cache={"ttl_s": -1}, bind="x").keys() == {"port", "name", "cache.ttl_s", "bind"}
    with pytest.raises(Invalid) as caught:
        validate({}, {})
    assert caught.value.fields == {"name": "This field is required.", "provider": "This field is required."}


def test_the_longest_delay_may_not_be_shorter_than_the_shortest() -> None:
    assert list(reasons(cache={"pace": "random", "pace_min_s": 2, "pace_max_s": 1})) == ["cache.pace_max_s"]
    assert validate({}, flatten({**LEAST, "cache": {"pace": "fixed", "pace_min_s": 2}}))["cache.pace_min_s"] == 2


def test_a_limit_that_holds_says_for_how_long() -> None:
    assert list(reasons(limits={"over_limit": "hold"})) == ["limits.hold_s"]
    assert validate({}, flatten({**LEAST, "limits": {"over_limit": "hold", "hold_s": 1}}))["limits.hold_s"] == 1


def test_fault_rules_are_kept_as_they_were_written() -> None:
    rules = [{"when": {"every": 3}, "status": 429, "fault": "error"}, {"script": [{"fault": "pass"}]}]
    values = validate({}, {**LEAST, "faults.rules": rules})
    assert json.dumps(values["faults.rules"]) == json.dumps(rules)


def test_null_goes_back_to_the_default() -> None:
    stored = validate({}, flatten({**LEAST, "cache": {"mode": "off", "ttl_s": 5}, "tags": ["a"], "port": 9}))
    values = validate(stored, flatten({"cache": None, "tags": None, "port": None}))
    assert (values["cache.mode"], values["cache.ttl_s"], values["tags"], values["port"]) == ("on", None, [], None)
    with pytest.raises(Invalid, match="name: This field is required"):
        validate(stored, {"name": None})


def test_text_is_trimmed_addresses_are_written_one_way_and_tags_kept_once() -> None:
    values = validate({}, {**LEAST, "name": " mine ", "bind": "[0:0::1]", "tags": [" a", "b", "a"]})
    assert (values["name"], values["bind"], values["tags"]) == ("mine", "::1", ["a", "b"])
    assert validate({}, {**LEAST, "name": "👩‍💻 café"})["name"] == "👩‍💻 café"
    assert validate({}, {**LEAST, "description": "two\nlines"})["description"] == "two\nlines"


def test_canned_replies_are_kept_as_they_were_written() -> None:
    replies = [{"match": {"model": "gpt-*"}, "reply": {"json": {"b": 1, "a": None}}}]
    values = validate({}, {**LEAST, "emulation.replies": replies, "emulation.tokens_per_s": 50})
    assert values["emulation.replies"] == replies
    assert values["emulation.tokens_per_s"] == 50
