"""Connections that are closed without a reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from proxies.dataplane.delivery import Reply
from proxies.dataplane.faults.base import Cut, Fault, Injection, Stage


@dataclass(frozen=True)
class Close(Fault):
    """TCP FIN; over HTTP/2, RST_STREAM with INTERNAL_ERROR."""

    kind: ClassVar[str] = "close"
    title: ClassVar[str] = "Close without a reply"
    summary: ClassVar[str] = (
        "The connection is closed the orderly way (TCP FIN), with no byte of a reply. Over HTTP/2 the stream is reset, "
        "the connection lives on."
    )
    stage: ClassVar[Stage] = Stage.REPLACE

    async def replace(self, injection: Injection) -> Reply:
        raise Cut
