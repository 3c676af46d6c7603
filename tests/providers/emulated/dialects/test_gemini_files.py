from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import Any

import orjson
import pytest
from google.genai import types

from providers.vertex_ai import PROVIDER
from tests.providers.emulated.asking import Asker, header, whole
from tests.providers.emulated.google_asking import message_of

START = {
    "x-goog-upload-protocol": "resumable",
    "x-goog-upload-command": "start",
    "x-goog-upload-header-content-length": "8",
    "x-goog-upload-header-content-type": "text/plain",
}


def start(asker: Asker, described: dict[str, Any] | None = None) -> str:
    """The path and query of the upload's address."""
    body = None if described is None else {"file": described}
    reply = asker.send("POST", "/upload/v1beta/files", body, START)
    assert reply.status == 200, whole(reply)
    assert header(reply, "x-goog-upload-status") == "active"
    address = header(reply, "x-goog-upload-url") or ""
    rewritten = PROVIDER.rewrite_reply_header(b"x-goog-upload-url", address.encode(), "http://127.0.0.1:1")
    assert rewritten.startswith(b"http://127.0.0.1:1/upload/v1beta/files?upload_id=")
    return rewritten.decode().removeprefix("http://127.0.0.1:1")


def send(asker: Asker, target: str, command: str, data: bytes = b"", offset: int = 0, status: int = 200) -> Any:
    headers = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
    reply = asker.send("POST", target, data, headers, has_key=False)
    assert reply.status == status, whole(reply)
    return reply


def test_a_file_is_uploaded_in_pieces_without_a_key() -> None:
    asker = Asker("vertex_ai")
    target = start(asker, {"displayName": "Ducks", "mimeType": "text/plain"})
    assert header(send(asker, target, "upload", b"Duck"), "x-goog-upload-status") == "active"
    assert header(send(asker, target, "query"), "x-goog-upload-size-received") == "4"
    reply = send(asker, target, "upload, finalize", b"s go", 4)
    assert header(reply, "x-goog-upload-status") == "final"
    file = orjson.loads(whole(reply))["file"]
    types.File.model_validate(file)
    assert (file["displayName"], file["mimeType"], file["sizeBytes"], file["state"]) == (
        "Ducks",
        "text/plain",
        "8",
        "ACTIVE",
    )
    assert b64decode(file["sha256Hash"]).decode() == hashlib.sha256(b"Ducks go").hexdigest()
    assert asker.json("GET", f"/v1beta/{file['name']}") == file
    assert asker.json("GET", "/v1beta/files")["files"] == [file]
    download = asker.send("GET", f"/v1beta/{file['name']}:download?alt=media")
    assert (whole(download), header(download, "content-type")) == (b"Ducks go", "text/plain")
    assert asker.json("DELETE", f"/v1beta/{file['name']}") == {}
    assert "do not have permission" in message_of(asker.send("GET", f"/v1beta/{file['name']}"), 403)


def test_a_file_may_bring_its_name() -> None:
    asker = Asker("vertex_ai")
    send(asker, start(asker, {"name": "files/my-duck"}), "upload, finalize", b"x")
    assert asker.json("GET", "/v1beta/files/my-duck")["mimeType"] == "text/plain"
    assert "already exists" in message_of(
        asker.send("POST", "/upload/v1beta/files", {"file": {"name": "files/my-duck"}}, START), 409
    )
    assert "lowercase alphanumeric" in message_of(
        asker.send("POST", "/upload/v1beta/files", {"file": {"name": "files/My Duck"}}, START), 400
    )


def test_files_are_different_though_their_bytes_are_the_same() -> None:
    asker = Asker("vertex_ai")
    names = {orjson.loads(whole(send(asker, start(asker), "upload, finalize", b"x")))["file"]["name"] for _ in range(3)}
    assert len(names) == 3


def test_a_piece_must_begin_where_the_last_one_ended() -> None:
    asker = Asker("vertex_ai")
    target = start(asker)
    send(asker, target, "upload", b"Duck")
    assert "does not match the 4 received" in message_of(send(asker, target, "upload", b"s", 9, status=400), 400)


def test_an_upload_ends_once() -> None:
    asker = Asker("vertex_ai")
    target = start(asker)
    assert header(send(asker, target, "cancel"), "x-goog-upload-status") == "cancelled"
    assert "terminated or does not exist" in message_of(send(asker, target, "upload, finalize", b"x", status=404), 404)


def test_another_kind_of_upload_is_refused() -> None:
    reply = Asker("vertex_ai").send("POST", "/upload/v1beta/files?uploadType=media", b"Ducks")
    assert "takes resumable uploads only" in message_of(reply, 400)


@pytest.mark.parametrize("size", [1, 2])
def test_files_are_listed_page_by_page(size: int) -> None:
    asker = Asker("vertex_ai")
    for _ in range(3):
        send(asker, start(asker), "upload, finalize", b"x")
    page = asker.json("GET", f"/v1beta/files?pageSize={size}")
    names = [file["name"] for file in page["files"]]
    while "nextPageToken" in page:
        page = asker.json("GET", f"/v1beta/files?pageSize={size}&pageToken={page['nextPageToken']}")
        names += [file["name"] for file in page["files"]]
    assert len(set(names)) == 3
