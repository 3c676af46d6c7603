"""What passes through the stand-in: a request as it came, the turn to be played, and the reply to send."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Request:
    """One request as it came; header names keep their case, `target` is the raw request target."""

    method: str
    target: str
    version: str
    headers: Headers
    body: bytes = b""
    scheme: str = "http"
    sni: str | None = None

    @property
    def path(self) -> str:
        """The path, percent-encoding untouched."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The last value of each query field, decoded."""
        return {name: values[-1] for name, values in parse_qs(self.target.partition("?")[2]).items()}

    def header(self, name: str) -> str | None:
        """The first value of a header, compared without case; None when absent."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def host(self) -> str:
        """The Host header, or HTTP/2's `:authority`."""
        return self.header("host") or self.header(":authority") or ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty dict when it is none."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


@dataclass(slots=True)
class Reply:
    """One reply: `body` goes out with a Content-Length, `frames` one by one as a chunked stream.

    `failure` is the provider's in-stream error frame, sent in the place of what would follow when the prompt says
    `fail mid-stream`.
    """

    status: int
    headers: Headers
    body: bytes = b""
    frames: list[bytes] | None = None
    failure: bytes = b""


# What a prompt can ask for. The words are looked for in the raw request body, so they work for every provider.
_FAIL = re.compile(rb"\bplease fail (\d{3})\b")
_PACED = re.compile(rb"\bpaced (\d+)ms\b")
_PAD = re.compile(rb"\bpad (\d+)kB\b")
_ENDING = re.compile(rb"\b(die|reset|stall|fail) mid-stream\b")
_HANG = re.compile(rb"\bplease hang\b")
_GZIP = re.compile(rb"\bplease gzip\b")


@dataclass(slots=True)
class Turn:
    """What to play for one request: its number, and the directives found in its body.

    `fail` is an HTTP status; `ending` is one of clean, die (cut without the final chunk), reset (a TCP RST), stall
    (silence until the client leaves), fail (the provider's in-stream error event).
    """

    number: int
    fail: int | None = None
    pace_s: float = 0.0
    ending: str = "clean"
    hang: bool = False
    gzip: bool = False
    pieces: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, number: int, body: bytes) -> Turn:
        fail, paced, ending, pad = _FAIL.search(body), _PACED.search(body), _ENDING.search(body), _PAD.search(body)
        pieces = ["Hello", " from", " upstream", f" #{number}", "."]
        if pad:
            pieces += ["x" * 1024] * int(pad[1])
        return cls(
            number=number,
            fail=int(fail[1]) if fail else None,
            pace_s=int(paced[1]) / 1000 if paced else 0.0,
            ending=ending[1].decode() if ending else "clean",
            hang=_HANG.search(body) is not None,
            gzip=_GZIP.search(body) is not None,
            pieces=pieces,
        )

    @property
    def text(self) -> str:
        """The whole answer; its number tells a replay from a fresh reply."""
        return "".join(self.pieces)

    @property
    def arguments(self) -> dict[str, str]:
        """What a tool is called with."""
        return {"city": f"Paris #{self.number}"}

    @property
    def arguments_pieces(self) -> list[str]:
        """The JSON of `arguments`, cut where a model would cut it."""
        whole = compact(self.arguments)
        return [whole[:5], whole[5:12], whole[12:]]


def json_reply(status: int, value: object, headers: Headers, content_type: str = "application/json") -> Reply:
    """A unary JSON reply with the content type first."""
    return Reply(status, [("content-type", content_type), *headers], json.dumps(value).encode())


def compact(value: object) -> str:
    """JSON as the providers write it into stream events: no spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
