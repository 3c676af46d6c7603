"""Every route with every kind of asker: what is one user's is nobody else's, and a route that is not here fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api.serving import MARKER, ApiServer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())
WEB_PROXY = {"provider": "openai", "upstream": "emulated", "description": MARKER}


@dataclass(frozen=True)
class Route:
    """How a route is asked, and by whom with success.

    `kind`: "one" (a thing of the owner's: 404 for all others, staff too), "own" (all askers see and change their own
    alone), "shared" (the same for all who have signed in), "public" (for everybody), "nobody", "staff".
    `status`: of the reply to those.
    """

    kind: str
    body: Any = None
    query: str = ""
    status: int = 200


RULES = [{"fault": "error", "status": 500, "rate": 0.5}]
MATRIX: dict[tuple[str, str], Route] = {
    ("GET", "/providers"): Route("public"),
    ("GET", "/catalog"): Route("shared"),
    ("GET", "/ports/next"): Route("shared"),
    ("GET", "/ports/{port}"): Route("shared"),
    ("GET", "/proxies"): Route("own"),
    ("POST", "/proxies"): Route("own", {"name": "NAME", **WEB_PROXY}, status=201),
    ("POST", "/proxies/desired-states"): Route("one", {"ids": ["PROXY"], "desired_state": "stopped"}),
    ("GET", "/proxies/by-name/{name}"): Route("one"),
    ("PUT", "/proxies/by-name/{name}"): Route("own", WEB_PROXY, status=201),
    ("GET", "/proxies/{proxy_id}"): Route("one"),
    ("PATCH", "/proxies/{proxy_id}"): Route("one", {"description": MARKER}),
    ("DELETE", "/proxies/{proxy_id}"): Route("one", status=204),
    ("POST", "/proxies/{proxy_id}/clone"): Route("one", {"name": "NAME"}, status=201),
    ("PUT", "/proxies/{proxy_id}/desired-state"): Route("one", {"desired_state": "stopped"}),
    ("GET", "/proxies/{proxy_id}/snippets"): Route("one"),
    ("POST", "/proxies/{proxy_id}/upstream-check"): Route("one"),
    ("GET", "/proxies/{proxy_id}/replies"): Route("one"),
    ("PUT", "/proxies/{proxy_id}/replies"): Route("one", []),
    ("GET", "/proxies/{proxy_id}/faults"): Route("one"),
    ("PUT", "/proxies/{proxy_id}/faults"): Route("one", {"rules": RULES}),
    ("POST", "/proxies/{proxy_id}/faults/reset"): Route("one"),
    ("GET", "/proxies/{proxy_id}/verdicts"): Route("one"),
    ("GET", "/proxies/{proxy_id}/limits"): Route("one"),
    ("PUT", "/proxies/{proxy_id}/limits"): Route("one", {"rpm": 5}),
    ("GET", "/proxies/{proxy_id}/access"): Route("one"),
    ("PUT", "/proxies/{proxy_id}/access"): Route("one", {"block": ["10.0.0.1"]}),
    ("GET", "/proxies/{proxy_id}/access/test"): Route("one", query="?address=10.0.0.1"),
    ("GET", "/proxies/{proxy_id}/cache"): Route("one"),
    ("PUT", "/proxies/{proxy_id}/cache"): Route("one", {"mode": "replay"}),
    ("POST", "/proxies/{proxy_id}/cache/invalidate"): Route("one"),
    ("GET", "/proxies/{proxy_id}/cache/entries"): Route("one"),
    ("DELETE", "/proxies/{proxy_id}/cache/entries/{entry_id}"): Route("one"),
    ("GET", "/auth-options"): Route("public"),
    ("GET", "/setup"): Route("public"),
    ("POST", "/setup"): Route("nobody", {"email": "x@example.com", "password": "correct horse battery"}, status=403),
    ("GET", "/me"): Route("own"),
    ("PATCH", "/me"): Route("own", {"name": "a name"}),
    ("GET", "/tokens"): Route("own"),
    ("POST", "/tokens"): Route("own", {"name": MARKER}, status=201),
    ("DELETE", "/tokens/{token_id}"): Route("one", status=204),
    ("GET", "/settings"): Route("staff"),
    ("PATCH", "/settings"): Route("staff", {"retention_days": 30}),
    ("GET", "/users"): Route("staff"),
    ("POST", "/users"): Route("staff", {"email": "NAME@example.com", "password": "correct horse battery"}, status=201),
    ("GET", "/users/{user_id}"): Route("staff"),
    ("PATCH", "/users/{user_id}"): Route("staff", {"name": "another"}),
}
ASKERS = ("anonymous", "reader", "other", "staff", "owner")  # who changes most comes last


def routes() -> Iterator[tuple[str, str]]:
    for path, methods in DOCUMENT["paths"].items():
        yield from ((method.upper(), path.removeprefix("/api/v1")) for method in methods)


def test_every_route_is_in_the_matrix() -> None:
    assert set(MATRIX) == set(routes())


@pytest.fixture(scope="session")
def things(server: ApiServer) -> Callable[[], dict[str, Any]]:
    """Makes the owner a proxy with a recording, and a token; and names no proxy has yet."""
    code = """
