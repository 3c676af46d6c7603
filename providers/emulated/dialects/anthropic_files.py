"""Files as Anthropic keeps them: uploaded, listed, described, deleted; never given back to who uploaded them."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any

from providers.emulated.answer import alphanumeric
from providers.emulated.dialects import anthropic_fields as fields
from providers.emulated.dialects.anthropic_errors import ErrorShape
from providers.emulated.dialects.anthropic_pages import next_page, page_reply, read_page
from providers.emulated.dialects.anthropic_times import written
from providers.emulated.shelf import Shelf
from providers.wire.multipart import Part, parse_multipart

_KIND = "anthropic file"
_LEAST_S, _MOST_S = 3600, 7_776_000


def upload_file(body: bytes, content_type: bytes, *, shelf: Shelf, shape: ErrorShape, now: float) -> dict[str, Any]:
    """Keeps what a multipart upload brings, and describes it.

    Source: anthropic-sdk-python 2.12.0 `resources/files.py`, read November 2026.
    """
    parts = parse_multipart(body, content_type)
    if parts is None:
        raise fields.invalid(shape, "Invalid multipart form data")
    file = next((part for part in parts if part.name == b"file" and part.is_file), None)
    if file is None:
        raise fields.invalid(shape, "file: Field required")
    if not file.content:
        raise fields.invalid(shape, "file: File is empty")
    expires_at = None
    for part in parts:
        if part.name == b"expires_in_seconds":
            expires_at = written(now + _lifetime_s(shape, part.content))
    name, mime_type = _name_and_type(file)
    digest = f"{shelf.next_number()} {now}".encode()
    file_id = f"file_011C{alphanumeric(digest, 'file', 20)}"
    described = {
        "type": "file",
        "id": file_id,
        "size_bytes": len(file.content),
        "created_at": written(now),
        "filename": name,
        "mime_type": mime_type,
        "downloadable": False,
        "expires_at": expires_at,
    }
    shelf.put(_KIND, file_id, described)
    return described


def _lifetime_s(shape: ErrorShape, given: bytes) -> int:
    if not given.isdigit() or len(given) > 9:
        raise fields.invalid(shape, "expires_in_seconds: Input should be a valid integer")
    lifetime_s = int(given)
    if lifetime_s < _LEAST_S:
        raise fields.invalid(shape, f"expires_in_seconds: Input should be greater than or equal to {_LEAST_S}")
    if lifetime_s > _MOST_S:
        raise fields.invalid(shape, f"expires_in_seconds: Input should be less than or equal to {_MOST_S}")
    return lifetime_s


def _name_and_type(file: Part) -> tuple[str, str]:
    given = dict(file.parameters).get(b"filename", b"").decode("utf-8", "replace")
    name = given.replace("\\", "/").rpartition("/")[2]
    mime_type = dict(file.headers).get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
    if not mime_type:
        mime_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return name or f"unnamed{mimetypes.guess_extension(mime_type) or ''}", mime_type


def list_files(query: Mapping[str, Sequence[str]], *, shelf: Shelf, shape: ErrorShape) -> dict[str, Any]:
    """One page, newest first, or the files with the `ids` asked for."""
    files = [*shelf.all(_KIND)][::-1]
    ids = query.get("ids")
    if ids is not None:
        files = [file for file in files if file["id"] in ids]
    reply = page_reply(files, read_page(query, shape))
    return {**reply, "next_page": None if ids is not None else next_page(reply)}


def find_file(file_id: str, *, shelf: Shelf, shape: ErrorShape) -> dict[str, Any]:
    found = shelf.get(_KIND, file_id)
    if found is None:
        raise shape.refuse(404, f"File not found: {file_id}")
    return dict(found)


def delete_file(file_id: str, *, shelf: Shelf, shape: ErrorShape) -> dict[str, Any]:
    find_file(file_id, shelf=shelf, shape=shape)
    shelf.remove(_KIND, file_id)
    return {"id": file_id, "type": "file_deleted"}


def refuse_download(file_id: str, *, shelf: Shelf, shape: ErrorShape) -> Exception:
    """Only files that a tool of the service has made can be downloaded, and the emulation runs none.

    Source: anthropic-sdk-python 2.12.0 `types/file_not_downloadable_error.py`, read November 2026.
    """
    find_file(file_id, shelf=shelf, shape=shape)
    return shape.refuse(400, "File is not downloadable", details={"error_code": "file_not_downloadable"})
