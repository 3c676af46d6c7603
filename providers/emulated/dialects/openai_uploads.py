"""Uploads in OpenAI's dialect: large files that come in parts.

Source: openai-python 3.54.0 `resources/uploads/` and `types/upload.py`, read November 2026.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from providers.emulated.answer import hexadecimal
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects import openai_checks as checks
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept, missing, read_object
from providers.emulated.dialects.openai_files import check_purpose, keep_file, read_life
from providers.emulated.dialects.openai_forms import read_form, required_file
from providers.emulated.dialects.openai_lists import object_id

_MOST_BYTES = 8 * 1024**3
_LIFE_S = 3600
_CREATE = {
    "bytes": checks.integer(1, _MOST_BYTES),
    "expires_after": checks.mapping,
    "filename": checks.text,
    "mime_type": checks.text,
    "purpose": checks.text,
}
_COMPLETE = {"md5": checks.text, "part_ids": checks.array("an array of strings", checks.text, minimum=1)}


@dataclass(slots=True)
class StoredUpload:
    """`described`: the upload object that is told of it. `parts`: what has come so far, by id."""

    described: dict[str, Any]
    life_s: int | None
    parts: dict[str, bytes] = field(default_factory=dict)


def answer_uploads(request: EmulatedRequest, desk: Desk, *, shape: Shape) -> EmulatedReply:
    """`uploads.create`, `.parts.create`, `.complete`, `.cancel`. Raises Invalid, Refused, CannedFailure."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    intercept(desk, operation, "", request)
    if operation == "uploads.create":
        body = _create(request, desk)
    else:
        upload = _find(desk, object_id(request, 1))
        if operation == "uploads.parts.create":
            body = _add_part(request, desk, upload)
        elif operation == "uploads.complete":
            body = _complete(request, desk, upload)
        else:
            upload.described["status"] = "cancelled"
            upload.parts.clear()
            body = upload.described
    return EmulatedReply(200, shape.headers(request), dump(body), is_repeatable=False)


def _create(request: EmulatedRequest, desk: Desk) -> dict[str, Any]:
    body = read_object(request.body)
    checks.require(body, "bytes", "filename", "mime_type", "purpose")
    checks.check_members(body, _CREATE)
    for name in ("bytes", "filename", "mime_type", "purpose"):
        if body[name] is None:
            raise missing(name)
    purpose = check_purpose(body["purpose"])
    expires = body.get("expires_after") or {}
    upload_id = "upload_" + hexadecimal(str(desk.shelf.next_number()).encode(), "upload", 32)
    described = {
        "id": upload_id,
        "object": "upload",
        "bytes": body["bytes"],
        "created_at": int(request.now),
        "filename": body["filename"],
        "purpose": purpose,
        "status": "pending",
        "expires_at": int(request.now) + _LIFE_S,
        "mime_type": body["mime_type"],
    }
    life_s = read_life(expires.get("anchor"), expires.get("seconds"), purpose)
    desk.shelf.put("upload", upload_id, StoredUpload(described, life_s))
    return described


def _find(desk: Desk, upload_id: str) -> StoredUpload:
    found = desk.shelf.get("upload", upload_id)
    if not isinstance(found, StoredUpload):
        raise Invalid(f"No such Upload object: {upload_id}", "id", status=404)
    status = found.described["status"]
    if status != "pending":
        raise Invalid(f"Upload {upload_id} is {status}; only a pending one can be changed.")
    return found


def _size(upload: StoredUpload) -> int:
    return sum([len(content) for content in upload.parts.values()])


def _add_part(request: EmulatedRequest, desk: Desk, upload: StoredUpload) -> dict[str, Any]:
    content = required_file(read_form(request), "data").content
    upload_id = upload.described["id"]
    if _size(upload) + len(content) > upload.described["bytes"]:
        raise Invalid(f"The parts of upload {upload_id} are more than its {upload.described['bytes']} bytes.", "data")
    part_id = "part_" + hexadecimal(str(desk.shelf.next_number()).encode(), "part", 32)
    upload.parts[part_id] = content
    desk.shelf.put("upload", upload_id, upload, _size(upload) + 1024)
    return {"id": part_id, "object": "upload.part", "created_at": int(request.now), "upload_id": upload_id}


def _complete(request: EmulatedRequest, desk: Desk, upload: StoredUpload) -> dict[str, Any]:
    body = read_object(request.body)
    if body.get("part_ids") is None:
        raise missing("part_ids")
    checks.check_members(body, _COMPLETE)
    for index, part_id in enumerate(body["part_ids"]):
        if part_id not in upload.parts:
            raise Invalid(f"No such part: {part_id}", f"part_ids[{index}]")
    content = b"".join([upload.parts[part_id] for part_id in body["part_ids"]])
    described = upload.described
    if len(content) != described["bytes"]:
        raise Invalid(
            f"Number of bytes uploaded ({len(content)}) does not match the number of bytes expected "
            f"({described['bytes']})."
        )
    if body.get("md5") and hashlib.md5(content, usedforsecurity=False).hexdigest() != body["md5"]:
        raise Invalid("The MD5 checksum does not match the uploaded bytes.", "md5")
    stored = keep_file(desk, described["filename"], content, described["purpose"], request.now, upload.life_s)
    described["status"] = "completed"
    upload.parts.clear()
    desk.shelf.put("upload", described["id"], upload)
    return {**described, "file": stored.described}
