"""An OAuth 2 and OpenID Connect provider on loopback: Google's way (id_token) and GitHub's (user and e-mail endpoints).

It checks what a provider checks: client, redirect address, PKCE, that a code is used once and by whom it was asked for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

CLIENTS = {"google": ("google-client", "google-secret"), "github": ("github-client", "github-secret")}
KEY_ID = "key-1"


@dataclass
class Person:
    """Who is signed in at the provider. `emails`: address -> whether it is verified; the first is the primary."""

    uid: int
    name: str
    emails: dict[str, bool]


@dataclass
class Grant:
    provider: str
    redirect_uri: str
    challenge: str
    person: Person


@dataclass
class Provider:
    """`person` None: whoever is asked says no."""

    url: str = ""
    person: Person | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, Person] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def id_token(self, person: Person, *, key: Any = None, **claims: Any) -> str:
        """As Google signs it; `key` signs in its place."""
        email, is_verified = next(iter(person.emails.items()))
        payload = {
            "iss": f"{self.url}/google",
            "aud": CLIENTS["google"][0],
            "sub": str(person.uid),
            "email": email,
            "email_verified": is_verified,
            "given_name": person.name,
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            **claims,
        }
        return jwt.encode(payload, key or self.key, algorithm="RS256", headers={"kid": KEY_ID})

    def certificates(self) -> dict[str, str]:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        return {KEY_ID: certificate.public_bytes(serialization.Encoding.PEM).decode()}

    def authorize(self, provider: str, query: dict[str, str]) -> str:
        """Where the browser is sent."""
        self.asked.append(query)
        assert query["client_id"] == CLIENTS[provider][0]
        assert query["response_type"] == "code"
        answer = {"state": query["state"]}
        if self.person is None:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe()
            assert query["code_challenge_method"] == "S256"
            self.grants[answer["code"]] = Grant(provider, query["redirect_uri"], query["code_challenge"], self.person)
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def exchange(self, provider: str, form: dict[str, str]) -> dict[str, Any] | None:
        """What a code is worth; None when it is worth nothing."""
        grant = self.grants.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            grant is None
            or (grant.provider, grant.redirect_uri) != (provider, form.get("redirect_uri"))
            or (form.get("client_id"), form.get("client_secret")) != CLIENTS[provider]
            or base64.urlsafe_b64encode(verifier).decode().rstrip("=") != grant.challenge
        ):
            return None
        token = secrets.token_urlsafe()
        self.tokens[token] = grant.person
        reply: dict[str, Any] = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
        if provider == "google":
            reply["id_token"] = self.id_token(grant.person)
        return reply


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/google/authorize":
                self.redirect(self.provider.authorize("google", query))
            case "/login/oauth/authorize":
                self.redirect(self.provider.authorize("github", query))
            case "/google/certs":
                self.answer(200, self.provider.certificates())
            case "/api/v3/user" if person := self.bearer():
                # GitHub shows an address here only when its owner has made it public.
                self.answer(200, {"id": person.uid, "login": person.name.lower(), "name": person.name, "email": None})
            case "/api/v3/user/emails" if person := self.bearer():
                emails = [
                    {"email": email, "verified": is_verified, "primary": number == 0}
                    for number, (email, is_verified) in enumerate(person.emails.items())
                ]
                self.answer(200, emails)
            case _:
                self.answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        provider = {"/google/token": "google", "/login/oauth/access_token": "github"}[self.path]
        reply = self.provider.exchange(provider, form)
        self.answer(200 if reply else 400, reply or {"error": "invalid_grant"})

    def bearer(self) -> Person | None:
        return self.provider.tokens.get(self.headers.get("authorization", "").rpartition(" ")[2])

    def redirect(self, place: str) -> None:
        self.send_response(302)
        self.send_header("location", place)
        self.send_header("content-length", "0")
        self.end_headers()

    def answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    handler = type("ProviderHandler", (Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
