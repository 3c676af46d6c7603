"""docs/deployment.md as somebody follows it: nginx in front, a token, a second factor, a backup, a restored server."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

from tests.accounts.provider import Provider
from tests.accounts.serving import ROOT, Browser, Web
from tests.accounts.test_totp import set_up, with_code
from tests.rubberduck.servers import Cluster, free_port, postgres_cluster, running

DOCUMENT = (ROOT / "docs" / "deployment.md").read_text()
HOST = "duck.example.com"
ADDRESS = "ada@example.com"


def block(language: str, words: str) -> str:
    """The one block of the document in that language that has these words in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if words in block]
    return str(found)


@dataclass
class Server:
    """A directory with `.env`, one for data and one for backups, as the document has them, and the web."""

    directory: Path
    cluster: Cluster | None
    database_url: str = ""

    def __post_init__(self) -> None:
        for name in ("program", "data", "backups"):
            (self.directory / name).mkdir(mode=0o700)
        if self.cluster:
            (url,) = re.findall(r"`DATABASE_URL=(\S+)`", DOCUMENT)
            self.database_url = url.replace("5432", str(self.cluster.port))
        self.env_file = self.directory / "program" / ".env"
        self.env_file.write_text(self.placed(block("ini", "RUBBERDUCK_ALLOWED_HOSTS")))
        self.web: Web | None = None

    def placed(self, text: str) -> str:
        """The document's text, for this place."""
        for there, here in (("/var/lib/rubberduck", "data"), ("/var/backups/rubberduck", "backups")):
            text = text.replace(there, str(self.directory / here))
        text = text.replace("sudo -u postgres ", "PGUSER=postgres PGHOST=127.0.0.1 ")
        text = text.replace("--pwprompt ", "").replace(" manage.py", f" {ROOT}/manage.py")
        return text.replace(".venv/bin/python", sys.executable)

    def run(self, *blocks: str, **variables: str) -> str:
        """Runs blocks of the document, one after the other, in the directory of the program; what they print."""
        script = "\n".join(["set -eu", *map(self.placed, blocks)])
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": "PASSWORD", **variables}
        if self.cluster:
            environment |= self.cluster.environment
        if self.web:
            environment = {**self.web.environment, **environment}
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=self.directory / "program",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def serving(self) -> Iterator[Web]:
        """Beside the web, a supervisor is not needed here."""
        web = Web(self.directory / "data", Provider(url="http://127.0.0.1:9"), self.database_url)
        web.environment["RUBBERDUCK_ENV_FILE"] = str(self.env_file)
        self.web = web
        try:
            web.start()
            yield web
        finally:
            web.close()
            self.web = None

    @contextlib.contextmanager
    def nginx(self, web: Web) -> Iterator[tuple[int, int, ssl.SSLContext]]:
        """The ports for https and for http, and who trusts the certificate."""
        place, tls_port, plain_port = self.directory / "nginx", free_port(), free_port()
        place.mkdir(exist_ok=True)
        authority = trustme.CA()
        certificate = authority.issue_cert(HOST, "127.0.0.1")
        certificate.cert_chain_pems[0].write_to_path(place / "fullchain.pem")
        certificate.private_key_pem.write_to_path(place / "privkey.pem")
        site = block("nginx", "listen 443").replace(f"/etc/letsencrypt/live/{HOST}", str(place))
        site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{tls_port} ssl")
        site = site.replace("listen 80", f"listen 127.0.0.1:{plain_port}")
        site = site.replace("127.0.0.1:8000", f"127.0.0.1:{web.port}")
        temporary = "".join(
            f"{kind}_temp_path {place}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (place / "nginx.conf").write_text(
            f"daemon off;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}{site}}}\n"
        )
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        with running(["nginx", "-p", str(place), "-e", f"{place}/error.log", "-c", f"{place}/nginx.conf"], tls_port):
            yield tls_port, plain_port, trust


@contextlib.contextmanager
def surfing(web: Web, tls_port: int, trust: ssl.SSLContext) -> Iterator[Browser]:
    """A browser that comes by https through nginx."""
    browser = Browser(web)
    browser.http.close()
    browser.http = httpx.Client(
        base_url=f"https://127.0.0.1:{tls_port}",
        headers={"host": HOST, "origin": f"https://{HOST}"},
        verify=trust,
        timeout=60,
        trust_env=False,
    )
    with browser:
        yield browser


@pytest.fixture(params=["sqlite", "postgresql"])
def make_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    def make(name: str) -> Server:
        (tmp_path / name).mkdir()
        return Server(tmp_path / name, cluster)

    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(postgres_cluster()) if request.param == "postgresql" else None
        yield make


def get(port: int, trust: ssl.SSLContext, path: str, **headers: str) -> httpx.Response:
    """By https through nginx, from 127.0.0.2."""
    named = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    transport = httpx.HTTPTransport(verify=trust, local_address="127.0.0.2")
    with httpx.Client(transport=transport, timeout=60, trust_env=False) as client:
        return client.get(f"https://127.0.0.1:{port}{path}", headers=named)


