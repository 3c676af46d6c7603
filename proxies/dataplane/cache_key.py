"""The cache key: a hash over everything that selects a reply. Two requests a provider could answer differently never
share one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

import orjson

from providers.base import BodyFacts, Call, Header, Origin
from providers.wire.multipart import Part, parse_multipart, text_fields
from proxies.dataplane.config import ProxyConfig


class BodyForm(Enum):
    """How a body was normalised. The value goes into its digest, so that bodies of different forms never share one."""

    JSON = b"json"
    EXACT_JSON = b"exact-json"  # holds a number of 19 digits or more: read with exact integers
    MULTIPART = b"multipart"
    RAW = b"raw"


@dataclass(frozen=True, slots=True)
class BodyKey:
    """A request body as the cache sees it.

    `media` is what of content-type and content-encoding the key must hold besides the digest. `parsed` is the JSON
    value (nothing left out), the text fields of a multipart body, or None; it is not kept in memos.
    """

    digest: bytes  # 32 bytes
    form: BodyForm
    media: bytes = b""
    parsed: Any = field(default=None, repr=False, compare=False)

    @property
    def prompt_hash(self) -> str:
        return self.digest.hex()


_TAGS = {form: form.value + b"\0" for form in BodyForm}


def _digest(form: BodyForm, normalised: bytes) -> bytes:
    return hashlib.sha256(_TAGS[form] + normalised).digest()


NO_BODY: Final = BodyKey(_digest(BodyForm.RAW, b""), BodyForm.RAW)

_JSON_TYPES = re.compile(
    rb"^(application/json|[a-z0-9.!#$&^_-]+/[a-z0-9.!#$&^_-]+\+json)\s*(;\s*charset\s*=\s*\"?utf-?8\"?\s*)?$"
)
# JSON that does not say so is read as JSON all the same; `media` keeps it apart from JSON that does.
_MAYBE_JSON = frozenset({b"", b"application/octet-stream"})
_DIGITS_TO_ZERO = bytes.maketrans(b"0123456789", b"0" * 10)
# Integers up to 64 bits have at most 20 digits, and the shortest that orjson cannot hold has 19.
_LONG_NUMBER = b"0" * 19


def normalise_body(
    body: bytes, content_type: bytes | None, content_encoding: bytes | None, ignored: tuple[str, ...] = ()
) -> BodyKey:
    """Reduces a body to what its meaning depends on: key order and spacing of JSON, order and boundary of multipart do
    not count.

    `ignored`: JSON pointers (RFC 6901) left out of the digest; for multipart bodies, `/name` leaves out a field. A body
    that cannot be read without doubt (compressed, invalid or ambiguous JSON, odd multipart) counts byte by byte.
    Numbers are compared as JSON parsers read them: 64-bit floats, and integers of any length exactly.
    """
    if content_type == b"application/json" and content_encoding is None:
        return _normalise_json(body, b"", ignored) or BodyKey(_digest(BodyForm.RAW, body), BodyForm.RAW, content_type)
    kind = (content_type or b"").strip().lower()
    if content_encoding and content_encoding.strip().lower() != b"identity":
        media = kind + b"\0" + content_encoding.strip().lower()
        return BodyKey(_digest(BodyForm.RAW, body), BodyForm.RAW, media)
    if kind in _MAYBE_JSON or _JSON_TYPES.match(kind):
        essence = kind.partition(b";")[0].strip()
        key = _normalise_json(body, b"" if essence == b"application/json" else essence + b";json", ignored)
        if key is not None:
            return key
    elif kind.startswith(b"multipart/form-data"):
        parts = parse_multipart(body, content_type or b"")
        if parts is not None:
            return BodyKey(
                _digest(BodyForm.MULTIPART, _join_parts(parts, ignored)), BodyForm.MULTIPART, b"", text_fields(parts)
            )
    if not body and not kind:
        return NO_BODY
    return BodyKey(_digest(BodyForm.RAW, body), BodyForm.RAW, kind)


def _normalise_json(body: bytes, media: bytes, ignored: tuple[str, ...]) -> BodyKey | None:
    try:
        parsed = orjson.loads(body)
        dumped = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, TypeError):  # TypeError: nested too deeply to be written again
        return None
    if _LONG_NUMBER in body.translate(_DIGITS_TO_ZERO):
        return _normalise_exactly(body, media, ignored)
    # A shadowed duplicate of a key is gone from `parsed`, and its colon with it. Escaped colons would blur the count.
    if body.count(b":") != dumped.count(b":") or (b"\\" in body and (b"\\u003a" in body or b"\\u003A" in body)):
        return _normalise_exactly(body, media, ignored)
    if ignored:
        remaining = _without_pointers(parsed, ignored)
        if remaining is not parsed:
            dumped = orjson.dumps(remaining, option=orjson.OPT_SORT_KEYS)
    return BodyKey(_digest(BodyForm.JSON, dumped), BodyForm.JSON, media, parsed)


class _Ambiguous(ValueError):
    """A JSON text that parsers read differently."""


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Ambiguous
    return members


def _normalise_exactly(body: bytes, media: bytes, ignored: tuple[str, ...]) -> BodyKey | None:
    """The careful way, for the few bodies the quick one cannot vouch for."""
    try:
        parsed = json.loads(body.decode(), object_pairs_hook=_unique_members)
        remaining = _without_pointers(parsed, ignored)
        dumped = json.dumps(
            remaining, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except (
        ValueError,
        RecursionError,
    ):  # ValueError: invalid, duplicate keys, NaN, lone surrogates, integers of thousands of digits
        return None
    return BodyKey(_digest(BodyForm.EXACT_JSON, dumped), BodyForm.EXACT_JSON, media, parsed)


def pointer_tokens(pointer: str) -> list[str]:
    """The steps of a JSON pointer. Source: RFC 6901 section 4."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _without_pointers(value: Any, pointers: tuple[str, ...]) -> Any:
    for pointer in pointers:
        value = _without(value, pointer_tokens(pointer))
    return value


