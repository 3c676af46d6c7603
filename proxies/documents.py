"""Values in files and request bodies that people write: JSON, or YAML in its JSON part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import yaml

from proxies.errors import Invalid, Malformed, TooLarge

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 200

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML as JSON knows it: dates stay texts, and a mapping names each member once."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a name stands there twice", node.start_mark)
        return mapping


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)


def read_document(text: str | bytes, *, field: str = "") -> Any:
    """The value of a JSON or YAML text. Raises Malformed or TooLarge, which name `field` and the place."""
    size = len(text)
    if size > MAX_DOCUMENT_BYTES:
        raise _invalid(field, f"The text takes {size} bytes; {MAX_DOCUMENT_BYTES} is the most.", TooLarge)
    try:
        words = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise _invalid(field, "The text is not valid UTF-8.") from None
    try:
        return json.loads(words, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        pass  # YAML reads most JSON too, and says where something is wrong
    try:
        _refuse_bombs(words, field)
        return yaml.load(words, _Loader)
    except yaml.YAMLError as error:
        raise _invalid(field, f"This is neither JSON nor YAML: {_place(error)}.") from None
    except ValueError:  # a number of thousands of digits, half of a surrogate pair
        raise _invalid(field, "This is neither JSON nor YAML that can be read.") from None


def _refuse_bombs(text: str, field: str) -> None:
    """A few lines of aliases could fill the memory, and nesting without end the stack."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _invalid(field, "Aliases (*name) are not read; write the value out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _invalid(field, f"Nested more than {MAX_DEPTH} deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def line_of(text: str, path: Sequence[str | int]) -> int:
    """In which line of a text that `read_document` accepts the value begins that names and places lead to; 1 when it
    cannot be told."""
    try:
        node: Any = yaml.compose(text, _Loader)
        for part in path:
            if isinstance(part, int):
                node = node.value[part]
            else:
                node = next(value for name, value in node.value if name.value == part)
    except (yaml.YAMLError, AttributeError, IndexError, StopIteration, TypeError, ValueError):
        return 1  # JSON that is no YAML
    line: int = node.start_mark.line
    return line + 1


def write_yaml(value: Any) -> str:
    """The value as YAML for people: members in their order, long texts unbroken."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name stands there twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _invalid(field: str, reason: str, kind: type[Invalid] = Malformed) -> Invalid:
    return kind(fields={field: reason}) if field else kind(reason)


def _place(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        return f"{error.problem}{where}"
    return str(error).splitlines()[0]
