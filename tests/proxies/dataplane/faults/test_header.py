"""The faults a request asks for itself, in the words of RFC 9651."""

from __future__ import annotations

import pytest

from providers.faults.base import Reason
from proxies.dataplane.faults.base import Fault
from proxies.dataplane.faults.error import ErrorReplyFault
from proxies.dataplane.faults.grammar import read_rules
from proxies.dataplane.faults.header import InvalidFaultHeader, read_header, write_header


def fault(kind: str, **settings: object) -> Fault:
    made = read_rules([{"fault": kind, **settings}])[0].fault
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"error;status=429", (ErrorReplyFault(status=429),)),
        (b"delay;seconds=2, error;status=429", (fault("delay", seconds=2), ErrorReplyFault(status=429))),
        (b"  delay;seconds=2.5 ,\tdelay;min=1;max=2", (fault("delay", seconds=2.5), fault("delay", min=1, max=2))),
        (b"error;reason=overloaded;retry_after=0.5", (ErrorReplyFault(reason=Reason.OVERLOADED, retry_after=0.5),)),
        (b'error;status=400;message="Too \\"long\\""', (ErrorReplyFault(status=400, message='Too "long"'),)),
        (b'error;status=400;message=%"f%c3%bcr"', (ErrorReplyFault(status=400, message="für"),)),
        (
            b"wrong_content_type;content_type=text/html;html",
            (fault("wrong_content_type", content_type="text/html", html=True),),
        ),
        (b"wrong_content_type;html=?0", (fault("wrong_content_type", html=False),)),
        (b"pass", ()),
        (b"", None),
        (b"  ", None),
    ],
)
def test_a_list_with_parameters_is_faults_with_settings(value: bytes, expected: tuple[Fault, ...] | None) -> None:
    assert read_header(value) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"eror;status=429", "eror: there is no such fault; did you mean error?"),
        (b"error;stauts=429", "error;stauts: there is no such setting of error; did you mean status?"),
        (b"error;status=42", "error;status: use a whole number from 400 to 599"),
        (b'error;status="429"', "error;status: use a whole number from 400 to 599"),
        (b"error;status", "error;status: use a whole number from 400 to 599"),
        (b"error;status=429.0", "error;status: use a whole number from 400 to 599"),
        (b"error", "error;status: give a status, a reason, or both"),
        (b"error;message=:aGk=:;status=429", "error;message: use text of at most 2000 characters"),
        (b"error;status=429;status=500", "status stands there twice"),
        (b"error;rate=0.5", "error;rate: there is no such setting of error"),
        (b"pass, error;status=429", "pass stands alone: it means that nothing is to happen"),
        (b"error;status=429, pass", "pass stands alone: it means that nothing is to happen"),
        (b"pass;status=429", "pass stands alone: it means that nothing is to happen"),
        (b"(delay error)", "use the names of faults, as in delay;seconds=2, error;status=429"),
        (b'"error"', "use the names of faults, as in delay;seconds=2, error;status=429"),
        (b"429", "use the names of faults, as in delay;seconds=2, error;status=429"),
        (b"error;status=429, close", "use only one of error, close: each takes the place of the reply"),
        (b"truncate, error;status=429", "truncate has no reply to damage: error takes its place"),
        (b"delay;seconds=1" + b", delay;seconds=1" * 20, "use at most 20 faults"),
        (b"error;status=429,", "not a list as RFC 9651 has it: "),
        (b"error status=429", "not a list as RFC 9651 has it: "),
        (b"\xff\xfe", "not a list as RFC 9651 has it: "),
        (b"delay;seconds=1e3", "not a list as RFC 9651 has it: "),
    ],
)
def test_a_value_nobody_can_obey_is_refused_with_fault_and_parameter(value: bytes, words: str) -> None:
    with pytest.raises(InvalidFaultHeader) as caught:
        read_header(value)
    assert str(caught.value).startswith(f"x-rubberduck-fault: {words}")


@pytest.mark.parametrize(
    "faults",
    [
        (),
        (ErrorReplyFault(status=429),),
        (
            fault("delay", seconds=2.5),
            fault("delay", seconds=2),
            ErrorReplyFault(reason=Reason.QUOTA, message="für\n1"),
        ),
        (fault("wrong_content_type", html=True),),
    ],
)
def test_what_is_written_asks_for_the_same(faults: tuple[Fault, ...]) -> None:
    assert read_header(write_header(faults).encode()) == faults


def test_a_value_is_read_once_unless_it_is_very_long() -> None:
    assert read_header(b"error;status=418") is read_header(b"error;status=418")
    long = b'error;status=418;message="' + b"x" * 1000 + b'"'
    assert read_header(long) == read_header(long)
    assert read_header(long) is not read_header(long)
