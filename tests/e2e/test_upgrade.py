"""An upgrade takes what an older version has stored along: rows written by its tables are read by today's models."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.serving import ROOT
from tests.rubberduck.servers import postgres_cluster

# The tables as they were before accounts and the management API.
BEFORE = """
from datetime import datetime, timezone
from uuid import UUID
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

old = [("accounts", "0001_initial"), ("proxies", "0003_faults_and_limits"), ("logs", "0002_faults")]
executor = MigrationExecutor(connection)
executor.migrate(old)
apps = executor.loader.project_state(old).apps
now = datetime(2026, 11, 1, tzinfo=timezone.utc)
user = apps.get_model("accounts", "User").objects.create(
    email="ada@example.com", password="md5$salt$hash", is_staff=True
)
apps.get_model("accounts", "SiteSettings").objects.create(pk=1, global_block=["192.0.2.7"])
proxy = apps.get_model("proxies", "Proxy").objects.create(
    name="mine", owner=user, provider="openai", port=8001, upstream="emulated", cache_mode="replay", tags=["ci"],
    faults_rules=[{"fault": "error", "status": 429, "when": {"every": 3}}], faults_seed=7, limits_rpm=60,
    desired_state="running",
)
apps.get_model("proxies", "Recording").objects.create(
    proxy=proxy, epoch=1, key="0" * 64, operation="chat.completions", status=200,
    headers=["content-type", "text/plain"], body=b"Quack.", frame_sizes=[6], delays_ms=[0], size_bytes=6,
    recorded_at=now,
)
apps.get_model("logs", "RequestLog").objects.create(
    id=UUID(int=7), started_at=now, proxy_id=proxy.pk, proxy_name="mine", provider="openai", client_ip="127.0.0.1",
    method="POST", path="/v1/chat/completions", latency_ms=1.5,
    outcome="hit", cache="hit", rate_limit="passed", access="passed",
)
"""
AFTER = """
import json
from accounts.models import ApiToken, User
from accounts.selectors import effective_site_settings
from logs.models import RequestLog
from proxies.models import Proxy, Recording

user, proxy, log, site = User.objects.get(), Proxy.objects.get(), RequestLog.objects.get(), effective_site_settings()
print(json.dumps({
    "user": [user.email, user.password, user.is_staff, ApiToken.objects.count()],
    "site": [list(site.global_block), site.allow_registration, site.allow_password_login, site.retention_days],
    "proxy": [proxy.name, proxy.owner == user, proxy.port, proxy.cache_mode, proxy.tags, proxy.faults_rules,
              proxy.faults_seed, proxy.limits_rpm, proxy.desired_state],
    "recording": bytes(Recording.objects.get(proxy=proxy).body).decode(),
    "log": [str(log.id), log.proxy_name, log.outcome],
}))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            url = f"postgresql://postgres@127.0.0.1:{stack.enter_context(postgres_cluster()).port}/postgres"
        base = {"PATH": os.environ["PATH"], "RUBBERDUCK_ENV_FILE": "", "RUBBERDUCK_DATA_DIR": str(tmp_path)}
        yield {**base, "DATABASE_URL": url}


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_upgrade_keeps_what_is_stored(environment: dict[str, str]) -> None:
    manage(environment, "shell", "--no-imports", "-c", BEFORE)
    manage(environment, "migrate", "--noinput", "-v0")
    found: dict[str, Any] = json.loads(manage(environment, "shell", "--no-imports", "-c", AFTER))
    rule = {"fault": "error", "status": 429, "when": {"every": 3}}
    assert found == {
        "user": ["ada@example.com", "md5$salt$hash", True, 0],
        "site": [["192.0.2.7"], False, True, None],
        "proxy": ["mine", True, 8001, "replay", ["ci"], [rule], 7, 60, "running"],
        "recording": "Quack.",
        "log": ["00000000-0000-0000-0000-000000000007", "mine", "hit"],
    }
