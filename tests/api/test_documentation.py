"""docs/api.md: its commands work from the first to the last, and it names every code and every route."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from rubberduck.api_errors import STATUS, ErrorCode
from tests.api.serving import ApiServer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "api.md").read_text()
LIKE_BEFORE = """
from accounts.models import User
from accounts.services import site_settings_update
User.objects.filter(email="you@example.com").update(is_staff=False, is_superuser=False)
site_settings_update({"allowed_domains": [], "retention_days": None})
result = None
"""
BLOCKS = re.findall(r"^```sh\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_commands_work_from_the_first_to_the_last(server: ApiServer, tmp_path: Path) -> None:
    server.deployment.ask(
        "from accounts.models import User\nresult = User.objects.create_superuser('you@example.com', 'pass-word-7').pk",
    )
    script = "set -e\nset -o pipefail\n" + "\n".join(BLOCKS)
    script = script.replace("/tmp/rubberduck-", f"{tmp_path}/")
    script = script.replace(".venv/bin/python manage.py", f"{sys.executable} {ROOT / 'manage.py'}")
    script = script.replace("http://127.0.0.1:8000", server.base_url)
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env=server.deployment.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    server.deployment.ask(LIKE_BEFORE)  # the other tests have the same server
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert '"generation": 1' in done.stdout
    example = re.findall(r"^```json\n(.*?)\n```", DOCUMENT, re.MULTILINE | re.DOTALL)[0]
    assert example in done.stdout


def test_every_code_stands_there_with_its_status() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", DOCUMENT, re.MULTILINE)
    assert {code: int(status) for code, status in rows} == {code: STATUS.get(code, 400) for code in ErrorCode}


def test_every_route_is_asked_or_told_of() -> None:
    told = re.sub(r"\$[A-Z]+|\{[a-z_]+\}|mine|checkout|8500|NAME", "X", DOCUMENT)
    for path in json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]:
        route = re.sub(r"\{[a-z_]+\}", "X", path.removeprefix("/api/v1"))
        assert re.search(rf"(\bX|`|[A-Z] ){re.escape(route)}(?![\w/-])", told), path
