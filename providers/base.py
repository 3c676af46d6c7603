"""What a provider is: the value types a dialect speaks in, and the interface each provider module implements.

Everything here and in the provider modules is pure: bytes and plain values in, plain values out. No I/O, no clock,
no Django.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol

Header = tuple[bytes, bytes]
"""A header field: lower-case name, value as received."""


class Condition(StrEnum):
    """A situation in which Rubberduck itself answers, in the provider's shape."""

    BLOCKED = "blocked"  # 403: the proxy's access list
    LIMITED = "limited"  # 429: the proxy's rate limit
    BAD_REQUEST = "bad_request"  # 400: a control header or a body we cannot accept
    REQUEST_TIMEOUT = "request_timeout"  # 408: the client's body stopped arriving
    TOO_LARGE = "too_large"  # 413: past the hard cap on bodies
    NO_CREDENTIALS = "no_credentials"  # 403: nothing to sign the upstream request with
    NO_RECORDING = "no_recording"  # 404: replay mode, nothing recorded
    INTERNAL = "internal"  # 500
    BAD_GATEWAY = "bad_gateway"  # 502: upstream unreachable, TLS, protocol
    GATEWAY_TIMEOUT = "gateway_timeout"  # 504

    @property
    def status(self) -> int:
        return _STATUS[self]


_STATUS = {
    Condition.BLOCKED: 403,
    Condition.LIMITED: 429,
    Condition.BAD_REQUEST: 400,
    Condition.REQUEST_TIMEOUT: 408,
    Condition.TOO_LARGE: 413,
    Condition.NO_CREDENTIALS: 403,
    Condition.NO_RECORDING: 404,
    Condition.INTERNAL: 500,
    Condition.BAD_GATEWAY: 502,
    Condition.GATEWAY_TIMEOUT: 504,
}

Streams = Literal["never", "always", "body"]
"""When a call streams: by its path ("never", "always"), or if the JSON body holds `"stream": true` ("body")."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One provider call. `pattern` is matched against the whole normalised path (raw, percent-encoding untouched).

    A group named `model` in the pattern is the model (still percent-encoded).
    """

    name: str  # "chat.completions"; the word in logs, rules and docs
    method: str
    pattern: re.Pattern[bytes]
    streams: Streams = "never"
    is_cacheable: bool = False
    is_sampling: bool = False  # takes a temperature: the cache's temperature rules apply
    is_free: bool = False  # the provider never charges for it: its cost is 0, whatever it counted
    flavor: str = ""  # which usage shape the reply has; private to the provider and `pricing`


@dataclass(frozen=True, slots=True)
class Call:
    """What a method and a path mean to a provider. Depends on nothing else, so the data plane memoises it.

    `path` is the upstream path (raw bytes, leading slash, no query), base-URL habits normalised for known operations,
    byte for byte as it came for unknown ones. `model` is the one named in the path, decoded, or None.
    """

    operation: Operation | None
    path: bytes
    model: str | None = None


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """What a request's body says. `temperature` is None when the body names none; so is `max_output_tokens`, the most
    the answer may have.

    `may_cache` is False when the body makes a cacheable operation depend on state at the provider, so that the same
    request means something else the next time (an OpenAI `conversation`), or asks for a promise instead of a reply
    (`background`).
    """

    model: str | None = None
    is_streaming: bool = False
    temperature: float | None = None
    may_cache: bool = True
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an upstream listens. `prefix` is a path put before the call's path: "" or "/openai", no trailing slash.

    The scheme "emulated" leads nowhere: the provider is answered for by ourselves.
    """

    scheme: Literal["http", "https", "emulated"]
    host: str  # lower case; IPv6 without brackets
    port: int
    prefix: str = ""

    @property
    def authority(self) -> str:
        """The value of a Host header: no port when it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """The upstream as the log names it."""
        return self.scheme if self.scheme == "emulated" else f"{self.scheme}://{self.authority}"


EMULATED = Origin("emulated", "emulated", 80)
"""The upstream of a proxy that answers by itself."""


class OriginUnknown(Exception):
    """The upstream's address cannot be told from the request or the settings; the text says what to do, for people."""


class CredentialAction(StrEnum):
    PASS = "pass"  # headers go up as they came (minus `drop`)
    SIGN = "sign"  # re-sign with SigV4: `access_key`... from the request, else the proxy's credential reference
    REFUSE = "refuse"  # answer Condition.NO_CREDENTIALS with `message`


@dataclass(frozen=True, slots=True)
class CredentialPlan:
    """How a request's credentials travel upstream. `drop`: lower-case header names never forwarded.

    Never logged, so secrets have no repr.
    """

    action: CredentialAction = CredentialAction.PASS
    drop: frozenset[bytes] = frozenset()
    region: str = ""
    service: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    message: str = ""


PASS_CREDENTIALS = CredentialPlan()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one exchange. None means unknown, 0 means none.

    `input_tokens` includes cached and cache-write tokens, `output_tokens` includes reasoning tokens, whatever the
    provider's own habit is. `model` is the one the reply names, if it does. `service_tier` is what the reply says it
    was served with; None is the standard one.

    `details` is what a price may also depend on, by the price library's names ("input_audio_tokens",
    "cache_write_1h_tokens", "web_searches"), only what is not 0; those tokens are part of the totals above. A name the
    library does not know makes the cost unknown.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None  # read from the provider's prompt cache
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    model: str | None = None
    service_tier: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)


