"""The table of OpenAI's calls against the SDK's own source."""

from __future__ import annotations

from providers.openai import PROVIDER
from providers.wire.openai_operations import OPENAI_CALLS
from tests.providers.sdk_source import sdk_calls


def test_every_call_of_the_sdk_is_known() -> None:
    calls = sdk_calls("openai")
    assert len(calls) > 300
    unknown = {call for call in calls if PROVIDER.match(call[0], call[1].encode()).operation is None}
    assert unknown == set()


def test_no_call_is_listed_twice() -> None:
    targets = [(call.method, call.path) for call in OPENAI_CALLS]
    assert len(targets) == len(set(targets))
