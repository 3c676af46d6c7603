"""Multipart bodies are read strictly, and what a client could send is read."""

from __future__ import annotations

import httpx
import pytest

from providers.wire.multipart import parse_multipart, text_fields

KIND = b"multipart/form-data; boundary=b"
HEAD = b'Content-Disposition: form-data; name="a"\r\n\r\n'


def test_what_httpx_sends_is_read() -> None:
    request = httpx.Request(
        "POST",
        "http://x/",
        data={"model": "whisper-1", "n": ["1", "2"]},
        files=[("file", ("ä.wav", b"\r\n--\r\n", "audio/wav"))],
    )
    parts = parse_multipart(request.read(), request.headers["content-type"].encode())
    assert parts is not None
    assert [(part.name, part.content, part.is_file) for part in parts] == [
        (b"model", b"whisper-1", False),
        (b"n", b"1", False),
        (b"n", b"2", False),
        (b"file", b"\r\n--\r\n", True),
    ]
    assert text_fields(parts) == {"model": "whisper-1", "n": "2"}


@pytest.mark.parametrize("boundary", [b'"b c"', b"b", b"----formdata-undici-012345678901"])
def test_boundaries_may_be_quoted(boundary: bytes) -> None:
    line = b"--" + boundary.strip(b'"')
    body = line + b"\r\n" + HEAD + b"1\r\n" + line + b"--\r\n"
    parts = parse_multipart(body, b"multipart/form-data; boundary=" + boundary)
    assert parts is not None
    assert [part.content for part in parts] == [b"1"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\nepilogue",
        b"preamble\r\n--b\r\n" + HEAD + b"1\r\n--b--\r\n",
        b"--b\r\n" + HEAD + b"1\r\n--b\r\n",
        b"--b\r\n" + HEAD + b"1",
        b"--b\n" + HEAD.replace(b"\r\n", b"\n") + b"1\n--b--\n",
        b"--b \r\n" + HEAD + b"1\r\n--b--\r\n",
        b"--b\r\n" + HEAD + b"1\r\n--bc\r\n\r\n--b--\r\n",
        b"--b\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=a; junk\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=a\r\n folded\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\n" + HEAD[:-2] + HEAD + b"1\r\n--b--\r\n",
        b"--b\r\nno colon\r\n" + HEAD + b"1\r\n--b--\r\n",
    ],
)
def test_anything_out_of_form_is_not_read(body: bytes) -> None:
    assert parse_multipart(body, KIND) is None


@pytest.mark.parametrize("kind", [b"multipart/form-data", b"multipart/form-data; boundary=b; boundary=c"])
def test_without_one_boundary_nothing_is_read(kind: bytes) -> None:
    assert parse_multipart(b"--b\r\n" + HEAD + b"1\r\n--b--\r\n", kind) is None


def test_text_fields_leave_out_files_and_what_is_not_text() -> None:
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
        for part in [
            (b"t", b"", b"yes"),
            (b"bin", b"", b"\xff"),
            (b"f", b'; filename="f"', b"x"),
            (b"big", b"", b"x" * 70_000),
        ]
    )
    parts = parse_multipart(body + b"--b--\r\n", KIND)
    assert parts is not None
    assert text_fields(parts) == {"t": "yes"}
