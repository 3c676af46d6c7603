"""The fields of a proxy: their names, types and ranges, in the one place that admin, command line and API share."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from django.conf import settings
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from accounts.site_fields import address_list_error
from providers.emulated.canned_grammar import InvalidCannedReplies, read_replies
from proxies.dataplane.addresses import InvalidUpstream, parse_upstream
from proxies.dataplane.config import (
    CREDENTIAL_REFERENCE,
    CacheMode,
    LimitScope,
    OverLimit,
    PaceKind,
    TemperatureRule,
)
from proxies.dataplane.faults.grammar import InvalidRules, read_rules
from proxies.errors import Invalid
from proxies.models import MAX_SEED, Proxy

MAX_TAGS = 20
MAX_POINTERS = 100
MIN_TOKENS_PER_S = 0.1
_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Unicode categories: control, surrogate, line and paragraph separator
_LAYOUT = {ord(character): None for character in "\n\r\t"}


def _refuse(reason: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{reason}", {"reason": reason})


def one_line(text: str) -> str:
    if any(unicodedata.category(character) in _UNWANTED for character in text):
        raise _refuse("Leave out line breaks and control characters.")
    return text


def _prose(text: str) -> str:
    one_line(text.translate(_LAYOUT))
    return text


def _tags(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def _bind(text: str) -> str:
    if not text:
        return ""
    try:
        if "%" not in text:
            return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        pass
    raise _refuse("Use an IP address of this machine: 127.0.0.1, 0.0.0.0 for all, ::1, ...")


def _upstream(text: str) -> str:
    if text:
        try:
            parse_upstream(text)
        except InvalidUpstream as error:
            raise _refuse(str(error)) from None
    return text


def _credential(text: str) -> str:
    if text and not CREDENTIAL_REFERENCE.fullmatch(text):
        raise _refuse("Use a reference, os.environ/NAME or profile:NAME; a secret itself is never stored.")
    return text


def _region(text: str) -> str:
    if text and not re.fullmatch(r"[a-z0-9-]+", text):
        raise _refuse("Use lower-case letters, digits and hyphens, as in us-east-1.")
    return text


def _pointer(text: str) -> str:
    # Source: RFC 6901 section 3: "" or /token/token, where ~ is followed by 0 or 1.
    if not text.startswith("/"):
        raise _refuse('A JSON pointer begins with a slash, as in "/metadata/user_id".')
    if re.search(r"~(?![01])", text):
        raise _refuse('In a JSON pointer "~" is written "~0", and "/" inside a name "~1".')
    return text


def _replies(entries: list[Any]) -> list[Any]:
    try:
        read_replies(entries)
    except InvalidCannedReplies as error:
        raise _refuse(str(error)) from None
    return entries


def _rules(entries: list[Any]) -> list[Any]:
    try:
        read_rules(entries)
    except InvalidRules as error:
        raise _refuse(str(error)) from None
    return entries


def _speed(number: float) -> float:
    if 0 < number < MIN_TOKENS_PER_S:
        raise _refuse(f"Use at least {MIN_TOKENS_PER_S:g}, or 0 for at once.")
    return number


def _addresses(entries: list[str]) -> list[str]:
    if reason := address_list_error(entries):
        raise _refuse(reason)
    return list(dict.fromkeys(entries))


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(one_line)]
ModelName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(one_line)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50), AfterValidator(one_line)]
Bind = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_bind)]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]
Pointer = Annotated[str, StringConstraints(max_length=500), AfterValidator(one_line), AfterValidator(_pointer)]
Addresses = Annotated[list[Annotated[str, StringConstraints(strip_whitespace=True)]], AfterValidator(_addresses)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=False)


class CacheFields(_Fields):
    mode: CacheMode = CacheMode.ON
    ttl_s: Annotated[Number, Field(ge=0.001, le=1e9)] | None = None
    temperature: TemperatureRule = TemperatureRule.ALWAYS
    pace: PaceKind = PaceKind.IMMEDIATE
    pace_min_s: Annotated[Number, Field(ge=0, le=3600)] = 0.0
    pace_max_s: Annotated[Number, Field(ge=0, le=3600)] = 0.0
    single_flight: Switch = True
    obeys_upstream: Switch = False
    ignored_pointers: Annotated[list[Pointer], Field(max_length=MAX_POINTERS)] = []

    @model_validator(mode="after")
    def _range(self) -> CacheFields:
        if self.pace is PaceKind.RANDOM and self.pace_max_s < self.pace_min_s:
            raise PydanticCustomError("pace_max_s", "The longest delay is shorter than the shortest (pace_min_s).")
        return self


class EmulationFields(_Fields):
    """They count while the upstream is `emulated`, and do nothing otherwise."""

    strict: Switch = False
    ttft_s: Annotated[Number, Field(ge=0, le=600)] = 0.0
    tokens_per_s: Annotated[Number, Field(ge=0, le=1e6), AfterValidator(_speed)] = 0.0
    jitter: Annotated[Number, Field(ge=0, le=1)] = 0.0
    replies: Annotated[list[Any], AfterValidator(_replies)] = []


class LimitFields(_Fields):
    """Requests and tokens per minute; None: no limit of that sort."""

    rpm: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    tpm: Annotated[Whole, Field(ge=1, le=1_000_000_000)] | None = None
    per: LimitScope = LimitScope.PROXY
    over_limit: OverLimit = OverLimit.REJECT
    hold_s: Annotated[Number, Field(ge=0, le=3600)] = 0.0
    counts_hits: Switch = True
    quota_headers: Switch = False

    @model_validator(mode="after")
    def _hold(self) -> LimitFields:
        if self.over_limit is OverLimit.HOLD and self.hold_s == 0:
            raise PydanticCustomError("hold_s", "Say how many seconds a request is held at most")
        return self


class FaultFields(_Fields):
    """`rules` in the grammar of `proxies.dataplane.faults.grammar`, kept as they were written."""

    rules: Annotated[list[Any], AfterValidator(_rules)] = []
    seed: Annotated[Whole, Field(ge=0, le=MAX_SEED)] = 0
    enabled: Switch = True
    per_request: Switch = False


class AccessFields(_Fields):
    allow: Addresses = []
    block: Addresses = []


class TimeoutFields(_Fields):
    connect_s: Annotated[Number, Field(ge=0.01, le=600)] = Field(default_factory=lambda: settings.CONNECT_S)
    silence_s: Annotated[Number, Field(ge=0.01, le=86_400)] = Field(default_factory=lambda: settings.SILENCE_S)


class ProxyFields(_Fields):
    """Everything a user decides about a proxy, whole and valid. `port` None: the next free one is assigned."""

    name: Name
    provider: str
    model: ModelName = ""
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000), AfterValidator(_prose)] = ""
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_tags)] = []
    bind: Bind = ""
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] | None = None
    upstream: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_upstream)] = ""
    credential: Annotated[
        str, StringConstraints(max_length=200), AfterValidator(one_line), AfterValidator(_credential)
    ] = ""
    region: Annotated[str, StringConstraints(max_length=40), AfterValidator(_region)] = ""
    cache: CacheFields = Field(default_factory=CacheFields)
    emulation: EmulationFields = Field(default_factory=EmulationFields)
    limits: LimitFields = Field(default_factory=LimitFields)
    faults: FaultFields = Field(default_factory=FaultFields)
    access: AccessFields = Field(default_factory=AccessFields)
    timeouts: TimeoutFields = Field(default_factory=TimeoutFields)


GROUPS: dict[str, type[_Fields]] = {
    "cache": CacheFields,
    "emulation": EmulationFields,
    "limits": LimitFields,
    "faults": FaultFields,
    "access": AccessFields,
    "timeouts": TimeoutFields,
}

COLUMNS: dict[str, str] = {
    **{name: name for name in ProxyFields.model_fields if name not in GROUPS},
    **{f"cache.{name}": f"cache_{name}" for name in CacheFields.model_fields},
    **{f"emulation.{name}": f"emulation_{name}" for name in EmulationFields.model_fields},
    **{f"limits.{name}": f"limits_{name}" for name in LimitFields.model_fields},
    **{f"faults.{name}": f"faults_{name}" for name in FaultFields.model_fields},
    **{f"access.{name}": name for name in AccessFields.model_fields},
    "timeouts.connect_s": "connect_timeout_s",
    "timeouts.silence_s": "silence_timeout_s",
}
"""Field name, dotted where nested -> column of the Proxy table."""


def fields_of(proxy: Proxy) -> dict[str, Any]:
    """The stored fields by dotted name."""
    return {name: getattr(proxy, column) for name, column in COLUMNS.items()}


def group_of(proxy: Proxy, group: str) -> dict[str, Any]:
    """The stored fields of one group, by their own names: "limits", "faults", "access", ..."""
    return {name: getattr(proxy, COLUMNS[f"{group}.{name}"]) for name in GROUPS[group].model_fields}


def flatten(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Nested and dotted names alike to dotted ones; a group that is None stands for all of its fields. Raises
    Invalid."""
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in fields.items():
        if name not in GROUPS:
            found[name] = value
        elif value is None:
            found |= {f"{name}.{field}": None for field in GROUPS[name].model_fields}
        elif isinstance(value, Mapping):
            found |= {f"{name}.{field}": inner for field, inner in value.items()}
        else:
            errors[name] = "Use an object."
    errors |= {name: "There is no such field." for name in found if name not in COLUMNS}
    if errors:
        raise Invalid(fields=errors)
    return found