class UsageReader(Protocol):
    """Reads usage from one reply's body as it passes: decoded bytes, cut anywhere. Keeps a bounded amount of it."""

    def feed(self, chunk: bytes) -> None: ...

    def finish(self) -> Usage:
        """The usage seen so far; called after the last chunk (or when the reply broke off), and before that when the
        client leaves. Never raises."""
        ...

    @property
    def is_whole(self) -> bool:
        """After `finish`: whether the body is a successful, complete one.

        False for a stream that carried an error event or lacks the end its dialect always sends, and for a body that is
        not the JSON it claims to be; such a reply is never recorded. Unknown shapes are whole.
        """
        ...


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A reply Rubberduck makes itself: lower-case headers (content-type included, no content-length), body bytes."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Snippet:
    """Ready-to-run code for one official client. `language` names the highlighter: python, javascript, shell."""

    id: str  # "openai-python"
    label: str  # "OpenAI Python"
    language: str
    code: str


class Provider(ABC):
    """One vendor's dialect. One module in `providers/` holds one subclass and `PROVIDER = Subclass()`."""

    id: ClassVar[str]
    label: ClassVar[str]
    example_model: ClassVar[str]
    default_upstream: ClassVar[str | None]  # URL, or None when every customer has their own (Azure) ...
    derives_upstream: ClassVar[bool] = False  # ... or it is derived from each request (AWS region, Google location)
    takes_credential: ClassVar[bool] = False  # it signs, so a proxy may refer to a credential of its own
    price_provider: ClassVar[str]  # genai-prices provider_id
    operations: ClassVar[tuple[Operation, ...]]
    key_headers: ClassVar[frozenset[bytes]] = frozenset()  # lower case; they change the meaning: in the cache key
    secret_query: ClassVar[frozenset[bytes]] = frozenset()  # parameters that are credentials or noise: not in the key
    unsafe_reply_headers: ClassVar[frozenset[bytes]] = frozenset()  # never stored in a recording (quota numbers)
    rewritten_reply_headers: ClassVar[frozenset[bytes]] = frozenset()
    charged_errors: ClassVar[frozenset[int]] = frozenset()  # statuses that may cost something all the same
    needs_http2: ClassVar[bool] = False  # an official client speaks HTTP/2 with prior knowledge

    @property
    def needs_upstream(self) -> bool:
        """Whether there is no default upstream, so that a proxy must name its own."""
        return self.default_upstream is None and not self.derives_upstream

    @abstractmethod
    def match(self, method: str, path: bytes) -> Call:
        """Names the operation and the upstream path. `path`: raw target without query. Never raises."""

    @abstractmethod
    def read_body(self, call: Call, body: Any) -> BodyFacts:
        """Reads model, streaming and temperature from a parsed body: any JSON value, field -> str for multipart."""

    def volatile_pointers(self, operation: Operation) -> tuple[str, ...]:
        """JSON pointers into the body left out of the cache key, because the SDK fills them with noise."""
        return ()

    @abstractmethod
    def origin(
        self, call: Call, headers: Sequence[Header], upstream: Origin | None, default_region: str = ""
    ) -> Origin:
        """The upstream of one call. `upstream` is the proxy's own setting, None for the provider's default;
        `default_region` is the proxy's region, for a request that names none.

        Raises OriginUnknown. Hosts taken from a request consist of [a-z0-9-] labels under the provider's own domains.
        """

    @abstractmethod
    def upstream_path(self, call: Call, origin: Origin) -> bytes:
        """`origin.prefix` + the call's path, a doubled version segment collapsed."""

    def credentials(self, call: Call, headers: Sequence[Header], origin: Origin, *, is_http2: bool) -> CredentialPlan:
        """How credentials travel. The default: as they came."""
        return PASS_CREDENTIALS

    def rewrite_reply_header(self, name: bytes, value: bytes, base_url: str) -> bytes:
        """What a client sees for a header in `rewritten_reply_headers`. `base_url`: the proxy's, as clients see it."""
        return value

    @abstractmethod
    def error(
        self,
        condition: Condition,
        message: str,
        *,
        request_id: str,
        call: Call,
        is_streaming: bool = False,
        model: str | None = None,
        retry_after_s: float | None = None,
        code: str | None = None,
        query: bytes = b"",
    ) -> ErrorReply:
        """The provider-shaped reply for a condition. `message` is ours and goes where SDKs look for it.

        `query` is the request's, for shapes that depend on it.
        `code` overrides the machine-readable code where the shape has one (`no_recording`).
        """

    @abstractmethod
    def usage_reader(self, call: Call, facts: BodyFacts, status: int, headers: Sequence[Header]) -> UsageReader | None:
        """A reader for this reply, or None when it holds no usage. `headers` are the reply's, lower case."""

    @abstractmethod
    def snippets(self, base_url: str, model: str) -> Sequence[Snippet]:
        """Code for each official client. `base_url`: `http://127.0.0.1:8001`, no trailing slash."""


JsonObject = Mapping[str, Any]
