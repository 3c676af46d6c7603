from __future__ import annotations

from typing import Any

import pytest
from openai.types import FileDeleted, FileObject

from tests.providers.emulated.asking import NOW, Asker, header
from tests.providers.emulated.openai_asking import ask_form, refused, typed


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def send(
    asker: Asker, name: str = "a.jsonl", content: bytes = b"{}\n", purpose: str = "fine-tune", **fields: Any
) -> FileObject:
    return typed(FileObject, ask_form(asker, "/v1/files", {"purpose": purpose, **fields}, file=(name, content)))


def test_a_file_is_kept_told_and_given_back(asker: Asker) -> None:
    made = send(asker, "ducks.jsonl", b'{"duck": 1}\n')
    assert (made.bytes, made.filename, made.purpose, made.status) == (12, "ducks.jsonl", "fine-tune", "processed")
    assert NOW < made.created_at < NOW + 100
    assert typed(FileObject, asker.send("GET", f"/v1/files/{made.id}")) == made
    content = asker.send("GET", f"/v1/files/{made.id}/content")
    assert content.body == b'{"duck": 1}\n'
    assert header(content, "content-type") == "application/octet-stream"
    assert header(content, "content-disposition") == 'attachment; filename="ducks.jsonl"'
    assert not content.is_repeatable


def test_every_file_has_an_id_of_its_own(asker: Asker) -> None:
    assert len({send(asker).id for _ in range(5)}) == 5


def test_the_list_is_newest_first_paged_and_by_purpose(asker: Asker) -> None:
    ids = [send(asker, purpose=purpose).id for purpose in ("fine-tune", "batch", "fine-tune")]
    listed = asker.json("GET", "/v1/files")
    assert [entry["id"] for entry in listed["data"]] == ids[::-1]
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == (ids[2], ids[0], False)
    page = asker.json("GET", "/v1/files?limit=2&order=asc")
    assert ([entry["id"] for entry in page["data"]], page["has_more"]) == (ids[:2], True)
    rest = asker.json("GET", f"/v1/files?limit=2&order=asc&after={ids[1]}")
    assert ([entry["id"] for entry in rest["data"]], rest["has_more"]) == ([ids[2]], False)
    assert [entry["id"] for entry in asker.json("GET", "/v1/files?purpose=batch")["data"]] == [ids[1]]


def test_a_deleted_file_is_gone(asker: Asker) -> None:
    made = send(asker)
    assert typed(FileDeleted, asker.send("DELETE", f"/v1/files/{made.id}")).deleted
    for method, target in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        error = refused(asker.send(method, f"/v1/files/{made.id}{target}"), 404)
        assert error["message"] == f"No such File object: {made.id}"


def test_files_expire_as_asked(asker: Asker) -> None:
    kept = send(asker, **{"expires_after[anchor]": "created_at", "expires_after[seconds]": 3600})
    assert kept.expires_at == kept.created_at + 3600
    assert send(asker, purpose="batch").expires_at is not None
    assert send(asker).expires_at is None


def test_what_is_not_to_be_read_is_not_given_back(asker: Asker) -> None:
    made = send(asker, "a.txt", purpose="assistants")
    error = refused(asker.send("GET", f"/v1/files/{made.id}/content"))
    assert error["message"] == "Not allowed to download files of purpose: assistants"


def test_names_cannot_break_the_head(asker: Asker) -> None:
    made = send(asker, "dück\u2028 x.jsonl")
    assert made.filename == "dück\u2028 x.jsonl"
    assert header(asker.send("GET", f"/v1/files/{made.id}/content"), "content-disposition") == (
        'attachment; filename="dck x.jsonl"'
    )


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    assert refused(ask_form(asker, "/v1/files", {"purpose": "batch"}))["message"] == "'file' is a required property"
    assert refused(ask_form(asker, "/v1/files", {}, file=("a", b"x")))["message"] == "'purpose' is a required property"
    assert "is not one of" in refused(ask_form(asker, "/v1/files", {"purpose": "fun"}, file=("a", b"x")))["message"]
    assert refused(ask_form(asker, "/v1/files", {"purpose": "batch"}, file=("a.txt", b"x")))["param"] == "file"
    bad = {"purpose": "vision", "expires_after[anchor]": "created_at", "expires_after[seconds]": "soon"}
    assert refused(ask_form(asker, "/v1/files", bad, file=("a", b"x")))["param"] == "expires_after.seconds"
    assert refused(ask_form(asker, "/v1/files", {**bad, "expires_after[anchor]": "now"}, file=("a", b"x")))[
        "param"
    ] == ("expires_after.anchor")
    for query in ("limit=0", "limit=x", "limit=99999", "order=up", "after=file-none", "limit=" + "9" * 40):
        assert refused(asker.send("GET", f"/v1/files?{query}"))["type"] == "invalid_request_error"
    assert refused(asker.send("POST", "/v1/files", {"purpose": "batch"}))["code"] == "unsupported_content_type"