def _without(value: Any, tokens: list[str]) -> Any:
    """`value` itself when it holds nothing there; else a copy along the way. An array keeps its length: the element
    becomes null."""
    if not tokens:
        return None
    step, rest = tokens[0], tokens[1:]
    if isinstance(value, dict) and step in value:
        if not rest:
            return {name: member for name, member in value.items() if name != step}
        inner = _without(value[step], rest)
        return value if inner is value[step] else {**value, step: inner}
    if isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
        index = int(step)
        inner = _without(value[index], rest)
        return value if inner is value[index] else [*value[:index], inner, *value[index + 1 :]]
    return value


def _join_parts(parts: list[Part], ignored: tuple[str, ...]) -> bytes:
    dropped = {tokens[0].encode() for tokens in map(pointer_tokens, ignored) if len(tokens) == 1}
    fields: list[bytes] = []
    for part in sorted(parts, key=lambda part: part.name):  # stable: several files under one name keep their order
        if part.name in dropped:
            continue
        fields.append(_sized(*(item for pair in part.parameters for item in pair)))
        fields.append(_sized(*(item for pair in part.headers for item in pair)))
        fields.append(part.content)
    return _sized(*fields)


def _sized(*fields: bytes) -> bytes:
    """The fields behind their number and their lengths: no two lists of fields give the same bytes."""
    return b"%d;%s;%s" % (len(fields), b",".join([b"%d" % len(item) for item in fields]), b"".join(fields))


def significant_query(query: bytes, secret: frozenset[bytes]) -> bytes:
    """The raw query without the parameters named in `secret`; order and encoding count, which may cost a hit but never
    makes a false one."""
    if not query or not secret:
        return query
    return b"&".join(
        [
            item
            for item in query.split(b"&")
            if unquote_to_bytes(item.partition(b"=")[0].replace(b"+", b" ")) not in secret
        ]
    )


_Value = TypeVar("_Value")


