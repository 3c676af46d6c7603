"""Files of the Gemini API, and their resumable uploads.

An upload begins with a request that is answered by an address (`x-goog-upload-url`), and goes on there in pieces until
one says "finalize". Source: google-genai 3.4.0 `files.py`, `_api_client.py` and `_extra_utils.py`, read November 2026.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from providers.emulated.answer import alphanumeric
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_fields import CREATE_FILE
from providers.emulated.dialects.gemini_models import page
from providers.emulated.dialects.gemini_question import FILES
from providers.emulated.dialects.google_errors import headers, json_reply, refuse
from providers.emulated.dialects.google_json import read_body
from providers.emulated.dialects.google_times import timestamp

_HOST = "https://generativelanguage.googleapis.com"
_UPLOADS = "uploads"
_KEPT_S = 48 * 3600
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(slots=True)
class StoredFile:
    """A file that was uploaded. `sha256` in hexadecimal, `created_at` in seconds."""

    id: str
    display_name: str
    media_type: str
    data: bytes
    sha256: str
    created_at: float


@dataclass(slots=True)
class Upload:
    """A file that is being uploaded."""

    id: str
    display_name: str
    media_type: str
    data: bytearray = field(default_factory=bytearray)


def upload_file(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """Any step of an upload. Raises Refused, CannedFailure."""
    query = parse_qs(request.query.decode("latin-1"))
    upload_id = (query.get("upload_id") or [""])[0]
    commands = {word.strip() for word in request.headers.get(b"x-goog-upload-command", b"").lower().split(b",")}
    if upload_id:
        return _go_on(request, desk, upload_id, commands)
    if b"start" in commands:
        return _start(request, desk)
    raise refuse(
        request,
        "Rubberduck's emulation of this provider takes resumable uploads only: X-Goog-Upload-Protocol: resumable and "
        "X-Goog-Upload-Command: start.",
    )


def list_files(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    found = [_shape(file) for file in desk.shelf.all(FILES)]
    query = parse_qs(request.query.decode("latin-1"))
    return json_reply(request, page(request, query, found, "files", default=10, most=100), is_repeatable=False)


def get_file(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """A file's description, or with `:download` its bytes."""
    name = request.call.path.rpartition(b"/")[2].decode("latin-1")
    file = _find(request, desk, name.removesuffix(":download"))
    if not name.endswith(":download"):
        return json_reply(request, _shape(file), is_repeatable=False)
    kind = (b"content-type", file.media_type.encode("latin-1", "replace"))
    return EmulatedReply(200, headers(request, kind), file.data, is_repeatable=False)


def delete_file(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    name = request.call.path.rpartition(b"/")[2].decode("latin-1")
    desk.shelf.remove(FILES, _find(request, desk, name).id)
    return json_reply(request, {}, is_repeatable=False)


def _start(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    described = read_body(request, CREATE_FILE).get("file", {})
    number = desk.shelf.next_number()
    made_from = number.to_bytes(8, "big") + request.body[:256]
    name = described.get("name", "").removeprefix("files/")
    if name and not _NAME.fullmatch(name):
        raise refuse(
            request,
            "* CreateFileRequest.file.name: File name must be lowercase alphanumeric characters or dashes (-) and "
            "cannot begin or end with a dash.\n",
        )
    if name and desk.shelf.get(FILES, name) is not None:
        raise refuse(request, f"Resource already exists: files/{name}", 409, name="ALREADY_EXISTS")
    kind = request.headers.get(b"x-goog-upload-header-content-type", b"").decode("latin-1")
    upload = Upload(
        name or alphanumeric(made_from, "file", 12).lower(),
        described.get("displayName", ""),
        described.get("mimeType") or kind or "application/octet-stream",
    )
    upload_id = alphanumeric(made_from, "upload", 40)
    desk.shelf.put(_UPLOADS, upload_id, upload)
    address = f"{_HOST}{request.call.path.decode('latin-1')}?upload_id={upload_id}&upload_protocol=resumable"
    fields = [
        *headers(request, (b"content-type", b"text/plain; charset=utf-8")),
        (b"x-goog-upload-status", b"active"),
        (b"x-goog-upload-url", address.encode("latin-1", "replace")),
        (b"x-goog-upload-control-url", address.encode("latin-1", "replace")),
        (b"x-goog-upload-chunk-granularity", b"8388608"),
    ]
    return EmulatedReply(200, fields, b"", is_repeatable=False)


def _go_on(request: EmulatedRequest, desk: Desk, upload_id: str, commands: set[bytes]) -> EmulatedReply:
    upload = desk.shelf.get(_UPLOADS, upload_id)
    if not isinstance(upload, Upload):
        raise refuse(request, "Upload has already been terminated or does not exist.", 404)
    if b"cancel" in commands:
        desk.shelf.remove(_UPLOADS, upload_id)
        return _status(request, b"cancelled", 0)
    if b"upload" in commands:
        received = b"%d" % len(upload.data)
        offset = request.headers.get(b"x-goog-upload-offset", received)
        if offset != received:
            raise refuse(
                request,
                f"Upload offset {offset[:20].decode('latin-1')} does not match the {len(upload.data)} received.",
            )
        upload.data += request.body
        desk.shelf.put(_UPLOADS, upload_id, upload, len(upload.data) + 1024)
    if b"finalize" not in commands:
        return _status(request, b"active", len(upload.data))
    desk.shelf.remove(_UPLOADS, upload_id)
    data = bytes(upload.data)
    sha256 = hashlib.sha256(data).hexdigest()
    file = StoredFile(upload.id, upload.display_name, upload.media_type, data, sha256, request.now)
    desk.shelf.put(FILES, file.id, file, len(data) + 1024)
    reply = json_reply(request, {"file": _shape(file)}, is_repeatable=False)
    reply.headers = [*reply.headers, (b"x-goog-upload-status", b"final")]
    return reply


def _status(request: EmulatedRequest, status: bytes, received: int) -> EmulatedReply:
    fields = [
        *headers(request, (b"content-type", b"text/plain; charset=utf-8")),
        (b"x-goog-upload-status", status),
        (b"x-goog-upload-size-received", b"%d" % received),
    ]
    return EmulatedReply(200, fields, b"", is_repeatable=False)


def _find(request: EmulatedRequest, desk: Desk, name: str) -> StoredFile:
    file = desk.shelf.get(FILES, name)
    if not isinstance(file, StoredFile) or file.created_at + _KEPT_S <= request.now:
        raise refuse(request, f"You do not have permission to access the File {name[:64]} or it may not exist.", 403)
    return file


def _shape(file: StoredFile) -> dict[str, Any]:
    shape = {
        "name": f"files/{file.id}",
        "displayName": file.display_name,
        "mimeType": file.media_type,
        "sizeBytes": str(len(file.data)),
        "createTime": timestamp(file.created_at),
        "updateTime": timestamp(file.created_at),
        "expirationTime": timestamp(file.created_at + _KEPT_S),
        "sha256Hash": base64.b64encode(file.sha256.encode()).decode(),
        "uri": f"{_HOST}/v1beta/files/{file.id}",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }
    if not file.display_name:
        del shape["displayName"]
    return shape
