"""The drivers and the stand-in agree with no proxy between them, so what differs through one is the proxy's doing."""

from __future__ import annotations

import pytest

from tests.wire.expectations import mismatch, reply_number
from tests.wire.sdks import SETUPS, Setup, run_driver
from tests.wire.standin.client import StandIn

_DIRECT = [setup for setup in SETUPS if setup.direct]
_STREAMS = [setup for setup in _DIRECT if setup.style not in {"entra", "auth-token", "express"}]


@pytest.mark.parametrize("setup", _DIRECT, ids=str)
def test_every_scenario_ends_as_the_sdk_documents_and_nothing_is_answered_twice(setup: Setup, standin: StandIn) -> None:
    results = run_driver(setup, standin.url, salt=f"direct {setup}")
    wrong = {name: reason for name, result in results.items() if (reason := mismatch(setup, result))}
    assert wrong == {}
    again = [name for name in results if name.endswith("_again")]
    assert len(again) >= 4
    replayed = [name for name in again if reply_number(results[name]) == reply_number(results[name[:-6]])]
    assert replayed == []


@pytest.mark.parametrize("setup", _STREAMS, ids=str)
def test_paced_events_reach_the_sdk_one_by_one(setup: Setup, standin: StandIn) -> None:
    salt = f"paced {setup}"
    arrivals = run_driver(setup, standin.url, "stream_paced", salt=salt)["stream_paced"]["arrivals"]
    sent_at = standin.wait_for(lambda captured: salt.encode() in captured.body).sent_at
    assert arrivals[0] < sent_at[-1]
    assert arrivals[-1] > sent_at[-2]


@pytest.mark.parametrize("name", ["openai-python-bare", "azure-python-base-url", "anthropic-python-v1"])
def test_base_url_habits_the_genuine_service_does_not_know_are_refused(name: str, standin: StandIn) -> None:
    setup = next(setup for setup in SETUPS if setup.name == name)
    assert run_driver(setup, standin.url, "unary")["unary"]["error"]["status"] == 404


@pytest.mark.parametrize("name", ["boto3-unsigned", "boto3-aws-headers"])
def test_bedrock_refuses_an_unsigned_call(name: str, standin: StandIn) -> None:
    setup = next(setup for setup in SETUPS if setup.name == name)
    error = run_driver(setup, standin.url, "unary")["unary"]["error"]
    assert (error["status"], error["code"]) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("name", ["boto3", "aws-bedrock-js", "anthropic-bedrock-python"])
def test_bedrock_refuses_a_signature_made_with_another_secret(name: str, standin: StandIn) -> None:
    setup = next(setup for setup in SETUPS if setup.name == name)
    result = run_driver(setup, standin.url, "unary", secret="another-secret-altogether")["unary"]
    assert result["error"]["status"] == 403
    assert result["headers"]["x-amzn-errortype"].startswith("InvalidSignatureException")
