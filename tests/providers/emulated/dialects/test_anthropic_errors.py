"""Errors in Anthropic's words."""

from __future__ import annotations

import orjson
import pytest

from providers.base import Call
from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.anthropic_errors import (
    AnthropicShape,
    error_reply,
    request_id_of,
    usual_message,
    usual_type,
)
from tests.providers.emulated.anthropic_asking import error
from tests.providers.emulated.asking import NOW, header, whole

REQUEST = EmulatedRequest("POST", Call(None, b"/"), b"", {}, b"", NOW, "01997a00-0000-7000-8000-00000000abcd")


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_type_and_a_message(status: int) -> None:
    found_status, kind, message = error(error_reply(REQUEST, status, None))
    assert (found_status, kind, message) == (status, usual_type(status), usual_message(status))
    assert kind.endswith(("_error", "_large"))


def test_the_shape_refuses_with_what_it_is_told() -> None:
    refusal = AnthropicShape(REQUEST).refuse(400, "No.", details={"error_code": "no"})
    assert error(refusal.reply) == (400, "invalid_request_error", "No.")
    assert orjson.loads(whole(refusal.reply))["error"]["details"] == {"error_code": "no"}


def test_request_ids_look_like_the_services_and_tell_requests_apart() -> None:
    other = EmulatedRequest("POST", Call(None, b"/"), b"", {}, b"", NOW, "01997a00-0000-7000-8000-00000000abce")
    assert len(request_id_of(REQUEST)) == 28
    assert request_id_of(REQUEST) != request_id_of(other)


@pytest.mark.parametrize(("status", "again"), [(400, "false"), (409, "true"), (429, "true"), (529, "true")])
def test_a_client_is_told_whether_to_try_again(status: int, again: str) -> None:
    assert header(error_reply(REQUEST, status, None), "x-should-retry") == again
