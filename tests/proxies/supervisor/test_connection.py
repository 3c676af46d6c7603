"""What both protocols share: the app's handle, the date, the check of a reply's head."""

from __future__ import annotations

import asyncio
import threading
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from proxies.supervisor.connection import AUTHORITY, METHODS, head_is_sound, http_date

from .h2_client import H2Client
from .serving import GET, answer, read_body, serving


@pytest.mark.parametrize("is_http2", [False, True])
def test_on_left_is_called_once_when_the_client_goes(is_http2: bool) -> None:
    left = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        connection = scope["extensions"]["rubberduck"]
        served.seen.append(connection.is_http2)
        connection.on_left = lambda: served.seen.append("left")
        await read_body(receive)
        assert (await receive())["type"] == "http.disconnect"
        left.set()

    with serving(app) as served:
        if is_http2:
            with H2Client(served) as h2_client:
                h2_client.ask()
                assert served.wait_for(lambda: bool(served.seen))
        else:
            with served.client() as client:
                client.send(GET)
                assert served.wait_for(lambda: bool(served.seen))
        assert left.wait(10)
        assert served.wait_for(lambda: not served.server.connections)
    assert served.seen == [is_http2, "left"]


@pytest.mark.parametrize("how", ["answer", "cut", "reset"])
@pytest.mark.parametrize("is_http2", [False, True])
def test_on_left_is_not_called_for_what_the_app_did_itself(is_http2: bool, how: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        connection = scope["extensions"]["rubberduck"]
        connection.on_left = lambda: served.seen.append("left")
        if how == "answer":
            await answer(send, b"ok")
        else:
            getattr(connection, how)()
        await asyncio.sleep(0)
        served.seen.append("done")

    with serving(app) as served:
        if is_http2:
            with H2Client(served) as h2_client:
                h2_client.ask()
                assert served.wait_for(lambda: "done" in served.seen)
        else:
            with served.client() as client:
                client.send(GET)
                assert served.wait_for(lambda: "done" in served.seen)
        assert served.wait_for(lambda: not served.server.connections)
    assert served.seen == ["done"]


def test_date_is_now_in_the_format_of_http() -> None:
    value = http_date()
    assert value.endswith(b" GMT")
    assert parsedate_to_datetime(value.decode()).year >= 2026


@pytest.mark.parametrize(
    ("head", "is_sound"),
    [(b"a: b\r\n\r\n", True), (b"a: b\nc\r\n", False), (b"a: b\r\nc\r\n\r\n", False), (b"a\0\r\n\r\n", False)],
)
def test_head_with_other_lines_than_expected_is_unsound(head: bytes, is_sound: bool) -> None:
    assert head_is_sound(head, 2) == is_sound


@pytest.mark.parametrize(
    ("host", "is_valid"),
    [(b"h", True), (b"h:1", True), (b"[::1]:1", True), (b"", True), (b"a b", False), (b"a/b", False), (b"a?b", False)],
)
def test_authority_holds_no_path_and_no_blank(host: bytes, is_valid: bool) -> None:
    assert bool(AUTHORITY.fullmatch(host)) == is_valid


def test_methods_of_other_protocols_are_unknown() -> None:
    assert METHODS[b"POST"] == "POST"
    assert not {b"CONNECT", b"DESCRIBE", b"SOURCE", b"PRI"} & set(METHODS)
