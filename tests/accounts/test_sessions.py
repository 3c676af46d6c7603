"""The list of one's sessions, and ending them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from accounts.sessions import SessionStore
from tests.accounts.serving import PASSWORD, ROOT, Browser, Program, Web, new_address


def sessions(browser: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.get("auth/sessions").body["data"]
    return found


def test_every_session_is_listed_with_where_it_comes_from(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address(), is_staff=True)
    other_browser.http.headers["user-agent"] = "Lynx"
    browser.log_in(address)
    other_browser.admin_log_in(address)
    with Program(web) as program:
        program.call("POST", "auth/login", email=address, password=PASSWORD)
    listed = sessions(browser)
    assert len(listed) == 3
    assert [(one["ip"], one["user_agent"]) for one in listed if one["is_current"]] == [(browser.ip, "Netscape 4")]
    assert (other_browser.ip, "Lynx") in {(one["ip"], one["user_agent"]) for one in listed}


def test_a_session_that_is_ended_is_over_at_once(web: Web, browser: Browser, other_browser: Browser) -> None:
    address = web.add_account(new_address())
    browser.log_in(address)
    other_browser.log_in(address)
    (other,) = [one["id"] for one in sessions(browser) if not one["is_current"]]
    reply = browser.call("DELETE", "auth/sessions", sessions=[other])
    assert (reply.status, [one["is_current"] for one in reply.body["data"]]) == (200, [True])
    assert not other_browser.is_signed_in()
    assert other_browser.http.get("/api/v1/proxies").status_code == 401
    assert browser.is_signed_in()


def test_ending_the_session_one_is_in_signs_out(web: Web, browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    (own,) = sessions(browser)
    assert browser.call("DELETE", "auth/sessions", sessions=[own["id"]]).status == 401
    assert not browser.is_signed_in()


def test_the_sessions_of_others_are_neither_seen_nor_ended(web: Web, browser: Browser, other_browser: Browser) -> None:
    browser.log_in(web.add_account(new_address()))
    other_browser.log_in(web.add_account(new_address()))
    (foreign,) = sessions(other_browser)
    assert foreign["id"] not in [one["id"] for one in sessions(browser)]
    assert browser.call("DELETE", "auth/sessions", sessions=[foreign["id"]]).status == 400
    assert other_browser.is_signed_in()


def test_strangers_get_no_list(web: Web, browser: Browser) -> None:
    assert browser.get("auth/sessions").status == 401
    assert browser.call("DELETE", "auth/sessions", sessions=[1]).status == 401


def test_a_session_gets_a_new_cookie_when_somebody_signs_in(web: Web, browser: Browser) -> None:
    """Who planted a cookie in the browser before knows none after."""
    address = web.add_account(new_address())
    name = f"rubberduck_session_{web.port}"
    browser.log_in(address, "wrong")
    browser.http.cookies.set(name, "planted")
    assert browser.log_in(address).status == 200
    assert browser.http.cookies.get(name, domain="127.0.0.1") not in (None, "planted")


def test_staff_end_sessions_in_the_admin(web: Web, browser: Browser, other_browser: Browser) -> None:
    staff, address = web.add_account(new_address(), is_staff=True, is_superuser=True), web.add_account(new_address())
    browser.admin_log_in(staff)
    other_browser.log_in(address)
    assert browser.http.get("/admin/usersessions/usersession/", params={"q": address}).status_code == 200
    (other,) = [one["id"] for one in sessions(other_browser)]
    form = {"post": "yes", "csrfmiddlewaretoken": browser.csrf_token}
    assert browser.http.post(f"/admin/usersessions/usersession/{other}/delete/", data=form).status_code == 302
    assert not other_browser.is_signed_in()


def test_the_commands_of_the_documentation_do_what_it_says(web: Web, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "signing-in.md").read_text()
    address = web.add_account(new_address())
    script = "set -e\n" + "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    script = script.replace("http://127.0.0.1:8000", web.url).replace("ada@example.com", address)
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'"email": "{address}"' in done.stdout
    assert done.stdout.count('"access_token"') == 1
    assert '"is_current": true' in done.stdout
    assert done.stdout.rstrip().endswith('"meta": {"is_authenticated": false}}')
    with Program(web) as program:
        program.token = json.loads((tmp_path / "session.json").read_text())["meta"]["session_token"]
        assert program.call("GET", "auth/session").status == 410


def test_a_cookie_that_no_session_can_have_is_none(web: Web, browser: Browser) -> None:
    name = f"rubberduck_session_{web.port}"
    for value in (r'"\000abcdefghijkl"', r'"\355\240\200abcdefgh"', "'", "x" * 2000):
        for path in ("/api/v1/me", "/_allauth/browser/v1/auth/session"):
            browser.http.cookies.clear()
            reply = browser.http.get(path, headers={"cookie": f"{name}={value}"})
            assert reply.status_code == 401, (value, path)
    assert SessionStore("\x00abcdefghijkl").session_key is None
