"""The first account: over HTTP against the real web server, and by strangers who would like to make it."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

from accounts.errors import Conflict, NotAllowed, TooManyAttempts
from accounts.models import User
from accounts.setup import (
    CODE_PAUSE_S,
    CODE_TRIES,
    CODE_VALID_S,
    first_account_create,
    setup_check_code,
    setup_needs_code,
    setup_offer_code,
)
from tests.accounts.provider import Provider
from tests.accounts.serving import PASSWORD, Web, database_of_its_own

ACCOUNT = {"email": "First@Example.com", "password": PASSWORD}
SETUP = "/api/v1/setup"


# --- the code, with a clock that is moved


@pytest.fixture
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", capsys.readouterr().err)


def test_a_code_is_printed_once_and_kept_hashed(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup_offer_code(1000.0)
    setup_offer_code(1000.0 + CODE_VALID_S - 1)
    (code,) = printed(capsys)
    kept = data_dir / "setup_code"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert code not in kept.read_text()
    assert code.replace("-", "") not in kept.read_text()
    setup_check_code(f" {code.replace('-', ' ').lower()} ", 1001.0)
    assert printed(capsys) == []


def test_a_code_ends_after_its_time(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup_offer_code(1000.0)
    (old,) = printed(capsys)
    with pytest.raises(NotAllowed, match="not the code on the console"):
        setup_check_code(old, 1000.0 + CODE_VALID_S)
    (new,) = printed(capsys)
    assert new != old
    setup_check_code(new, 1001.0 + CODE_VALID_S)


def test_guesses_are_few_and_then_there_is_another_code(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup_offer_code(1000.0)
    (code,) = printed(capsys)
    for _ in range(CODE_TRIES):
        with pytest.raises(NotAllowed):
            setup_check_code("AAAA-AAAA-AAAA", 1001.0)
    with pytest.raises(TooManyAttempts, match="60 s"):
        setup_check_code(code, 1001.0)
    setup_offer_code(1002.0)
    assert printed(capsys) == []
    with pytest.raises(NotAllowed):
        setup_check_code(code, 1001.0 + CODE_PAUSE_S)
    (new,) = printed(capsys)
    setup_check_code(new, 1002.0 + CODE_PAUSE_S)


def test_a_code_on_the_console_of_a_process_that_is_gone_is_replaced(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup_offer_code(1000.0)
    printed(capsys)
    kept = data_dir / "setup_code"
    ours = kept.read_text()
    for pid, is_replaced in ((os.getppid(), False), (2**22 + 1, True), (os.getpid(), True)):
        kept.write_text(
            re.sub(r'"process": "\w+"', '"process": "another"', ours).replace(f": {os.getpid()},", f": {pid},")
        )
        setup_offer_code(1001.0)
        assert bool(printed(capsys)) is is_replaced, pid


@pytest.mark.parametrize(
    ("peer", "headers", "changes", "needs_code"),
    [
        ("127.0.0.1", {}, {}, False),
        ("::1", {}, {}, False),
        ("192.0.2.7", {}, {}, True),
        ("", {}, {}, True),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, {}, True),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, {}, True),
        ("127.0.0.1", {"X-Forwarded-Server": "duck"}, {}, True),
        ("127.0.0.1", {"x-forwarded-port": "443"}, {}, True),
        ("127.0.0.1", {"CF-Connecting-IP": "192.0.2.7"}, {}, True),
        ("127.0.0.1", {"True-Client-IP": "192.0.2.7"}, {}, True),
        ("127.0.0.1", {"X-Client-IP": "192.0.2.7"}, {}, True),
        ("127.0.0.1", {}, {"WEB_BIND": ("0.0.0.0", 8000)}, True),
        ("127.0.0.1", {}, {"EXTRA_HOSTS": ["duck.example.com"]}, True),
        ("127.0.0.1", {}, {"HTTPS": True}, True),
    ],
)
def test_only_a_browser_on_this_machine_needs_no_code(
    settings: Settings, peer: str, headers: dict[str, str], changes: dict[str, object], needs_code: bool
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert setup_needs_code(peer=peer, headers=headers) is needs_code


def test_something_in_front_that_adds_no_header_is_known_by_its_protocol() -> None:
    assert setup_needs_code(peer="127.0.0.1", headers={}, http_version="1.0")
    assert not setup_needs_code(peer="127.0.0.1", headers={}, http_version="1.1")


@pytest.mark.django_db
def test_there_is_one_first_account(data_dir: Path) -> None:
    user = first_account_create(**ACCOUNT)
    assert (user.email, user.is_staff, user.is_superuser) == ("first@example.com", True, True)
    assert user.emailaddress_set.get().verified
    with pytest.raises(Conflict, match="There is an account already"):
        first_account_create(email="second@example.com", password=PASSWORD)
    assert User.objects.count() == 1


# --- over HTTP


@pytest.fixture(scope="module")
def _empty_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    for url in database_of_its_own(os.environ.get("DATABASE_URL", ""), f"setup_{worker}"):
        web = Web(tmp_path_factory.mktemp("web"), Provider(url="http://127.0.0.1:9"), url)
        del web.environment["RUBBERDUCK_TRUSTED_PROXIES"]
        try:
            web.start()
            yield web
        finally:
            web.close()


@pytest.fixture
def web(_empty_web: Web) -> Web:
    """Without an account."""
    _empty_web.ask("""
