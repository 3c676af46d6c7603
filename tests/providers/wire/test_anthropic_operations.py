"""The table of Anthropic's calls against the SDK's own source."""

from __future__ import annotations

from providers.anthropic import PROVIDER
from providers.wire.anthropic_operations import ANTHROPIC_CALLS
from tests.providers.sdk_source import sdk_calls


def test_every_call_of_the_sdk_is_known() -> None:
    calls = sdk_calls("anthropic")
    assert len(calls) > 200
    unknown = {call for call in calls if PROVIDER.match(call[0], call[1].encode()).operation is None}
    assert unknown == set()


def test_no_call_is_listed_twice() -> None:
    targets = [(call.method, call.path) for call in ANTHROPIC_CALLS]
    assert len(targets) == len(set(targets))
