from __future__ import annotations

import hashlib
from typing import Any

import pytest
from openai.types import Upload
from openai.types.uploads import UploadPart

from tests.providers.emulated.asking import Asker
from tests.providers.emulated.openai_asking import ask_form, refused, typed

CREATE = {"bytes": 6, "filename": "ducks.jsonl", "mime_type": "application/jsonl", "purpose": "fine-tune"}


@pytest.fixture
def asker() -> Asker:
    return Asker("openai")


def create(asker: Asker, **members: Any) -> Upload:
    return typed(Upload, asker.send("POST", "/v1/uploads", {**CREATE, **members}))


def part(asker: Asker, upload: Upload, content: bytes) -> str:
    target = f"/v1/uploads/{upload.id}/parts"
    return typed(UploadPart, ask_form(asker, target, {}, data=("blob", content))).id


def test_parts_become_a_file_in_the_order_given(asker: Asker) -> None:
    upload = create(asker)
    assert upload.status == "pending"
    last, first = part(asker, upload, b"def"), part(asker, upload, b"abc")
    md5 = hashlib.md5(b"abcdef").hexdigest()
    done = typed(
        Upload, asker.send("POST", f"/v1/uploads/{upload.id}/complete", {"part_ids": [first, last], "md5": md5})
    )
    assert done.status == "completed"
    assert done.file is not None
    assert asker.send("GET", f"/v1/files/{done.file.id}/content").body == b"abcdef"
    assert done.file.filename == "ducks.jsonl"


def test_a_cancelled_upload_takes_nothing_more(asker: Asker) -> None:
    upload = create(asker)
    assert typed(Upload, asker.send("POST", f"/v1/uploads/{upload.id}/cancel")).status == "cancelled"
    error = refused(ask_form(asker, f"/v1/uploads/{upload.id}/parts", {}, data=("blob", b"abc")))
    assert "cancelled" in error["message"]


def test_it_is_refused_in_openais_words(asker: Asker) -> None:
    for name in CREATE:
        body = {key: value for key, value in CREATE.items() if key != name}
        assert refused(asker.send("POST", "/v1/uploads", body))["param"] == name
        assert refused(asker.send("POST", "/v1/uploads", {**CREATE, name: None}))["param"] == name
    assert "not one of" in refused(asker.send("POST", "/v1/uploads", {**CREATE, "purpose": "fun"}))["message"]
    assert refused(asker.send("POST", "/v1/uploads/upload_x/cancel"), 404)["param"] == "id"
    upload = create(asker)
    complete = f"/v1/uploads/{upload.id}/complete"
    assert refused(asker.send("POST", complete, {}))["param"] == "part_ids"
    assert refused(asker.send("POST", complete, {"part_ids": ["part_x"]}))["param"] == "part_ids[0]"
    first = part(asker, upload, b"abc")
    assert "does not match" in refused(asker.send("POST", complete, {"part_ids": [first]}))["message"]
    assert refused(ask_form(asker, f"/v1/uploads/{upload.id}/parts", {}, data=("blob", b"abcd")))["param"] == "data"
    second = part(asker, upload, b"def")
    assert refused(asker.send("POST", complete, {"part_ids": [first, second], "md5": "0"}))["param"] == "md5"