def handshake(port: int, trust: ssl.SSLContext) -> httpx.Response:
    """What a websocket's is answered with."""
    return get(
        port,
        trust,
        "/ws/nothing",
        origin=f"https://{HOST}",
        connection="Upgrade",
        upgrade="websocket",
        sec_websocket_version="13",
        sec_websocket_key=base64.b64encode(b"0123456789abcdef").decode(),
    )


def test_a_backup_brings_accounts_tokens_and_second_factors_back(make_server: Callable[[str], Server]) -> None:
    first = make_server("first")
    if first.cluster:
        first.run(block("sh", "createuser"))
    with first.serving() as web, first.nginx(web) as (tls_port, _, trust):
        web.add_account(ADDRESS, is_staff=True, is_superuser=True)
        with surfing(web, tls_port, trust) as browser:
            secret = set_up(browser, ADDRESS)
        token = first.run(block("sh", "createtoken")).strip()
        assert token.startswith("rdk_")
        backup = block("sh", "pg_dump") if first.cluster else block("sh", "VACUUM INTO")
        first.run(block("sh", "install --directory --mode 0700 $BACKUP"), backup)
    (kept,) = (first.directory / "backups").iterdir()
    assert {path.name for path in kept.iterdir()} == {
        *(".env", "secret_key"),
        "rubberduck.dump" if first.cluster else "db.sqlite3",
    }
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700

    second = make_server("second")
    (kept / ".env").rename(second.env_file)
    second.env_file.write_text(second.env_file.read_text().replace(str(first.directory), str(second.directory)))
    (kept / "secret_key").rename(second.directory / "data" / "secret_key")
    second.run(block("sh", "dropdb" if second.cluster else "rm --force"), BACKUP=str(kept))
    with second.serving() as web, second.nginx(web) as (tls_port, _, trust):
        web.forget_attempts()  # the code that was used a moment ago
        me = get(tls_port, trust, "/api/v1/me", authorization=f"Bearer {token}")
        assert (me.status_code, me.json()["email"]) == (200, ADDRESS)
        with surfing(web, tls_port, trust) as browser:
            assert browser.log_in(ADDRESS).pending == ["mfa_authenticate"]
            assert with_code(secret, lambda code: browser.post("auth/2fa/authenticate", code=code)).status == 200
            assert browser.is_signed_in()


def test_nginx_in_front_does_as_the_document_has_it(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", None)
    with server.serving() as web, server.nginx(web) as (tls_port, plain_port, trust):
        plain = httpx.get(f"http://127.0.0.1:{plain_port}/admin/?x=1", headers={"host": HOST}, timeout=60)
        assert (plain.status_code, plain.headers["location"]) == (301, f"https://{HOST}/admin/?x=1")
        page = get(tls_port, trust, "/admin/login/")
        assert page.status_code == 200
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert "; Secure" in page.headers["set-cookie"]
        assert get(tls_port, trust, "/healthz").json()["database"] == "ok"
        assert get(tls_port, trust, "/readyz").status_code == 503  # there is no supervisor
        assert httpx.get(f"http://127.0.0.1:{web.port}/healthz", timeout=60).status_code == 200

        # What a client says about itself is not believed. One at 127.0.0.1 would be: that address is trusted.
        assert get(tls_port, trust, "/api/v1/setup", x_forwarded_proto="http").status_code == 200
        for blocked, status in (("192.0.2.7", 200), ("127.0.0.2", 403)):
            web.set_site(global_block=[blocked])
            reply = get(tls_port, trust, "/api/v1/setup", x_forwarded_for="192.0.2.7")
            assert reply.status_code == status
        web.set_site()
        assert get(tls_port, trust, "/api/v1/setup").json() == {"needed": True, "code_needed": True}

        # A websocket reaches what answers websockets, which refuses this path; to a mere GET the path is unknown.
        assert handshake(tls_port, trust).status_code == 403
        assert get(tls_port, trust, "/ws/nothing").status_code == 404


def test_the_unit_names_places_that_the_commands_make() -> None:
    unit, commands = block("ini", "[Unit]"), block("sh", "useradd")
    for place in ("/opt/rubberduck", "/var/lib/rubberduck", "/var/backups/rubberduck"):
        assert place in commands
    assert "WorkingDirectory=/opt/rubberduck\n" in unit
    (program, script) = re.findall(r"^ExecStart=/opt/rubberduck/(\S+) (\S+)$", unit, re.MULTILINE)[0]
    assert f"{program} {script}" in block("sh", "scripts/run.py")
    assert (ROOT / script).is_file()
    assert "StateDirectory=rubberduck\n" in unit
    assert "User=rubberduck\n" in unit
    stop_s = int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0])
    runner = (ROOT / "scripts" / "run.py").read_text()
    extra_s = float(re.findall(r"^SUPERVISOR_EXTRA_S = ([\d.]+)", runner, re.MULTILINE)[0])
    assert stop_s >= 30 + extra_s
