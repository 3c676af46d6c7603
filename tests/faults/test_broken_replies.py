"""What the official SDKs do when a reply is missing, late or broken: each cell of the documents' table is held here."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest
from botocore.config import Config

from proxies.dataplane.faults import clients
from proxies.dataplane.faults.clients import AWS_JAVASCRIPT, MEETS, PATIENCE_S
from tests.emulated.serving import EmulatedProxies
from tests.faults.broken import JAVASCRIPT, PYTHON, Seen, meet_all

ANSWER = "Hello! It is good to hear from you."
LARGER, SMALLER, PLAIN, PAGE = "larger", "smaller", "plain", "page"
FAULTS: dict[str, list[Any]] = {
    "delay": [{"fault": "delay", "seconds": 0.01}],
    "hang": [{"fault": "hang"}],
    "reset": [{"fault": "reset"}],
    "close": [{"fault": "close"}],
    "reset_after_headers": [{"fault": "reset_after_headers"}],
    "truncate": [{"fault": "truncate"}],
    "malformed_json": [{"fault": "malformed_json"}],
    "empty_body": [{"fault": "empty_body"}],
    LARGER: [{"fault": "wrong_length", "difference": 10}],
    SMALLER: [{"fault": "wrong_length", "difference": -10}],
    PLAIN: [{"fault": "wrong_content_type", "content_type": "text/plain"}],
    PAGE: [{"fault": "wrong_content_type", "html": True}],
}
NOT_RETRIED = ", not retried"
BEFORE = " before the first event"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def words(seen: Seen) -> str:
    """What came of one call, as the documents put it."""
    if seen.raised is not None:
        raised = seen.raised
        if seen.client in JAVASCRIPT and raised in ("Error", "TypeError"):  # then the class says nothing
            raised = f"{raised}: {(seen.message or '').removesuffix('.')}"
        if seen.attempts > 1:
            when = f" after {seen.attempts} attempts"
        elif seen.mode == "stream":
            when = " after the first event" if seen.events else BEFORE
        else:
            when = NOT_RETRIED
        return f"`{raised}`{when}"
    if seen.mode == "stream":
        if not seen.events:
            return "ends without an event"
        return "unnoticed" if seen.text == ANSWER else "skips the event"
    if seen.returned == ANSWER:
        return "unnoticed"
    if seen.returned == "undefined" and seen.client != AWS_JAVASCRIPT:
        return "returns `undefined`"
    if seen.returned in ("None", "undefined"):
        return "returns a reply without content"
    return "returns the body as text"


def of_both(seen: dict[tuple[str, str], Seen], name: str) -> str:
    whole, stream = words(seen[name, "whole"]), words(seen[name, "stream"])
    if stream in (whole, whole.removesuffix(NOT_RETRIED) + BEFORE):
        return whole
    return f"{whole}; in a stream {stream}"


def table(client: str, seen: dict[tuple[str, str], Seen]) -> dict[str, str]:
    """The words for every fault."""
    patience = PATIENCE_S[client]
    hung = of_both(seen, "hang")
    assert [words(seen["delay", mode]) for mode in ("whole", "stream")] == ["unnoticed"] * 2
    return {
        "delay": "waits" if patience is None else f"waits; beyond {patience} s it is a hang",
        "hang": f"waits for ever; with a time-out {hung}" if patience is None else f"{hung} of {patience} s",
        **{kind: of_both(seen, kind) for kind in list(FAULTS)[2:8]},
        "wrong_length": f"larger: {words(seen[LARGER, 'whole'])}. Smaller: {words(seen[SMALLER, 'whole'])}",
        "wrong_content_type": f"the type alone: {of_both(seen, PLAIN)}. An HTML page: {of_both(seen, PAGE)}",
    }


@pytest.mark.parametrize("client", [*PYTHON, *JAVASCRIPT])
def test_the_sdk_does_what_the_documents_say(emulated: EmulatedProxies, client: str) -> None:
    seen = meet_all(emulated, client, FAULTS, "hang")
    found = table(client, seen)
    assert {kind: MEETS[kind][client] for kind in found} == found
    assert {words(seen[name, "stream"]) for name in (LARGER, SMALLER)} == {"unnoticed"}  # no length, nothing wrong


def test_the_time_outs_are_those_of_the_sdks() -> None:
    assert openai.DEFAULT_TIMEOUT.read == PATIENCE_S[clients.OPENAI_PYTHON]
    assert anthropic.DEFAULT_TIMEOUT.read == PATIENCE_S[clients.ANTHROPIC_PYTHON]
    assert Config().read_timeout == PATIENCE_S[clients.BOTO3]


def test_every_fault_is_described_for_every_client() -> None:
    assert set(PATIENCE_S) == {*PYTHON, *JAVASCRIPT}
    assert {kind: set(cells) for kind, cells in MEETS.items()} == {kind: set(PATIENCE_S) for kind in MEETS}
