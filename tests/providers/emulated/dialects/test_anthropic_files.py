"""Files: uploaded, listed, described, deleted, not given back."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import DeletedFile, FileMetadata

from tests.providers.emulated.anthropic_asking import checked, error
from tests.providers.emulated.asking import Asker, whole


def form(*parts: bytes) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its header; each part is its own headers and content."""
    data = b"".join(b"--xyz\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--xyz--\r\n"
    return data, {"content-type": "multipart/form-data; boundary=xyz"}


def a_file(name: bytes = b"duck.txt", content: bytes = b"Quack.", mime: bytes = b"text/plain") -> bytes:
    kind = b"\r\nContent-Type: " + mime if mime else b""
    return b'name="file"; filename="%b"%b\r\n\r\n%b' % (name, kind, content)


@pytest.fixture
def asker() -> Asker:
    return Asker("anthropic")


def uploaded(asker: Asker, *parts: bytes) -> FileMetadata:
    data, headers = form(*(parts or (a_file(),)))
    file: FileMetadata = checked(FileMetadata, asker.json("POST", "/v1/files", data, headers))
    return file


def test_an_upload_is_described(asker: Asker) -> None:
    file = uploaded(asker, a_file(b"some/where/duck.txt"))
    assert (file.filename, file.mime_type, file.size_bytes, file.downloadable) == ("duck.txt", "text/plain", 6, False)
    assert file.id.startswith("file_011C")
    assert file.expires_at is None
    assert checked(FileMetadata, asker.json("GET", f"/v1/files/{file.id}")) == file


def test_what_the_upload_leaves_out_is_guessed(asker: Asker) -> None:
    assert uploaded(asker, a_file(b"duck.pdf", mime=b"")).mime_type == "application/pdf"
    assert uploaded(asker, a_file(b"", mime=b"text/plain")).filename == "unnamed.txt"


def test_a_file_may_be_given_a_lifetime(asker: Asker) -> None:
    file = uploaded(asker, a_file(), b'name="expires_in_seconds"\r\n\r\n3600')
    assert file.expires_at is not None
    assert (file.expires_at - file.created_at).total_seconds() == 3600


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), "file: Field required"),
        ((b'name="file"\r\n\r\nno file',), "file: Field required"),
        ((a_file(content=b""),), "file: File is empty"),
        (
            (a_file(), b'name="expires_in_seconds"\r\n\r\n60'),
            "expires_in_seconds: Input should be greater than or equal to 3600",
        ),
        (
            (a_file(), b'name="expires_in_seconds"\r\n\r\n99999999'),
            "expires_in_seconds: Input should be less than or equal to 7776000",
        ),
        (
            (a_file(), b'name="expires_in_seconds"\r\n\r\nsoon'),
            "expires_in_seconds: Input should be a valid integer",
        ),
    ],
)
def test_an_upload_that_lacks_something_is_refused(asker: Asker, parts: Any, message: str) -> None:
    data, headers = form(*(parts or (b'name="other"\r\n\r\nx',)))
    assert error(asker.send("POST", "/v1/files", data, headers)) == (400, "invalid_request_error", message)


def test_an_upload_that_is_no_form_is_refused(asker: Asker) -> None:
    assert error(asker.send("POST", "/v1/files", {}))[2] == "Invalid multipart form data"


def test_files_are_listed_newest_first_by_either_way_of_turning_pages(asker: Asker) -> None:
    ids = [uploaded(asker).id for _ in range(3)][::-1]
    first = asker.json("GET", "/v1/files?limit=2")
    assert [file["id"] for file in first["data"]] == ids[:2]
    assert first["next_page"].startswith("page_")
    second = asker.json("GET", f"/v1/files?limit=2&page={first['next_page']}")
    assert ([file["id"] for file in second["data"]], second["next_page"]) == (ids[2:], None)
    older = asker.json("GET", f"/v1/files?limit=2&after_id={first['last_id']}")
    assert older["data"] == second["data"]
    chosen = asker.json("GET", f"/v1/files?ids[]={ids[1]}&ids[]=file_none")
    assert [file["id"] for file in chosen["data"]] == [ids[1]]


def test_an_uploaded_file_is_not_given_back(asker: Asker) -> None:
    file = uploaded(asker)
    reply = asker.send("GET", f"/v1/files/{file.id}/content")
    assert error(reply) == (400, "invalid_request_error", "File is not downloadable")
    assert orjson.loads(whole(reply))["error"]["details"] == {"error_code": "file_not_downloadable"}


def test_a_deleted_file_is_gone(asker: Asker) -> None:
    file = uploaded(asker)
    assert checked(DeletedFile, asker.json("DELETE", f"/v1/files/{file.id}")).id == file.id
    for method, target in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
        refusal = error(asker.send(method, f"/v1/files/{file.id}{target}"))
        assert refusal == (404, "not_found_error", f"File not found: {file.id}")
