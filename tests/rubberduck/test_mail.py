"""How mail is configured, and that every way really delivers."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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


SEND = """
from allauth.core import context
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from accounts.adapters import AccountAdapter
request = RequestFactory().get("/", headers={"host": "duck.example.com"})
request.allauth = None
with context.request_context(request):
    try:
        AccountAdapter(request).send_mail("account/email/password_reset_code", "ada@example.com", {"code": "BCDF-GHJK"})
    except ValidationError as refused:
        print(refused.code)
"""


def send(directory: Path, code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The mail with the code for a new password, sent by a process with this environment; `code` runs before."""
    base = {
        "PATH": os.environ["PATH"],
        "RUBBERDUCK_ENV_FILE": "",
        "RUBBERDUCK_DATA_DIR": str(directory),
        "RUBBERDUCK_ALLOWED_HOSTS": "duck.example.com",
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", f"{code}\n{SEND}"],
        env={**base, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def check_parts(message: EmailMessage) -> None:
    """Both forms hold the code, and the page's picture comes with it."""
    assert message["subject"] == "Your code for a new password"
    assert message["to"] == "ada@example.com"
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "BCDF-GHJK" in text.get_content()
    assert "BCDF-GHJK" in page.get_content()
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert f"cid:{picture['content-id'].strip('<>')}" in page.get_content()


class Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a mail needs. `tls`: what STARTTLS, which must come first, is answered with."""

    received: list[list[str]]
    tls: ssl.SSLContext | None = None

    def handle(self) -> None:
        said: list[str] = []
        self.received.append(said)
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            said.append(line.decode().rstrip("\r\n"))
            word = said[-1].partition(" ")[0].lower()
            if word == "data":
                self.wfile.write(b"354 go on\r\n")
                while said[-1] != ".":
                    said.append(self.rfile.readline().decode().rstrip("\r\n"))
            if word == "ehlo":
                self.wfile.write(b"250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
            elif word == "starttls" and self.tls:
                self.wfile.write(b"220 begin\r\n")
                try:
                    self.connection = self.tls.wrap_socket(self.connection, server_side=True)
                except ssl.SSLError:  # the client does not know the certificate
                    return
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            elif word == "quit":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"235 welcome\r\n" if word == "auth" else b"250 yes\r\n")

    def finish(self) -> None:
        super().finish()
        self.connection.close()


@contextmanager
def smtp_server(
    starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[list[str]]]]:
    """Its port, and what the lines of each connection were; with one, TLS on demand or from the first byte."""
    received: list[list[str]] = []
    handler = type("SmtpHandler", (Smtp,), {"received": received, "tls": starttls})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], received
        server.shutdown()
        thread.join()


def certificate(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server on 127.0.0.1 shows, and the file by which it is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    own, trusted = directory / "server.pem", directory / "trusted.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    own.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + trusted.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context, trusted


def test_mail_is_sent_by_smtp(tmp_path: Path) -> None:
    with smtp_server() as (port, received):
        done = send(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{port}", RUBBERDUCK_MAIL_FROM="Duck <duck@example.net>")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    ((*said,),) = received
    assert "rcpt TO:<ada@example.com>" in said
    message = message_from_string("\n".join(said[said.index("data") + 1 : said.index(".")]), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message["from"] == "Duck <duck@example.net>"
    check_parts(message)


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtps"])
def test_a_password_goes_to_a_mail_server_that_is_known_and_encrypted(tmp_path: Path, scheme: str) -> None:
    context, trusted = certificate(tmp_path)
    with smtp_server(**{"starttls" if scheme == "smtp+tls" else "tls": context}) as (port, received):
        url = f"{scheme}://ada:pass%40word@127.0.0.1:{port}"
        stranger = send(tmp_path, EMAIL_URL=url)
        assert stranger.stdout == "mail_not_sent\n"
        assert "SSLCertVerificationError" in stranger.stderr
        assert not [line for said in received for line in said if line.lower().startswith(("auth", "mail"))]
        done = send(tmp_path, EMAIL_URL=url, SSL_CERT_FILE=str(trusted))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    said = received[-1]
    assert "AUTH PLAIN " + b64encode(b"\0ada\0pass@word").decode() in said
    if scheme == "smtp+tls":
        assert said[1].lower() == "starttls"
    assert "BCDF-GHJK" in said


def test_a_mail_server_that_is_away_is_said_and_its_password_is_not(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and does not listen
        url = f"smtp://ada:planted-password@127.0.0.1:{sock.getsockname()[1]}"
        done = send(tmp_path, EMAIL_URL=url)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "mail_not_sent\n"
    assert "could not be sent: ConnectionRefusedError" in done.stderr
    for told in ("planted-password", "ada@example.com"):
        assert told not in done.stdout + done.stderr


@contextmanager
def sendgrid(status: int) -> Iterator[tuple[str, list[tuple[str, str | None, dict[str, Any]]]]]:
    """Code that leads to a stand-in for SendGrid, and what was asked of it: path, authorization, body."""
    received: list[tuple[str, str | None, dict[str, Any]]] = []

    class Sendgrid(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            received.append((self.path, self.headers["authorization"], body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Sendgrid) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v3/"
        yield f"from django.conf import settings; settings.ANYMAIL['SENDGRID_API_URL'] = {url!r}", received
        server.shutdown()
        thread.join()


def test_mail_is_sent_by_sendgrid(tmp_path: Path) -> None:
    with sendgrid(202) as (code, received):
        done = send(tmp_path, code, SENDGRID_API_KEY="SG.key", RUBBERDUCK_MAIL_FROM="Duck <duck@example.net>")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    ((path, authorization, body),) = received
    assert (path, authorization) == ("/v3/mail/send", "Bearer SG.key")
    assert body["from"] == {"email": "duck@example.net", "name": "Duck"}
    (person,) = body["personalizations"]
    assert person["to"] == [{"email": "ada@example.com"}]
    assert (person.get("subject") or body["subject"]) == "Your code for a new password"
    text, page = body["content"]
    assert (text["type"], page["type"]) == ("text/plain", "text/html")
    assert "BCDF-GHJK" in text["value"]
    assert "BCDF-GHJK" in page["value"]
    (picture,) = body["attachments"]
    assert (picture["disposition"], picture["type"]) == ("inline", "image/png")
    assert f"cid:{picture['content_id']}" in page["value"]


@pytest.mark.parametrize("status", [401, 500])
def test_a_mail_that_sendgrid_refuses_is_said_and_the_key_is_not(tmp_path: Path, status: int) -> None:
    with sendgrid(status) as (code, received):
        done = send(tmp_path, code, SENDGRID_API_KEY="SG.planted-key")
    assert len(received) == 1
    assert done.stdout == "mail_not_sent\n"
    assert "could not be sent: AnymailRequestsAPIError" in done.stderr
    for told in ("planted-key", "ada@example.com", "BCDF-GHJK"):
        assert told not in done.stdout + done.stderr


def test_mail_is_printed_without_anything(tmp_path: Path) -> None:
    done = send(tmp_path)
    assert "Subject: Your code for a new password" in done.stdout
    assert "From: Rubberduck <rubberduck@localhost>" in done.stdout
    assert "\nBCDF-GHJK\n" in done.stdout