def validate(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Every field by dotted name, after `changes` (dotted too; None: back to the default) on top of `stored`. Raises
    Invalid."""
    nested: dict[str, Any] = {}
    for name, value in {**stored, **changes}.items():
        if value is None:
            continue
        group, dot, inner = name.partition(".")
        if dot:
            nested.setdefault(group, {})[inner] = value
        else:
            nested[name] = value
    try:
        whole = ProxyFields.model_validate(nested).model_dump()
    except ValidationError as error:
        raise Invalid(fields=_reasons(error)) from None
    return {
        name: whole[name] if "." not in name else whole[name.partition(".")[0]][name.partition(".")[2]]
        for name in COLUMNS
    }


def validate_one(kind: Any, value: Any, field: str) -> Any:
    """A single value of one of the types above (Name, Bind, ...). Raises Invalid, which names `field`."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise Invalid(fields={field: "; ".join(f"{one['msg'].rstrip('.')}." for one in error.errors())}) from None


def _reasons(error: ValidationError) -> dict[str, str]:
    """Field name -> reason in words. An element of a list is named in the reason: `tags`: "entry 2: ..."."""
    reasons: dict[str, str] = {}
    for detail in error.errors():
        path = list(detail["loc"])
        if detail["type"] in ("pace_max_s", "hold_s"):
            path.append(detail["type"])
        names = [part for part in path if isinstance(part, str)]
        known = next((".".join(names[:n]) for n in (2, 1) if ".".join(names[:n]) in COLUMNS), ".".join(names))
        entries = [part for part in path if isinstance(part, int)]
        if detail["type"] == "missing":
            words = "This field is required."
        elif detail["type"] == "refused":
            words = detail["msg"]
        else:
            words = f"{detail['msg']}."
        reasons.setdefault(known, f"entry {entries[0] + 1}: {words}" if entries else words)
    return reasons
