"""The words and the heads of OpenAI's refusals."""

from __future__ import annotations

import pytest

from providers.wire.openai_errors import go_duration, payer, reply_head, usual


def test_durations_are_written_as_go_writes_them() -> None:
    found = [go_duration(milliseconds) for milliseconds in (0, 9, 1000, 8640, 360_000, 3_723_000)]
    assert found == [b"0s", b"9ms", b"1s", b"8.64s", b"6m0s", b"1h2m3s"]


@pytest.mark.parametrize("status", range(400, 600))
def test_something_is_said_with_every_status(status: int) -> None:
    message, kind, _ = usual(status)
    assert message
    assert kind


def test_a_request_is_answered_in_the_name_it_gives() -> None:
    headers = {b"openai-organization": b"org-mine", b"openai-project": b"a b\r\n"}
    assert payer(headers, b"openai-organization", "org-x") == "org-mine"
    assert payer(headers, b"openai-project", "proj_x") == "proj_x"
    assert payer(None, b"openai-organization", "org-x") == "org-x"


def test_a_head_holds_the_request_id_as_the_service_writes_it() -> None:
    head = dict(reply_head("01997a00-0000-7000-8000-00000000abcd"))
    assert head[b"x-request-id"] == b"req_01997a0000007000800000000000abcd"
    assert head[b"openai-version"] == b"2020-10-01"
    assert head[b"openai-processing-ms"].isdigit()
