"""Multipart bodies of OpenAI's dialect: fields, lists of fields, and files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.emulated.base import EmulatedRequest
from providers.emulated.dialects.openai_errors import Invalid, missing, read_object
from providers.wire.multipart import Part, parse_multipart


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was sent; an empty `content_type` is unknown."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Form:
    """`fields`: the last value of each name; `lists`: all values of names that end in `[]`, without that end.

    `files` likewise by name. `digest` stands for all of it, whatever the boundary and the order are.
    """

    fields: Mapping[str, str]
    lists: Mapping[str, list[str]]
    files: Mapping[str, list[SentFile]]
    digest: bytes


def is_form(request: EmulatedRequest) -> bool:
    """Whether the body says that it is multipart."""
    return request.headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")


def read_form(request: EmulatedRequest) -> Form:
    """Raises Invalid for anything but a well-formed multipart body."""
    kind = request.headers.get(b"content-type", b"")
    if not is_form(request):
        shown = kind.decode("latin-1") or "no content type"
        raise Invalid(
            f"Unsupported content type: '{shown}'. This API method only accepts 'multipart/form-data' requests, but "
            f"you specified the header 'Content-Type: {shown}'. Please try again with a supported content type.",
            code="unsupported_content_type",
        )
    parts = parse_multipart(request.body, kind)
    if parts is None:
        raise Invalid("Could not parse multipart form")
    fields: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    files: dict[str, list[SentFile]] = {}
    for part in parts:
        name = part.name.decode("utf-8", "replace")
        is_list = name.endswith("[]")
        bare = name[:-2] if is_list else name
        if part.is_file:
            files.setdefault(bare, []).append(_file(part))
            continue
        try:
            value = part.content.decode()
        except UnicodeDecodeError:
            raise Invalid(f"Invalid value for '{bare}': expected text in UTF-8.", bare) from None
        if is_list:
            lists.setdefault(bare, []).append(value)
        else:
            fields[name] = value
    return Form(fields, lists, files, _digest(parts))


def read_form_or_object(request: EmulatedRequest) -> tuple[Mapping[str, Any], Form | None]:
    """The members of a JSON body, or the fields of a form and the form."""
    if is_form(request):
        form = read_form(request)
        return form.fields, form
    return read_object(request.body), None


def _file(part: Part) -> SentFile:
    name = b""
    for key, value in part.parameters:
        if key == b"filename":
            name = value
    kind = next((value for key, value in part.headers if key == b"content-type"), b"")
    return SentFile(
        name.decode("utf-8", "replace").replace('\\"', '"') or "upload", part.content, kind.decode("latin-1")
    )


def _digest(parts: list[Part]) -> bytes:
    hashes = sorted(
        hashlib.sha256(b"%b\0%b\0%b" % (part.name, dict(part.parameters).get(b"filename", b""), part.content)).digest()
        for part in parts
        if part.name != b"stream"
    )
    return hashlib.sha256(b"".join(hashes)).digest()


def required_file(form: Form, name: str) -> SentFile:
    """The first of the files of a name. Raises Invalid if there is none."""
    found = form.files.get(name)
    if not found:
        raise missing(name)
    return found[0]


def number(form: Form, name: str) -> float | None:
    """Raises Invalid for a field that is no number."""
    value = form.fields.get(name)
    if value is None or value == "":
        return None
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if found != found or abs(found) == float("inf"):
        raise Invalid(f"Invalid type for '{name}': expected a decimal, but got a string instead.", name, "invalid_type")
    return found
