"""Reads multipart/form-data bodies strictly: what is not exactly in form is not read at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOST_PARTS = 1000
_BOUNDARY = re.compile(rb';\s*boundary=(?:"([^"\\]{1,200})"|([^\s";]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(rb';[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s";]+)[ \t]*')
_TEXT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its field name, the parameters of its Content-Disposition and its other headers (lower-case names,
    sorted), its bytes."""

    name: bytes
    parameters: tuple[tuple[bytes, bytes], ...]
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes

    @property
    def is_file(self) -> bool:
        return any(name in (b"filename", b"filename*") for name, _ in self.parameters)


def parse_multipart(body: bytes, content_type: bytes) -> list[Part] | None:
    """The parts in the order they came, or None for anything but a complete, plainly formed body.

    Source: RFC 7578 and RFC 2046 section 5.1, read November 2026. Preambles, epilogues and folded headers, which no
    client sends, are refused: two bodies a server could read differently must never look alike.
    """
    found = _BOUNDARY.findall(content_type)
    if len(found) != 1:
        return None
    boundary = found[0][0] or found[0][1]
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(sections) < 2 or len(sections) - 2 > _MOST_PARTS or sections[0] or sections[-1] not in (b"--", b"--\r\n"):
        return None
    parts = []
    for section in sections[1:-1]:
        part = _parse_part(section)
        if part is None:
            return None
        parts.append(part)
    return parts


def _parse_part(section: bytes) -> Part | None:
    head, blank, content = section.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"\r\n"):
        return None
    parameters: dict[bytes, bytes] | None = None
    headers = []
    for line in head[2:].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or b"\n" in line or b"\r" in line:
            return None
        name, value = name.lower(), value.strip(b" \t")
        if name != b"content-disposition":
            headers.append((name, value))
            continue
        if parameters is not None:
            return None
        parameters = _parse_disposition(value)
        if parameters is None:
            return None
    if parameters is None or b"name" not in parameters:
        return None
    headers.sort()
    return Part(parameters[b"name"], tuple(sorted(parameters.items())), tuple(headers), content)


def _parse_disposition(value: bytes) -> dict[bytes, bytes] | None:
    kind, _, _ = value.partition(b";")
    if kind.strip().lower() != b"form-data":
        return None
    parameters: dict[bytes, bytes] = {}
    position = len(kind)
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None or match[1].lower() in parameters:
            return None
        parameters[match[1].lower()] = match[2][1:-1] if match[2].startswith(b'"') else match[2]
        position = match.end()
    return parameters


def text_fields(parts: list[Part]) -> dict[str, str]:
    """The short text fields by name (the last of several with one name), as providers read them; files are left out."""
    fields = {}
    for part in parts:
        if not part.is_file and len(part.content) <= _TEXT_BYTES:
            try:
                fields[part.name.decode()] = part.content.decode()
            except UnicodeDecodeError:
                continue
    return fields
