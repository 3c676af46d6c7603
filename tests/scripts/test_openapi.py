"""docs/openapi.json is what the code declares."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "openapi.json"


def test_the_committed_schema_is_as_the_code_declares_it(tmp_path: Path) -> None:
    # The environment of whoever runs it is left out of the document.
    environment = {**os.environ, "RUBBERDUCK_WEB_BIND": "127.0.0.1:9999"}
    command = [sys.executable, str(ROOT / "scripts" / "openapi.py"), str(tmp_path / "openapi.json")]
    subprocess.run(command, env=environment, check=True)
    assert (tmp_path / "openapi.json").read_text() == DOCUMENT.read_text(), "run `make openapi`"


def test_every_operation_has_a_name_of_its_own_a_summary_and_a_tag() -> None:
    operations = [one for methods in json.loads(DOCUMENT.read_text())["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert [one["operationId"] for one in operations if not one.get("summary") or not one.get("tags")] == []
