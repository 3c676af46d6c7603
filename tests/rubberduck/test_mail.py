"""How mail is configured, and that every way really delivers."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from rubberduck.mail import mail

ROOT = Path(settings.BASE_DIR)


def test_without_anything_mails_go_to_the_console() -> None:
    assert mail("", "") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.com", 25, False, False),
        ("smtp+tls://mail.example.com", 587, True, False),
        ("smtps://mail.example.com", 465, False, True),
        ("smtps://mail.example.com:2465", 2465, False, True),
    ],
)
def test_a_url_names_a_mail_server(url: str, port: int, tls: bool, ssl: bool) -> None:
    found = mail(url, "")
    assert found["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.com", port)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (tls, ssl)


def test_user_and_password_are_decoded() -> None:
    found = mail("smtp+tls://duck%40example.com:p%2Fa%40ss@mail.example.com:587", "")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("duck@example.com", "p/a@ss")


def test_sendgrid_wins_over_a_url() -> None:
    found = mail("smtp://mail.example.com", "SG.key")
    assert found["EMAIL_BACKEND"] == "anymail.backends.sendgrid.EmailBackend"
    assert found["ANYMAIL"]["SENDGRID_API_KEY"] == "SG.key"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("mail.example.com", "scheme"),
        ("http://u:secret@mail.example.com", "scheme"),
        ("smtp://", "host"),
        ("smtps://u:secret@mail.example.com:port", "host and port"),
        ("smtps://u:sec/ret@mail.example.com", "host and port"),
        ("smtps://u:secret@mail.example.com/x", "nothing may follow"),
        ("smtps://mail.example.com?secret=1", "nothing may follow"),
        ("smtp://u:secret@mail.example.com", "in the clear"),
        ("file://host/directory", "path"),
        ("file:///", "path"),
    ],
)
def test_a_bad_url_is_refused_by_its_part_and_not_repeated(url: str, part: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^EMAIL_URL: .*{part}") as refusal:
        mail(url, "")
    assert "secret" not in str(refusal.value)


def test_a_password_may_go_to_this_very_machine_in_the_clear() -> None:
    assert mail("smtp://u:p@127.0.0.1:1025", "")["EMAIL_HOST_PASSWORD"] == "p"


# --- real deliveries


def send(directory: Path, code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`send_mail` of a process with this environment; `code` runs before."""
    base = {"PATH": os.environ["PATH"], "RUBBERDUCK_ENV_FILE": "", "RUBBERDUCK_DATA_DIR": str(directory)}
    call = "from django.core.mail import send_mail; send_mail('A duck', 'Quack.', None, ['ada@example.com'])"
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", f"{code}\n{call}"],
        env={**base, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a mail needs."""

    received: list[list[str]]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        said: list[str] = []
        self.received.append(said)
        is_text = False
        for line in self.rfile:
            text = line.decode().rstrip("\r\n")
            said.append(text)
            if is_text:
                is_text = text != "."
                if not is_text:
                    self.wfile.write(b"250 taken\r\n")
            elif text.lower() == "data":
                is_text = True
                self.wfile.write(b"354 go on\r\n")
            elif text.lower() == "quit":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 yes\r\n")


@pytest.fixture
def smtp() -> Iterator[tuple[int, list[list[str]]]]:
    received: list[list[str]] = []
    handler = type("SmtpHandler", (Smtp,), {"received": received})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], received
        server.shutdown()
        thread.join()


def test_mail_is_sent_by_smtp(tmp_path: Path, smtp: tuple[int, list[list[str]]]) -> None:
    port, received = smtp
    done = send(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{port}", RUBBERDUCK_MAIL_FROM="Duck <duck@example.net>")
    assert done.returncode == 0, done.stderr
    ((*said,),) = received
    assert "rcpt TO:<ada@example.com>" in said
    assert {"Subject: A duck", "From: Duck <duck@example.net>", "Quack."} <= set(said)


def test_mail_is_sent_by_sendgrid(tmp_path: Path) -> None:
    received: list[tuple[str, str | None, dict[str, Any]]] = []

    class Sendgrid(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            received.append((self.path, self.headers["authorization"], body))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Sendgrid) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v3/"
        code = f"from django.conf import settings; settings.ANYMAIL['SENDGRID_API_URL'] = {url!r}"
        done = send(tmp_path, code, SENDGRID_API_KEY="SG.key", RUBBERDUCK_MAIL_FROM="Duck <duck@example.net>")
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    ((path, authorization, body),) = received
    assert (path, authorization) == ("/v3/mail/send", "Bearer SG.key")
    assert body["from"] == {"email": "duck@example.net", "name": "Duck"}
    assert body["personalizations"][0]["to"] == [{"email": "ada@example.com"}]


def test_mail_is_printed_without_anything(tmp_path: Path) -> None:
    done = send(tmp_path)
    assert "Subject: A duck" in done.stdout
    assert "From: Rubberduck <rubberduck@localhost>" in done.stdout
