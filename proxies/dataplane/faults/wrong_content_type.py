"""Replies that claim to be something else than they are."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Fault, Injection, Stage, setting
from proxies.dataplane.faults.bodies import Body, has_body, pieces, set_length
from proxies.dataplane.headers import with_field

_PRINTABLE = re.compile(r"[!-~]([ -~]*[!-~])?")

# What gateways that want to be seen by a person answer programs with.
PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><title>Network sign-in</title></head>
<body>
<h1>Sign in to continue</h1>
<p>This network asks for a sign-in before it lets you reach other sites.</p>
<p><a href="https://gateway.example/sign-in">Sign in</a></p>
</body>
</html>
"""


@dataclass(frozen=True)
class WrongContentType(Fault):
    """The status stays the real one."""

    kind: ClassVar[str] = "wrong_content_type"
    title: ClassVar[str] = "Wrong content type"
    summary: ClassVar[str] = (
        "The real reply under another content type, or with html a successful reply that is the sign-in page of some "
        "gateway on the way."
    )
    stage: ClassVar[Stage] = Stage.DAMAGE
    order: ClassVar[int] = 60  # after all that look at the content type

    content_type: str = setting(
        "text/html; charset=utf-8", "The content type the reply claims to be.", max_length=200, example="text/plain"
    )
    html: bool = setting(False, "Whether the body is an HTML page as well.")

    def check(self) -> str | None:
        if not _PRINTABLE.fullmatch(self.content_type):
            return "content_type: use printable ASCII characters, such as text/plain"
        return None

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        if not has_body(reply, injection):
            return None
        reply.headers = with_field(reply.headers, b"content-type", self.content_type.encode())
        if self.html:
            set_length(reply, len(PAGE))
            reply.body = PAGE if isinstance(reply.body, bytes) else _page(reply.body)
        injection.note()
        return reply


async def _page(body: Body) -> AsyncGenerator[bytes, None]:
    """The page, once all of the real body has come and can be recorded."""
    async with contextlib.aclosing(pieces(body)) as parts:
        async for _ in parts:
            pass
    yield PAGE
