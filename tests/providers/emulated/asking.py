"""Asks an emulator directly: plain values in, plain values out, no socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.base import EMULATED
from providers.emulated.base import EmulatedReply, EmulatedRequest, respond
from providers.emulated.canned import CannedReply
from providers.emulated.desk import Desk
from providers.emulated.registry import get_emulator
from providers.registry import get_provider

KEYS = {
    "openai": {"authorization": "Bearer sk-test"},
    "anthropic": {"x-api-key": "sk-ant-test", "anthropic-version": "2023-06-01"},
    "azure_openai": {"api-key": "test"},
    "bedrock": {"authorization": "Bearer bedrock-api-key-test"},
    "vertex_ai": {"authorization": "Bearer ya29.test"},
}
NOW = 1_790_000_000.25


class Asker:
    """One emulated provider and its desk. Every request brings a credential unless told otherwise."""

    def __init__(self, provider: str, *, is_strict: bool = False, canned: Sequence[CannedReply] = ()) -> None:
        self.provider = get_provider(provider)
        self.desk = Desk(is_strict=is_strict, canned=canned)
        self._number = 0

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        has_key: bool = True,
    ) -> EmulatedReply:
        """The reply. `body`: bytes as they are, anything else as JSON. `target` is what an SDK sends."""
        path, _, query = target.encode().partition(b"?")
        call = self.provider.match(method, path)
        fields = {b"content-type": b"application/json"} if body is not None else {}
        given = (KEYS[self.provider.id] if has_key else {}) | dict(headers or {})
        fields |= {name.lower().encode(): value.encode() for name, value in given.items()}
        self._number += 1
        raw = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        request = EmulatedRequest(
            method,
            self.provider.match(method, self.provider.upstream_path(call, EMULATED)),
            query,
            fields,
            raw,
            NOW + self._number,
            f"01997a00-0000-7000-8000-{self._number:012x}",
        )
        return respond(get_emulator(self.provider.id), request, self.desk)

    def json(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The reply's body parsed, of a request that succeeds."""
        reply = self.send(method, target, body, headers)
        assert reply.status < 300, whole(reply)
        return orjson.loads(whole(reply))


def whole(reply: EmulatedReply) -> bytes:
    """The body, a stream's frames joined."""
    return reply.body if isinstance(reply.body, bytes) else b"".join(frame.data for frame in reply.body)


def header(reply: EmulatedReply, name: str) -> str | None:
    return next((value.decode() for key, value in reply.headers if key == name.encode()), None)
