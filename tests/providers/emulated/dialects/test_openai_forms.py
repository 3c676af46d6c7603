from __future__ import annotations

import pytest

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.openai_errors import Invalid
from providers.emulated.dialects.openai_forms import number, read_form, read_form_or_object, required_file
from providers.openai import PROVIDER
from tests.providers.emulated.openai_asking import form


def request(body: bytes, headers: dict[str, str]) -> EmulatedRequest:
    fields = {name.encode(): value.encode() for name, value in headers.items()}
    call = PROVIDER.match("POST", b"/v1/audio/transcriptions")
    return EmulatedRequest("POST", call, b"", fields, body, 1.0, "id")


def test_fields_lists_and_files_are_told_apart() -> None:
    read = read_form(
        request(
            *form({"model": "whisper-1", "include": ["a", "b"]}, file=("a.wav", b"\0\xff"), image=[("b.png", b"x")])
        )
    )
    assert read.fields == {"model": "whisper-1"}
    assert read.lists == {"include": ["a", "b"]}
    assert read.files["file"][0].content == b"\0\xff"
    assert read.files["image"][0].name == "b.png"
    assert required_file(read, "file").name == "a.wav"


def test_the_digest_knows_neither_boundary_nor_order_nor_stream() -> None:
    body, headers = form({"a": "1", "b": "2"})
    other = {"content-type": "multipart/form-data; boundary=other"}
    swapped, _ = form({"b": "2", "a": "1", "stream": "true"})
    first = read_form(request(body, headers)).digest
    assert read_form(request(body.replace(b"frontier", b"other"), other)).digest == first
    assert read_form(request(swapped, headers)).digest == first
    assert read_form(request(form({"a": "1", "b": "3"})[0], headers)).digest != first


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"", ""),
        (b"nonsense", "multipart/form-data; boundary=frontier"),
        (b"--frontier--\r\n", "multipart/form-data"),
        (form({"a": "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")})[0].replace("ÿ".encode(), b"\xff"),
         "multipart/form-data; boundary=frontier"),
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_form(request(body, {"content-type": kind}))
    assert caught.value.status == 400


def test_numbers_are_read_or_refused() -> None:
    read = read_form(request(*form({"a": "0.5", "b": "x", "c": "nan", "d": ""})))
    assert number(read, "a") == 0.5
    assert number(read, "d") is None
    assert number(read, "missing") is None
    for name in ("b", "c"):
        with pytest.raises(Invalid, match="expected a decimal"):
            number(read, name)


def test_absent_parts_are_missed() -> None:
    read = read_form(request(*form({"a": "1"})))
    with pytest.raises(Invalid, match="Missing required parameter: 'file'"):
        required_file(read, "file")


def test_json_is_taken_where_a_form_may_come() -> None:
    members, read = read_form_or_object(request(b'{"a": 1}', {"content-type": "application/json"}))
    assert (members, read) == ({"a": 1}, None)
