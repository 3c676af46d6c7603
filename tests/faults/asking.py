"""Many requests to one proxy over kept connections, as fast as a test can make them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

BROKEN = "broken"
"""In the place of a status: the connection broke before there was one."""


def chat(text: str, **members: object) -> bytes:
    return json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **members}).encode()


def ask_all(port: int, bodies: Iterable[bytes]) -> list[tuple[int | str, str]]:
    """One after the other: status and x-rubberduck-outcome of each."""
    seen: list[tuple[int | str, str]] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"content-type": "application/json", "authorization": "Bearer sk-test"}
    for body in bodies:
        try:
            connection.request("POST", "/v1/chat/completions", body, headers)
            reply = connection.getresponse()
            reply.read()
            seen.append((reply.status, reply.headers["x-rubberduck-outcome"]))
        except (http.client.HTTPException, OSError):
            connection.close()
            seen.append((BROKEN, ""))
    connection.close()
    return seen


def ask_at_once(port: int, bodies: list[bytes], clients: int = 8) -> list[tuple[int | str, str]]:
    """The same from several clients at a time; in no particular order."""
    shares = [bodies[number::clients] for number in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        return [one for seen in pool.map(lambda share: ask_all(port, share), shares) for one in seen]
