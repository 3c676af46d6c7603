"""A reader of multipart/form-data bodies, just enough to answer uploads."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from tests.wire.standin.messages import Request


@dataclass(slots=True)
class Part:
    """One part of a form: `filename` is None for a plain field."""

    name: str
    filename: str | None
    content: bytes


def read_form(request: Request) -> dict[str, Part] | None:
    """The parts of a form by name; None when the body is not a well-formed multipart one."""
    head = Message()
    head["content-type"] = request.header("content-type") or ""
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        return None
    delimiter = b"--" + boundary.encode()
    first, *middle, last = request.body.split(delimiter)
    if first.strip() or last.strip() != b"--":
        return None
    parts: dict[str, Part] = {}
    for raw in middle:
        head_bytes, _, content = raw.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = Message()
        for line in head_bytes.decode("utf-8").split("\r\n"):
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        name = fields.get_param("name", header="content-disposition")
        filename = fields.get_param("filename", header="content-disposition")
        if isinstance(name, str):
            parts[name] = Part(name, filename if isinstance(filename, str) else None, content.removesuffix(b"\r\n"))
    return parts
