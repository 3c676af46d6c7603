"""What every emulator has in common: refusals, canned failures, and the digest that stands for a request."""

from __future__ import annotations

import orjson

from providers.base import Call
from providers.emulated.base import (
    CannedFailure,
    EmulatedReply,
    EmulatedRequest,
    Emulator,
    Refused,
    digest_of,
    respond,
)
from providers.emulated.desk import Desk


class Failing(Emulator):
    """Raises what it is given."""

    provider = "failing"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def answer(self, request: EmulatedRequest, desk: Desk) -> EmulatedReply:
        raise self._error

    def error(
        self, request: EmulatedRequest, status: int, message: str | None, *, type: str | None, code: str | None
    ) -> EmulatedReply:
        said = {"message": message or "usual", "type": type, "code": code}
        return EmulatedReply(status, [(b"content-type", b"application/json"), (b"x-own", b"1")], orjson.dumps(said))


def ask(error: Exception) -> EmulatedReply:
    request = EmulatedRequest("POST", Call(None, b"/"), b"", {}, b"", 0.0, "id")
    return respond(Failing(error), request, Desk())


def test_a_refusal_is_the_reply() -> None:
    reply = EmulatedReply(400, [], b"no")
    assert ask(Refused(reply)) is reply


def test_a_canned_failure_is_put_into_the_providers_shape() -> None:
    made = ask(CannedFailure(429, type="t", code="c", delay_s=2.0, is_repeatable=False))
    assert (made.status, made.delay_s, made.is_repeatable) == (429, 2.0, False)
    assert isinstance(made.body, bytes)
    assert orjson.loads(made.body) == {"message": "usual", "type": "t", "code": "c"}


def test_headers_of_a_canned_failure_take_the_place_of_the_providers() -> None:
    made = ask(CannedFailure(500, "m", headers=[(b"x-own", b"2"), (b"retry-after", b"7")]))
    assert list(made.headers) == [(b"content-type", b"application/json"), (b"x-own", b"2"), (b"retry-after", b"7")]


def test_the_digest_does_not_depend_on_streaming_or_the_order_of_members() -> None:
    plain = digest_of({"model": "m", "n": 1})
    assert plain == digest_of({"n": 1, "stream": True, "stream_options": {"include_usage": True}, "model": "m"})
    assert len(plain) == 32


def test_the_digest_depends_on_everything_else() -> None:
    digests = {
        digest_of({"model": "m"}),
        digest_of({"model": "m", "seed": 1}),
        digest_of({"model": "m", "seed": 1.0}),
        digest_of({"model": "m", "seed": None}),
        digest_of({"model": "m"}, "chat"),
        digest_of({"model": "m", "stream": True}, without=()),
        digest_of({}),
    }
    assert len(digests) == 7
