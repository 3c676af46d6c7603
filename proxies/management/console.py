"""What the commands about proxies share: exit codes, output for people and scripts, files and values to read."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from proxies.documents import read_document
from proxies.errors import DomainError, Invalid
from proxies.models import Proxy
from proxies.schemas import COLUMNS
from proxies.selectors import Applied, observe_one, proxy_by_name, proxy_summary
from proxies.services import proxy_edit, wait_applied

SITE_APPLIED = {
    Applied.LIVE: "changed, and live",
    Applied.STOPPED: "changed",
    Applied.APPLYING: "changed; not every worker has taken it up yet",
}
_APPLIED = {
    Applied.LIVE: "changed, and live",
    Applied.STOPPED: "changed",
    Applied.DRAINING: "changed",
    Applied.APPLYING: "changed; the worker has not taken it up yet",
}
_SWITCH = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_TEXTS = frozenset({"name", "provider", "model", "description", "bind", "upstream", "credential", "region"})
_WORDS = frozenset({"cache.mode", "cache.temperature", "cache.pace", "limits.per", "limits.over_limit"})
_LISTS = frozenset({"tags", "cache.ignored_pointers", "access.allow", "access.block"})


class ExitCode(IntEnum):
    """What the shell sees."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # argparse's own


class ConsoleCommand(BaseCommand):
    """A command whose refusals are one line on standard error and an exit code."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def act(self, options: dict[str, Any]) -> None:
        """What the command does. Raises DomainError and CommandError."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_broken_text(options)
        try:
            self.act(options)
        except DomainError as error:
            raise CommandError(error.message, returncode=ExitCode.FAILED) from None
        except AnyDatabaseError as error:
            words = f"The database cannot be used: {str(error).strip()}. Has `manage.py migrate` been run?"
            raise CommandError(words, returncode=ExitCode.FAILED) from None

    # --- output

    def say(self, words: str) -> None:
        self.stdout.write(words.rstrip("\n"))

    def print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))

    def print_table(self, rows: Sequence[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())

    def tell(self, proxy: Proxy, options: Mapping[str, Any], words: str) -> None:
        if options["as_json"]:
            self.print_json(proxy_summary(proxy, observe_one(proxy)))
        else:
            self.say(f"{proxy.name}: {words}")

    # --- changing

    def change(
        self, proxy: Proxy, edit: Callable[[Proxy], Mapping[str, Any]], options: Mapping[str, Any]
    ) -> tuple[Proxy, str]:
        """Changes the fields that `edit` makes of the stored proxy and waits until they serve; the proxy, and how far
        it came, in words."""
        changed = proxy_edit(proxy=proxy, edit=edit, may_reference_credentials=True)
        return changed, self.applied(changed, options)

    def applied(self, proxy: Proxy, options: Mapping[str, Any]) -> str:
        """Waits until a change serves; how far it came, in words. Raises CommandError when it cannot serve."""
        progress = wait_applied(proxy)
        if progress.applied is Applied.FAILED:
            self.tell(proxy, options, "changed")
            words = f"{proxy.name} is changed, but does not serve: {progress.reason}"
            raise CommandError(words, returncode=ExitCode.FAILED)
        return _APPLIED[progress.applied]


def named(output: CommandParser, *, is_optional: bool = False) -> CommandParser:
    """The arguments of an action on one proxy."""
    parser = CommandParser(add_help=False, parents=[output])
    parser.add_argument("name", metavar="NAME", nargs="?" if is_optional else None)
    parser.add_argument("--owner", metavar="EMAIL", help="whose proxy, when several owners have one of this name")
    return parser


def find(options: Mapping[str, Any]) -> Proxy:
    """Raises NotFound and Ambiguous."""
    if options["name"] is None:
        raise wrong_usage("Say which proxy: NAME is missing.")
    return proxy_by_name(options["name"], owner_email=options["owner"])


def wrong_usage(words: str) -> CommandError:
    return CommandError(words, returncode=ExitCode.USAGE)


# --- values and files


def read_value(name: str, text: str) -> Any:
    """The value of an assignment: text where the field is text, else JSON. A list may also be written a,b,c."""
    if text == "null":
        return None
    if name in _TEXTS | _WORDS or name not in COLUMNS:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return _entries(text.split(",")) if name in _LISTS else text


def read_switch(name: str, text: str) -> bool:
    """Raises CommandError for what is neither on nor off."""
    if text.lower() not in _SWITCH:
        raise wrong_usage(f"{name}: use on or off, or yes or no, not {text!r}.")
    return _SWITCH[text.lower()]


def read_number_or_none(text: str) -> Any:
    """`none` is none; what is no number stays text, for the field's own check to refuse."""
    if text.lower() in ("none", "null", ""):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def read_bytes(path: str) -> bytes:
    """The content of a file; "-" is standard input. Raises CommandError."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}.", returncode=ExitCode.FAILED) from None


def read_file(name: str, path: str) -> Any:
    """The value of a field from a file; "-" is standard input."""
    data = read_bytes(path)
    if name in _TEXTS | _WORDS:
        try:
            return data.decode().removesuffix("\n")
        except UnicodeDecodeError:
            raise Invalid(fields={name: "The text is not valid UTF-8."}) from None
    return read_document(data, field=name)


def _entries(parts: Iterable[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]


def _refuse_broken_text(options: Mapping[str, Any]) -> None:
    """Bytes that are not UTF-8 arrive as lone surrogates, which no database stores."""
    for value in options.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise wrong_usage(f"{text!a} is not valid UTF-8.") from None
