"""Files in OpenAI's dialect: kept on the shelf.

Source: openai-python 3.54.0 `resources/files.py` and `types/file_object.py`, and refusals quoted in public issue
reports, read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from providers.base import Header
from providers.emulated.answer import alphanumeric
from providers.emulated.base import EmulatedReply, EmulatedRequest
from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import Invalid, Shape, dump, intercept
from providers.emulated.dialects.openai_forms import read_form
from providers.emulated.dialects.openai_lists import object_id, page, query_of

PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
_NOT_TO_BE_READ = ("assistants", "user_data", "vision")
_BATCH_LIFE_S = 30 * 24 * 3600


@dataclass(slots=True)
class StoredFile:
    """`described`: the file object that is told of it."""

    described: dict[str, Any]
    content: bytes


def answer_files(request: EmulatedRequest, desk: Desk, *, shape: Shape) -> EmulatedReply:
    """`files.create`, `.list`, `.retrieve`, `.content`, `.delete`. Raises Invalid, Refused, CannedFailure."""
    assert request.call.operation is not None
    operation = request.call.operation.name
    intercept(desk, operation, "", request)
    if operation == "files.create":
        body: Any = _create(request, desk)
    elif operation == "files.list":
        body = _list(request, desk)
    elif operation == "files.content":
        return _content(find_file(desk, object_id(request, 1)), request, shape)
    elif operation == "files.retrieve":
        body = find_file(desk, object_id(request, 0)).described
    else:
        file_id = find_file(desk, object_id(request, 0)).described["id"]
        desk.shelf.remove("file", file_id)
        body = {"object": "file", "deleted": True, "id": file_id}
    return EmulatedReply(200, shape.headers(request), dump(body), is_repeatable=False)


def find_file(desk: Desk, file_id: str) -> StoredFile:
    """Raises Invalid for one that is not there."""
    found = desk.shelf.get("file", file_id)
    if not isinstance(found, StoredFile):
        raise Invalid(f"No such File object: {file_id}", "id", status=404)
    return found


def keep_file(
    desk: Desk, name: str, content: bytes, purpose: str, now: float, lasts_s: int | None = None
) -> StoredFile:
    """Puts a new file on the shelf."""
    number = desk.shelf.next_number()
    file_id = "file-" + alphanumeric(str(number).encode(), "file", 22)
    described = {
        "object": "file",
        "id": file_id,
        "purpose": purpose,
        "filename": name,
        "bytes": len(content),
        "created_at": int(now),
        "expires_at": None if lasts_s is None else int(now) + lasts_s,
        "status": "processed",
        "status_details": None,
    }
    stored = StoredFile(described, content)
    desk.shelf.put("file", file_id, stored, len(content) + 1024)
    return stored


def check_purpose(purpose: object) -> str:
    """Raises Invalid for one that files do not have."""
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        listed = ", ".join(f"'{name}'" for name in PURPOSES)
        raise Invalid(f"'{purpose}' is not one of [{listed}] - 'purpose'")
    return purpose


def read_life(anchor: object, seconds: object, purpose: str) -> int | None:
    """How long a file is kept, in seconds. Raises Invalid."""
    if anchor is None and seconds is None:
        return _BATCH_LIFE_S if purpose == "batch" else None
    if anchor != "created_at":
        raise Invalid(
            f"Invalid value: '{anchor}'. Supported values are: 'created_at'.", "expires_after.anchor", "invalid_value"
        )
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 3600 <= seconds <= 2_592_000:
        raise Invalid(
            "Invalid 'expires_after.seconds': expected an integer from 3600 to 2592000.",
            "expires_after.seconds",
            "invalid_value",
        )
    return seconds


def _create(request: EmulatedRequest, desk: Desk) -> dict[str, Any]:
    form = read_form(request)
    files = form.files.get("file")
    if not files:
        raise Invalid("'file' is a required property")
    purpose = form.fields.get("purpose")
    if purpose is None:
        raise Invalid("'purpose' is a required property")
    check_purpose(purpose)
    sent = files[0]
    if purpose == "batch" and not sent.name.lower().endswith(".jsonl"):
        raise Invalid("Invalid file format for Batch API. Must be .jsonl", "file", "invalid_jsonl_file")
    seconds = form.fields.get("expires_after[seconds]")
    life = read_life(
        form.fields.get("expires_after[anchor]"),
        int(seconds)
        if seconds is not None and seconds.isascii() and seconds.isdigit() and len(seconds) < 18
        else seconds,
        purpose,
    )
    return keep_file(desk, sent.name, sent.content, purpose, request.now, life).described


def _list(request: EmulatedRequest, desk: Desk) -> dict[str, Any]:
    query = query_of(request)
    purpose = query.get("purpose")
    found = [
        stored.described
        for stored in desk.shelf.all("file")
        if purpose is None or stored.described["purpose"] == purpose
    ]
    return page(found, query, usual_limit=10_000, most=10_000)


def _content(stored: StoredFile, request: EmulatedRequest, shape: Shape) -> EmulatedReply:
    purpose = stored.described["purpose"]
    if purpose in _NOT_TO_BE_READ:
        raise Invalid(f"Not allowed to download files of purpose: {purpose}")
    name = stored.described["filename"].encode("utf-8", "replace")
    # No more than a header can hold: names are the client's own.
    shown = bytes([byte for byte in name if 32 <= byte < 127 and byte not in b'"\\'])
    kind: Header = (b"content-type", b"application/octet-stream")
    headers = [
        *shape.headers(request, content_type=kind),
        (b"content-disposition", b'attachment; filename="%b"' % shown),
    ]
    return EmulatedReply(200, headers, stored.content, is_repeatable=False)