from django.utils import timezone
from proxies.models import Proxy, Recording
proxy = Proxy.objects.get(pk=proxy_id)
result = Recording.objects.create(
    proxy=proxy, epoch=proxy.cache_epoch, key=marker, status=200, headers=[], body=b"", frame_sizes=[], delays_ms=[],
    size_bytes=0, recorded_at=timezone.now(),
).pk
"""
    numbers = iter(range(1_000_000))
    user = {"email": "somebody@example.com", "password": "correct horse battery"}
    user_id = server.ask("staff", "POST", "/users", user).json()["id"]

    def make() -> dict[str, Any]:
        name = f"{MARKER}-{next(numbers)}"
        proxy = server.ask("owner", "PUT", f"/proxies/by-name/{name}", WEB_PROXY).json()
        token = server.ask("owner", "POST", "/tokens", {"name": MARKER}).json()
        return {
            "proxy_id": proxy["id"],
            "name": name,
            "entry_id": server.deployment.ask(code, proxy_id=proxy["id"], marker=MARKER),
            "token_id": token["id"],
            "user_id": user_id,
            "port": 30_999,
            "fresh": lambda: f"{MARKER}-{next(numbers)}",
        }

    return make


def expected(route: Route, method: str, who: str) -> int:
    if route.kind in ("public", "nobody"):
        return route.status
    if who == "anonymous":
        return 401
    if who == "reader" and method != "GET":
        return 403
    if route.kind == "staff":
        return route.status if who == "staff" else 403
    if route.kind == "one" and who in ("other", "staff"):
        return 404
    return route.status


def filled(value: Any, things: dict[str, Any], who: str) -> Any:
    """The body with names and numbers; what is not the owner's does not bear the owner's mark."""
    if isinstance(value, dict):
        return {name: filled(inner, things, who) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, things, who) for inner in value]
    if value == "PROXY":
        return things["proxy_id"]
    if not isinstance(value, str):
        return value
    text = value.replace("NAME", things["fresh"]())
    return text if who == "owner" else text.replace(MARKER, "plain")


@pytest.mark.parametrize(("method", "path"), MATRIX, ids=lambda part: part)
def test_the_route_answers_each_asker_as_it_should(
    server: ApiServer, things: Callable[[], dict[str, Any]], method: str, path: str
) -> None:
    route = MATRIX[method, path]
    made = things()
    for who in ASKERS:
        names = dict(made)
        if (method, path) == ("PUT", "/proxies/by-name/{name}"):
            names["name"] = f"of {who} {made['name']}"
        if who != "owner":  # what they make themselves they are shown, of course
            names["name"] = names["name"].replace(MARKER, "plain") if route.kind == "own" else names["name"]
        reply = server.ask(who, method, path.format(**names) + route.query, filled(route.body, made, who))
        assert reply.status_code == expected(route, method, who), f"{who}: {reply.status_code} {reply.text}"
        if reply.status_code >= 400:
            assert reply.json().keys() == {"error"}
            assert reply.json()["error"].keys() == {"code", "message", "fields"}
        if who in ("anonymous", "other", "staff"):
            assert MARKER not in reply.text


def picture(server: ApiServer, proxy_id: int) -> dict[str, Any]:
    """What the owner has, as the owner sees it."""
    found = {
        path: server.ask("owner", "GET", path.format(proxy_id)).json()
        for path in ("/me", "/proxies?limit=200", "/proxies/{}", "/proxies/{}/cache", "/proxies/{}/cache/entries")
    }
    found["/tokens"] = [(token["id"], token["name"]) for token in server.ask("owner", "GET", "/tokens").json()]
    return found


@pytest.mark.parametrize("who", ["anonymous", "reader", "other", "staff"])
def test_nobody_else_changes_anything_of_the_owners_on_any_route(
    server: ApiServer, things: Callable[[], dict[str, Any]], who: str
) -> None:
    made = things()
    before = picture(server, made["proxy_id"])
    for (method, path), route in MATRIX.items():
        if method == "GET" or (who, route.kind) == ("staff", "staff"):
            continue
        own = (method, path) == ("PUT", "/proxies/by-name/{name}")
        place = path.format(**{**made, "name": f"of {who}"} if own else made)
        reply = server.ask(who, method, place + route.query, filled(route.body, made, who))
        assert reply.status_code == expected(route, method, who), f"{method} {path}: {reply.text}"
    assert picture(server, made["proxy_id"]) == before
    assert before["/proxies/{}/cache/entries"]["items"][0]["id"] == made["entry_id"]
    assert before["/tokens"][0][0] == made["token_id"]


@pytest.mark.parametrize("who", ["other", "staff"])
def test_nothing_tells_others_what_the_owner_has(
    server: ApiServer, things: Callable[[], dict[str, Any]], who: str
) -> None:
    """Lists and their counts, names, ports, several at once, circles of upstreams."""
    made = things()
    theirs = server.ask("owner", "GET", f"/proxies/{made['proxy_id']}").json()
    body = {"provider": "openai", "upstream": "emulated"}
    own = server.ask(who, "PUT", "/proxies/by-name/mine", body).json()
    listed = server.ask(who, "GET", "/proxies?limit=200").json()
    assert listed["total"] == len(listed["items"]) < server.ask("owner", "GET", "/proxies").json()["total"]
    assert server.ask(who, "GET", f"/proxies?search={theirs['port']}").json()["total"] == 0
    cursor = server.ask("owner", "GET", "/proxies?limit=1").json()["next_cursor"]
    replies = [
        server.ask(who, "GET", f"/proxies?limit=200&cursor={cursor}"),
        server.ask(who, "GET", f"/proxies?search={MARKER}"),
        server.ask(who, "GET", f"/ports/{theirs['port']}"),
        server.ask(who, "POST", "/proxies", {**body, "name": "taken", "port": theirs["port"]}),
        server.ask(who, "PATCH", f"/proxies/{own['id']}", {"port": theirs["port"]}),
    ]
    ids = [own["id"], made["proxy_id"]]
    several = server.ask(who, "POST", "/proxies/desired-states", {"ids": ids, "desired_state": "running"})
    nobodys = server.ask(who, "POST", "/proxies/desired-states", {"ids": [10**9], "desired_state": "running"})
    assert (several.status_code, nobodys.status_code) == (404, 404)
    assert several.text == nobodys.text.replace(str(10**9), str(made["proxy_id"]))
    assert server.ask(who, "GET", f"/proxies/{own['id']}").json()["desired_state"] == "stopped"
    upstream = {"upstream": f"http://127.0.0.1:{own['port']}"}
    server.ask("owner", "PATCH", f"/proxies/{made['proxy_id']}", upstream)
    circle = {"upstream": f"http://127.0.0.1:{theirs['port']}"}
    replies.append(server.ask(who, "PATCH", f"/proxies/{own['id']}", circle))
    assert [reply.status_code for reply in replies] == [200, 200, 200, 400, 400, 400]
    assert not any(MARKER in reply.text for reply in replies)
    # A name of the owner's is free for others, and makes them one of their own.
    named = server.ask(who, "PUT", f"/proxies/by-name/{made['name']}", body)
    assert (named.status_code, named.json()["id"] == made["proxy_id"]) == (201, False)
    server.ask(who, "DELETE", f"/proxies/{named.json()['id']}")