from accounts.models import User
from proxies.models import Proxy
User.objects.all().delete()
Proxy.objects.all().delete()
result = None
""")
    return _empty_web


@contextmanager
def visitor(web: Web, **headers: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def set_up(client: httpx.Client, **fields: str) -> httpx.Response:
    """As a page does it: looks first, then posts with the token."""
    client.get(SETUP)
    return client.post(SETUP, json={**ACCOUNT, **fields}, headers={"x-csrftoken": client.cookies["csrftoken"]})


def accounts(web: Web) -> list[list[object]]:
    code = "from accounts.models import User\nresult = list(User.objects.values_list('email', 'is_staff'))"
    found: list[list[object]] = web.ask(code)
    return found


def test_the_first_account_is_made_signed_in_and_adopts_proxies(web: Web) -> None:
    web.ask("""
from proxies.models import Proxy
for name in "ab":
    Proxy.objects.create(name=name, provider="openai", port=50000 + ord(name))
result = None
""")
    with visitor(web) as client:
        assert client.get(SETUP).json() == {"needed": True, "code_needed": False}
        assert client.get("/api/v1/auth-options").json()["setup_needed"]
        reply = set_up(client, name="Ada")
        assert (reply.status_code, reply.json()["email"], reply.json()["is_staff"]) == (201, "first@example.com", True)
        assert client.get("/api/v1/me").json()["name"] == "Ada"
        assert client.get("/admin/").status_code == 200
        session = client.get("/_allauth/browser/v1/auth/session").json()
        assert (session["meta"]["is_authenticated"], session["data"]["methods"][0]["method"]) == (True, "password")
        assert client.get(SETUP).json() == {"needed": False, "code_needed": False}
    owners = web.ask(
        "from proxies.models import Proxy\nresult = list(Proxy.objects.values_list('owner__email', flat=True))"
    )
    assert owners == ["first@example.com"] * 2
    with visitor(web) as client:
        reply = set_up(client, email="second@example.com")
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "conflict")
    assert accounts(web) == [["first@example.com", True]]
    with visitor(web) as client:  # no mail has to be answered
        client.get("/_allauth/browser/v1/config")
        reply = client.post(
            "/_allauth/browser/v1/auth/login",
            json={"email": "first@example.com", "password": PASSWORD},
            headers={"x-csrftoken": client.cookies["csrftoken"]},
        )
        assert reply.status_code == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "first"}, "email"),
        ({"email": ""}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "first@example.com"}, "password"),
        ({"name": "x" * 151}, "name"),
        ({"role": "king"}, "role"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(web: Web, fields: dict[str, str], field: str) -> None:
    with visitor(web) as client:
        reply = set_up(client, **fields)
        assert (reply.status_code, list(reply.json()["error"]["fields"])) == (400, [field])
    assert accounts(web) == []


def test_of_two_at_the_same_time_one_makes_the_account(web: Web) -> None:
    replies: list[httpx.Response] = []
    together = threading.Barrier(4)

    def hurry(number: int) -> None:
        with visitor(web) as client:
            client.get(SETUP)
            together.wait(30)
            token = {"x-csrftoken": client.cookies["csrftoken"]}
            account = {"email": f"u{number}@example.com", "password": PASSWORD}
            replies.append(client.post(SETUP, json=account, headers=token))

    threads = [threading.Thread(target=hurry, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status_code for reply in replies) == [201, 409, 409, 409]
    winner = next(reply.json()["email"] for reply in replies if reply.status_code == 201)
    assert accounts(web) == [[winner, True]]


def test_a_foreign_page_cannot_make_the_account(web: Web) -> None:
    with visitor(web) as client:
        client.get(SETUP)
        token = client.cookies["csrftoken"]
        for headers in ({}, {"x-csrftoken": token, "origin": "https://evil.example.com"}, {"x-csrftoken": "a" * 32}):
            reply = client.post(SETUP, json=ACCOUNT, headers=headers)
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_allowed"), headers
        assert client.post("/setup", data=ACCOUNT).status_code == 403
        rebound = client.get(SETUP, headers={"host": "evil.example.com"})
        assert rebound.status_code == 400
    assert accounts(web) == []


def code_on_console(web: Web) -> str:
    codes: list[str] = re.findall(r"first account is ([A-Z2-9-]{14}) ", web.log)
    return codes[-1]


def test_who_comes_from_elsewhere_needs_the_code_on_the_console(web: Web) -> None:
    # What stands in front of the web on the same machine tells by this header that there is somebody else.
    with visitor(web, **{"x-forwarded-for": "192.0.2.7"}) as client:
        assert client.get(SETUP).json() == {"needed": True, "code_needed": True}
        code = code_on_console(web)
        for wrong in ("", "AAAA-AAAA-AAAA"):
            reply = set_up(client, code=wrong)
            assert (reply.status_code, reply.json()["error"]["fields"]) == (
                403,
                {"code": "Not the code on the console."},
            )
        assert code not in reply.text
        reply = set_up(client, code=code, password="short")  # which does not use the code up
        assert (reply.status_code, list(reply.json()["error"]["fields"])) == (400, ["password"])
        assert set_up(client, code=code).status_code == 201
    assert not (Path(web.environment["RUBBERDUCK_DATA_DIR"]) / "setup_code").exists()


def test_who_comes_through_a_server_that_says_nothing_of_it_needs_the_code_too(web: Web) -> None:
    """nginx, with `proxy_pass` alone."""
    reply = b""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as sock:
        sock.sendall(f"GET {SETUP} HTTP/1.0\r\nHost: 127.0.0.1:{web.port}\r\nConnection: close\r\n\r\n".encode())
        while part := sock.recv(65536):
            reply += part
    assert b'"code_needed": true' in reply


def test_guessing_the_code_ends_soon(web: Web) -> None:
    with visitor(web, **{"x-real-ip": "192.0.2.7"}) as client:
        codes = [set_up(client, code=f"AAAA-AAAA-AAA{number}").status_code for number in range(2, 9)]
        assert codes == [403] * CODE_TRIES + [429] * 2
        page = client.get("/setup")
        form = {**ACCOUNT, "code": code_on_console(web), "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        reply = client.post("/setup", data=form)
        assert (page.status_code, reply.status_code) == (200, 429)
    (Path(web.environment["RUBBERDUCK_DATA_DIR"]) / "setup_code").unlink()
    assert accounts(web) == []
