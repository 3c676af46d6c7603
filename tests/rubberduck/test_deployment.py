"""The environment that docs/deployment.md recommends: complete, and safe as seen by a browser behind TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from rubberduck.env import read_env_file
from tests.accounts.provider import Provider
from tests.accounts.serving import Web
from tests.rubberduck.test_settings import run_manage

DOCUMENT = (Path(settings.BASE_DIR) / "docs" / "deployment.md").read_text()
HOST = "duck.example.com"
# What nginx sends on, as the document has it.
BEHIND_TLS = {"host": HOST, "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7"}


def documented(directory: Path) -> dict[str, str]:
    """The first block of settings, but for the place of the data."""
    block = re.search(r"^```ini\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert block
    (directory / "documented.env").write_text(block[1])
    variables = read_env_file(directory / "documented.env")
    assert variables.pop("RUBBERDUCK_DATA_DIR") == "/var/lib/rubberduck"
    return variables


def test_the_check_for_deployment_finds_nothing(tmp_path: Path) -> None:
    variables = documented(tmp_path)
    assert variables["RUBBERDUCK_ALLOWED_HOSTS"] == HOST
    done = run_manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "no issues" in done.stdout


def test_without_it_the_check_has_something_to_say(tmp_path: Path) -> None:
    done = run_manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", RUBBERDUCK_WEB_BIND="0.0.0.0:8000")
    assert done.returncode == 1
    assert "rubberduck.W001" in done.stderr
    assert "rubberduck.W003" in done.stderr


def test_every_command_for_manage_exists(tmp_path: Path) -> None:
    commands = set(re.findall(r"\.venv/bin/python manage\.py (\w+)", DOCUMENT, re.MULTILINE))
    assert commands == {"check", "createsuperuser", "createtoken"}
    for command in commands:
        assert run_manage(tmp_path, command, "--help").returncode == 0


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    directory = tmp_path_factory.mktemp("web")
    web = Web(directory, Provider(url="http://127.0.0.1:9"), "")
    web.environment |= documented(directory)
    try:
        web.start()
        yield web
    finally:
        web.close()


@pytest.fixture
def browser(web: Web) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, headers=BEHIND_TLS, timeout=60, trust_env=False) as client:
        yield client


def test_cookies_are_for_https_alone_and_browsers_remember_it(browser: httpx.Client) -> None:
    reply = browser.get("/admin/login/")
    assert reply.status_code == 200
    assert reply.headers["strict-transport-security"] == "max-age=31536000"
    (cookie,) = reply.headers.get_list("set-cookie")
    assert cookie.startswith("csrftoken=")
    assert "; Secure" in cookie
    assert "SameSite=Lax" in cookie


def test_a_session_is_for_https_and_for_the_server_alone(web: Web, browser: httpx.Client) -> None:
    web.ask(
        "from accounts.models import User\nUser.objects.create_superuser('a@example.com', 'pass-word-7')\nresult = None"
    )
    page = browser.get("/admin/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    cookie = f"csrftoken={page.cookies['csrftoken']}"  # httpx keeps it for https, and this is plain HTTP to the server
    form = {"username": "a@example.com", "password": "pass-word-7", "csrfmiddlewaretoken": token[1]}
    foreign = browser.post("/admin/login/", data=form, headers={"cookie": cookie, "origin": "https://evil.example.com"})
    assert foreign.status_code == 403
    reply = browser.post(
        "/admin/login/?next=/admin/", data=form, headers={"cookie": cookie, "origin": f"https://{HOST}"}
    )
    assert reply.status_code == 302
    session = next(one for one in reply.headers.get_list("set-cookie") if one.startswith("rubberduck_session"))
    assert "; Secure" in session
    assert "HttpOnly" in session
    web.ask("from accounts.models import User\nUser.objects.all().delete()\nresult = None")


def test_plain_requests_are_led_to_https_but_for_those_of_load_balancers(web: Web) -> None:
    with httpx.Client(base_url=web.url, headers={"host": HOST}, timeout=60, trust_env=False) as client:
        for path in ("/", "/admin/", "/api/v1/me"):
            reply = client.get(path)
            assert (reply.status_code, reply.headers["location"]) == (301, f"https://{HOST}{path}")
            assert "set-cookie" not in reply.headers
        assert client.get("/healthz").json()["database"] == "ok"
        assert client.get("/readyz").status_code == 503  # there is no supervisor
        assert client.get("/healthz", headers={"host": "evil.example.com"}).status_code == 400


def test_the_first_account_needs_the_code(web: Web, browser: httpx.Client) -> None:
    assert browser.get("/").headers["location"] == "/setup"
    assert browser.get("/api/v1/setup").json() == {"needed": True, "code_needed": True}
    assert "The code for the first account is" in web.log
