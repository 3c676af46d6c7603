"""The settings of a fault: plain values (JSON, YAML, a header's) into the fault, and their description for docs, forms
and schemas."""

from __future__ import annotations

import difflib
import math
import types
import typing
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal, TypeVar

from proxies.dataplane.faults.base import Fault

MAX_TEXT = 2000  # characters, where a setting names no limit of its own

AnyFault = TypeVar("AnyFault", bound=Fault)

SettingType = Literal["boolean", "integer", "number", "text", "choice"]
_Enum = type[StrEnum]

_TYPES: dict[type, SettingType] = {bool: "boolean", int: "integer", float: "number", str: "text"}
_WORDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number", "text": "text"}


class InvalidField(ValueError):
    """A value nobody can use: the field's name (with dots, "" for the whole), and the reason in words."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, described. `type`: boolean, integer, number, text or choice; `words` say it with its range, for
    people: "a whole number from 400 to 599"."""

    name: str
    type: SettingType
    words: str
    help: str
    default: bool | int | float | str | None
    is_nullable: bool
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    example: bool | int | float | str | None = None
    enum: _Enum | None = None


def describe(cls: type[Fault]) -> tuple[Setting, ...]:
    """The settings of a fault in their order. Raises TypeError for a field that `setting` did not make, or of a type
    settings cannot have."""
    hints = typing.get_type_hints(cls)
    return tuple(_described(cls, field.name, hints[field.name], field) for field in fields(cls))


def _described(cls: type[Fault], name: str, hint: Any, field: Any) -> Setting:
    alternatives = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = [one for one in alternatives if one is not type(None)]
    metadata = field.metadata
    if "help" not in metadata or len(kinds) != 1:
        raise TypeError(f"{cls.__name__}.{name} must be made by `setting`, of one type or None")
    kind = kinds[0]
    is_choice = isinstance(kind, type) and issubclass(kind, StrEnum)
    if not is_choice and kind not in _TYPES:
        raise TypeError(f"{cls.__name__}.{name}: a setting cannot be of type {kind}")
    choices = tuple(member.value for member in kind) if is_choice else ()
    of: SettingType = "choice" if is_choice else _TYPES[kind]
    max_length = metadata["max_length"] or MAX_TEXT if of == "text" else None
    return Setting(
        name=name,
        type=of,
        words=_words(of, choices, metadata, max_length),
        help=metadata["help"],
        default=_plain(field.default),
        is_nullable=len(kinds) < len(alternatives),
        ge=metadata["ge"],
        gt=metadata["gt"],
        le=metadata["le"],
        max_length=max_length,
        choices=choices,
        example=_plain(metadata["example"]),
        enum=kind if is_choice else None,
    )


def _words(of: str, choices: tuple[str, ...], metadata: Mapping[str, Any], max_length: int | None) -> str:
    if of == "choice":
        return f"one of {', '.join(choices)}"
    if of == "text":
        return f"text of at most {max_length} characters"
    return _WORDS[of] + range_words(metadata["ge"], metadata["gt"], metadata["le"])


def range_words(ge: float | None, gt: float | None, le: float | None) -> str:
    """ " from 400 to 599", " above 0", and so on: to follow "a number"."""
    low = f" from {number(ge)}" if ge is not None else f" above {number(gt)}" if gt is not None else ""
    if le is None:
        return low
    return f"{low} to {number(le)}" if low else f" up to {number(le)}"


def number(value: float) -> int | float:
    """A number as people write it: 2, not 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


def read_settings(cls: type[AnyFault], values: Mapping[str, Any]) -> AnyFault:
    """The fault with these settings. Raises InvalidField."""
    known = {setting.name: setting for setting in describe(cls)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        setting = known.get(name)
        if setting is None:
            raise InvalidField(shown(name), unknown(name, f"setting of {cls.kind}", known))
        read[name] = _read(setting, value)
    fault = cls(**read)
    wrong = fault.check()
    if wrong is not None:
        field, _, reason = wrong.partition(": ")
        raise InvalidField(field, reason)
    return fault


def write_settings(fault: Fault) -> dict[str, bool | int | float | str | None]:
    """The settings that are not as they are by default, as plain values."""
    written = {}
    for setting in describe(type(fault)):
        value = _plain(getattr(fault, setting.name))
        if value != setting.default:
            written[setting.name] = number(value) if isinstance(value, float) else value
    return written


def unknown(name: object, of: str, known: Iterable[str]) -> str:
    """Words for a name that nobody knows: "there is no such setting of error; did you mean status?"."""
    words = list(known)
    near = difflib.get_close_matches(shown(name), words, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(words)}" if words else "there are none"
    return f"there is no such {of}; {hint}"


def shown(value: object) -> str:
    """A value somebody wrote, short and printable enough for a message."""
    if not isinstance(value, str):
        return f"({type(value).__name__})"
    return "".join(character if character.isprintable() else "?" for character in value[:60])


def _read(setting: Setting, value: Any) -> Any:
    if value is None and setting.is_nullable:
        return None
    if setting.type == "boolean":
        if isinstance(value, bool):
            return value
    elif setting.type == "choice":
        if isinstance(value, str) and setting.enum is not None and value in setting.choices:
            return setting.enum(value)
    elif setting.type == "text":
        if isinstance(value, str) and len(value) <= (setting.max_length or MAX_TEXT):
            if not is_clean(value):
                raise InvalidField(setting.name, "use text without control characters")
            return value
    else:
        read = read_number(value, is_whole=setting.type == "integer", ge=setting.ge, gt=setting.gt, le=setting.le)
        if read is not None:
            return read
    raise InvalidField(setting.name, f"use {setting.words}")


def is_clean(text: str) -> bool:
    """Whether a text can be sent: no control characters but tabs and line feeds, no halves of surrogate pairs."""
    return text.isprintable() or all(
        character in "\t\n" or unicodedata.category(character) not in ("Cc", "Cs") for character in text
    )


def read_number(
    value: Any, *, is_whole: bool, ge: float | None = None, gt: float | None = None, le: float | None = None
) -> Any:
    """An int, or a float, within a range; None when the value is none."""
    if isinstance(value, bool) or not isinstance(value, int if is_whole else (int, float)):
        return None
    if not -(2**63) <= value < 2**63 or not math.isfinite(value):  # NaN is between nothing
        return None
    if (ge is not None and value < ge) or (gt is not None and value <= gt) or (le is not None and value > le):
        return None
    return value if is_whole else float(value)


def json_schema(cls: type[Fault]) -> dict[str, Any]:
    """A JSON schema of a rule's `fault` member and the settings beside it."""
    properties: dict[str, Any] = {"fault": {"const": cls.kind}}
    for setting in describe(cls):
        properties[setting.name] = _schema(setting)
    return {
        "title": cls.title,
        "description": cls.summary,
        "type": "object",
        "properties": properties,
        "required": ["fault"],
        "additionalProperties": False,
    }


def _schema(setting: Setting) -> dict[str, Any]:
    kind = {"text": "string", "choice": "string"}.get(setting.type, setting.type)
    schema: dict[str, Any] = {"type": [kind, "null"] if setting.is_nullable else kind, "description": setting.help}
    if setting.choices:
        schema["enum"] = [*setting.choices, None] if setting.is_nullable else list(setting.choices)
    limits = {
        "minimum": setting.ge,
        "exclusiveMinimum": setting.gt,
        "maximum": setting.le,
        "maxLength": setting.max_length,
    }
    schema.update({word: limit for word, limit in limits.items() if limit is not None})
    schema["default"] = setting.default
    if setting.example is not None:
        schema["examples"] = [setting.example]
    return schema