class _Memo(Generic[_Value]):
    """A dict of bounded size: when the young generation is full it becomes the old one, and the old one is
    forgotten."""

    __slots__ = ("_most", "_old", "_young")

    def __init__(self, most: int) -> None:
        self._most = most // 2
        self._young: dict[Any, _Value] = {}
        self._old: dict[Any, _Value] = {}

    def get(self, key: Any) -> _Value | None:
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
        return value

    def set(self, key: Any, value: _Value) -> None:
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


_MOST_BODIES = 1024
_MOST_ROUTES = 1024


class CacheKeys:
    """Makes the keys of one proxy at one generation, and remembers what equal bodies and equal routes came to."""

    __slots__ = ("_bodies", "_ignored", "_key_headers", "_prefix", "_provider", "_routes", "_secret_query", "_volatile")

    def __init__(self, config: ProxyConfig) -> None:
        provider = config.provider
        self._provider = provider
        self._key_headers = provider.key_headers
        self._secret_query = provider.secret_query
        self._ignored = config.cache.ignored_pointers
        self._volatile: dict[str, tuple[str, ...]] = {}
        self._prefix = hashlib.sha256(
            _sized(b"rubberduck cache key 1", b"%d" % config.proxy_id, b"%d" % config.cache.epoch)
        )
        self._prefix.update(config.emulation.digest)
        self._bodies: _Memo[tuple[BodyKey, BodyFacts]] = _Memo(_MOST_BODIES)
        self._routes: _Memo[Any] = _Memo(_MOST_ROUTES)

    def read_body(
        self, call: Call, body: bytes, content_type: bytes | None, content_encoding: bytes | None
    ) -> tuple[BodyKey, BodyFacts]:
        """What a body comes to and what the provider reads in it. `BodyKey.parsed` is None when the answer came from
        the memo."""
        operation = call.operation
        memo_key = (
            hashlib.sha256(body).digest(),
            content_type,
            content_encoding,
            call.path,
            operation and operation.name,
        )
        found = self._bodies.get(memo_key)
        if found is not None:
            return found
        key = self.normalise(call, body, content_type, content_encoding)
        facts = self._provider.read_body(call, key.parsed)
        self._bodies.set(memo_key, (BodyKey(key.digest, key.form, key.media), facts))
        return key, facts

    def normalise(self, call: Call, body: bytes, content_type: bytes | None, content_encoding: bytes | None) -> BodyKey:
        """`normalise_body` with the pointers that this proxy and the provider leave out. Not memoised: `parsed` is
        there."""
        return normalise_body(body, content_type, content_encoding, self._ignored_pointers(call))

    def _ignored_pointers(self, call: Call) -> tuple[str, ...]:
        operation = call.operation
        if operation is None:
            return self._ignored
        ignored = self._volatile.get(operation.name)
        if ignored is None:
            ignored = self._volatile[operation.name] = self._ignored + self._provider.volatile_pointers(operation)
        return ignored

    def meaningful_headers(self, headers: Sequence[Header]) -> list[Header]:
        """The headers that change a reply's meaning, by name; several of one name in the order they came."""
        names = self._key_headers
        found = [header for header in headers if header[0] in names]
        if len(found) > 1:
            found.sort(key=itemgetter(0))
        return found

    def query(self, query: bytes) -> bytes:
        """The query without what is secret or noise in it."""
        return significant_query(query, self._secret_query)

    def key(
        self, *, origin: Origin, method: str, call: Call, query: bytes, headers: Sequence[Header], body: BodyKey
    ) -> bytes:
        """The cache key: 32 bytes. `query` raw, without `?`; `headers` with lower-case names."""
        route = (origin, method, call.path, query)
        state = self._routes.get(route)
        if state is None:
            state = self._prefix.copy()
            state.update(
                _sized(
                    origin.scheme.encode(), origin.host.encode(), b"%d" % origin.port, origin.prefix.encode(),
                    method.encode(), call.path, self.query(query),
                )
            )  # fmt: skip
            self._routes.set(route, state)
        state = state.copy()
        fields = [body.form.value, body.media]
        for name, value in self.meaningful_headers(headers):
            fields += (name, value)
        state.update(body.digest + _sized(*fields))
        digest: bytes = state.digest()
        return digest
