"""`manage.py proxy`: makes, shows, changes and runs proxies from the command line."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import textwrap
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from accounts.models import User
from accounts.selectors import only_staff_user
from proxies.dataplane.config import CacheMode
from proxies.documents import read_document, write_yaml
from proxies.errors import DomainError, Invalid
from proxies.models import Proxy
from proxies.schemas import COLUMNS, fields_of
from proxies.selectors import (
    Observation,
    all_proxies,
    base_url,
    observe,
    observe_one,
    proxy_by_name,
    proxy_summary,
    shown_model,
)
from proxies.services import (
    proxy_create,
    proxy_delete,
    proxy_invalidate,
    proxy_kill,
    proxy_start,
    proxy_stop,
    proxy_update,
    wait_applied,
    wait_running,
    wait_stopped,
)

STOP_GRACE_S = 10.0  # past the drain limit, before `stop` says that the proxy still runs


class ExitCode(IntEnum):
    """What the shell sees."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # argparse's own


HELP = f"""\
Makes, shows, changes and runs proxies. Changes to a running proxy are live when the command returns.

{textwrap.fill(f"KEY is a field as the API names it: {', '.join(COLUMNS)}.", 119, break_on_hyphens=False)}
VALUE is text, or JSON where the field is a number, a switch or a list; null goes back to the default. @FILE takes it
from a file (@-: from standard input): JSON or YAML, or text where the field is text.

With the upstream `emulated` the proxy answers by itself. The fields emulation.* are for that alone: with any other
upstream they are kept and do nothing. docs/emulation.md explains them, and the canned replies.

Exit codes: {ExitCode.DONE:d} done, {ExitCode.FAILED:d} refused or failed (the reason is on standard error), \
{ExitCode.USAGE:d} the command line is wrong.

  manage.py proxy create mine --provider openai --start
  manage.py proxy create offline --provider openai --upstream emulated --start
  manage.py proxy set mine cache.mode=replay tags='["ci"]' cache.ttl_s=null
  manage.py proxy replies offline --file replies.yaml
  manage.py proxy list --json
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        output = CommandParser(add_help=False)
        output.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of words")
        named = CommandParser(add_help=False, parents=[output])
        named.add_argument("name", metavar="NAME")
        named.add_argument("--owner", metavar="EMAIL", help="whose proxy, when several owners have one of this name")

        create = actions.add_parser("create", help="make a proxy", parents=[output])
        create.add_argument("name", metavar="NAME")
        create.add_argument("--provider", required=True, metavar="ID", help="openai, anthropic, azure_openai, ...")
        create.add_argument("--model", metavar="TEXT", help="the model to show; default: the provider's example")
        create.add_argument("--port", metavar="N", help="default: the next free one of RUBBERDUCK_PROXY_PORTS")
        create.add_argument("--bind", metavar="ADDR", help="default: RUBBERDUCK_PROXY_BIND")
        create.add_argument("--upstream", metavar="URL", help="or emulated; default: the provider's own")
        create.add_argument("--cache", metavar="MODE", help=", ".join(CacheMode))
        create.add_argument("--description", metavar="TEXT")
        create.add_argument("--tag", action="append", dest="tags", metavar="T", help="may be given several times")
        create.add_argument("--owner", metavar="EMAIL", help="default: the only staff user, or nobody")
        create.add_argument("--credential", metavar="REF", help="os.environ/NAME or profile:NAME")
        create.add_argument("--start", action="store_true", help="return when it runs")

        actions.add_parser("list", help="show all proxies", parents=[output])
        actions.add_parser("show", help="show one proxy and its fields", parents=[named])
        change = actions.add_parser("set", help="change fields", parents=[named])
        change.add_argument("assignments", nargs="*", metavar="KEY=VALUE")
        change.add_argument("--credential", metavar="REF", help="os.environ/NAME or profile:NAME; empty: none")
        replies = actions.add_parser("replies", help="show or replace its canned replies", parents=[named])
        new = replies.add_mutually_exclusive_group()
        new.add_argument("--file", metavar="FILE", help="a list in JSON or YAML to take their place; -: standard input")
        new.add_argument("--clear", action="store_true", help="leave none")
        actions.add_parser("start", help="run it; returns when it runs", parents=[named])
        stop = actions.add_parser("stop", help="stop it; returns when it has stopped", parents=[named])
        stop.add_argument("--kill", action="store_true", help="cut the requests in flight")
        actions.add_parser("delete", help="remove it and its recordings; its log stays", parents=[named])
        actions.add_parser("invalidate", help="forget its recordings", parents=[named])

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_broken_text(options)
        try:
            getattr(self, f"_{options['action']}")(options)
        except DomainError as error:
            raise CommandError(error.message, returncode=ExitCode.FAILED) from None
        except AnyDatabaseError as error:
            words = f"The database cannot be used: {str(error).strip()}. Has `manage.py migrate` been run?"
            raise CommandError(words, returncode=ExitCode.FAILED) from None

    # --- actions

    def _create(self, options: dict[str, Any]) -> None:
        names = ("name", "provider", "model", "port", "bind", "upstream", "description", "tags", "credential")
        fields = {name: options[name] for name in names if options[name] is not None}
        if "port" in fields:
            fields["port"] = _read("port", fields["port"])
        if options["cache"] is not None:
            fields["cache.mode"] = options["cache"]
        proxy = proxy_create(owner=_owner(options["owner"]), fields=fields, may_reference_credentials=True)
        if options["start"]:
            self._run(proxy, options, "created and running", "is created, but does not run")
        else:
            self._tell(proxy, options, f"created; start it with `manage.py proxy start {shlex.quote(proxy.name)}`")

    def _list(self, options: dict[str, Any]) -> None:
        proxies = list(all_proxies())
        seen = observe(proxies)
        if options["as_json"]:
            self._print_json([proxy_summary(proxy, seen[proxy.pk]) for proxy in proxies])
        elif not proxies:
            self.stdout.write("There is no proxy yet; make one with `manage.py proxy create NAME --provider ID`.")
        else:
            rows = [
                (proxy.name, proxy.provider, base_url(proxy), str(proxy.owner or "-"), _words(seen[proxy.pk]))
                for proxy in proxies
            ]
            self._print_table([("NAME", "PROVIDER", "BASE URL", "OWNER", "STATE"), *rows])

    def _show(self, options: dict[str, Any]) -> None:
        proxy = _find(options)
        seen = observe_one(proxy)
        if options["as_json"]:
            self._print_json(proxy_summary(proxy, seen))
            return
        facts = {
            "id": proxy.pk,
            "owner": str(proxy.owner or "nobody"),
            "base URL": base_url(proxy),
            "desired state": str(proxy.desired_state),
            "state": _words(seen),
        }
        fields = {**fields_of(proxy), "model": shown_model(proxy)}
        if replies := fields["emulation.replies"]:
            fields["emulation.replies"] = f"{len(replies)}; see `manage.py proxy replies {shlex.quote(proxy.name)}`"
        shown = facts | {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        self._print_table([(name, str(value)) for name, value in shown.items() if value != ""])

    def _set(self, options: dict[str, Any]) -> None:
        changes: dict[str, Any] = {}
        for assignment in options["assignments"]:
            name, equals, value = assignment.partition("=")
            if not equals:
                raise CommandError(f"{assignment}: use KEY=VALUE.", returncode=ExitCode.USAGE)
            changes[name] = _read_file(name, value[1:]) if value.startswith("@") else _read(name, value)
        if options["credential"] is not None:
            changes["credential"] = options["credential"]
        if not changes:
            raise CommandError("Name at least one KEY=VALUE.", returncode=ExitCode.USAGE)
        proxy = proxy_update(proxy=_find(options), changes=changes, may_reference_credentials=True)
        self._tell(proxy, options, self._applied(proxy, options))

    def _replies(self, options: dict[str, Any]) -> None:
        proxy = _find(options)
        if options["file"] is None and not options["clear"]:
            self._show_replies(proxy, options)
            return
        replies = [] if options["clear"] else _read_file("emulation.replies", options["file"])
        if replies is None:
            raise Invalid(fields={"emulation.replies": f"{options['file']} is empty; --clear leaves no reply."})
        proxy = proxy_update(proxy=proxy, changes={"emulation.replies": replies}, may_reference_credentials=True)
        words = self._applied(proxy, options)
        if options["as_json"]:
            self._show_replies(proxy, options)
        else:
            count = len(proxy.emulation_replies)
            self.stdout.write(f"{proxy.name}: {count} canned {'reply' if count == 1 else 'replies'}; {words}")
            if proxy.upstream != "emulated":
                self.stdout.write("They do nothing until its upstream is emulated.")

    def _show_replies(self, proxy: Proxy, options: dict[str, Any]) -> None:
        if options["as_json"]:
            self._print_json(proxy.emulation_replies)
        elif proxy.emulation_replies:
            self.stdout.write(write_yaml(proxy.emulation_replies).rstrip("\n"))
        else:
            self.stdout.write(f"{proxy.name} has no canned replies.")

    def _applied(self, proxy: Proxy, options: dict[str, Any]) -> str:
        """Waits until a change serves; how far it came, in words. Raises CommandError when it cannot serve."""
        applied = wait_applied(proxy)
        words = {
            "live": "changed, and live",
            "stopped": "changed",
            "applying": "changed; the worker has not taken it up yet",
        }
        if applied not in words:
            self._tell(proxy, options, "changed")
            raise CommandError(f"{proxy.name} is changed, but does not serve: {applied}", returncode=ExitCode.FAILED)
        return words[applied]

    def _start(self, options: dict[str, Any]) -> None:
        self._run(_find(options), options, "running", "does not run")

    def _stop(self, options: dict[str, Any]) -> None:
        service = proxy_kill if options["kill"] else proxy_stop
        proxy = service(proxy=_find(options))
        limit_s = settings.DRAIN_S + STOP_GRACE_S
        if not wait_stopped(proxy, limit_s):
            raise CommandError(f"{proxy.name} still runs after {limit_s:g} s.", returncode=ExitCode.FAILED)
        self._tell(proxy, options, "stopped")

    def _delete(self, options: dict[str, Any]) -> None:
        proxy = _find(options)
        summary = proxy_summary(proxy, observe_one(proxy))
        proxy_delete(proxy=proxy)
        if options["as_json"]:
            self._print_json(summary)
        else:
            self.stdout.write(f"{proxy.name}: deleted")

    def _invalidate(self, options: dict[str, Any]) -> None:
        proxy = proxy_invalidate(proxy=_find(options))
        applied = wait_applied(proxy)
        self._tell(proxy, options, "its recordings are forgotten" + (" soon" if applied == "applying" else ""))

    # --- output

    def _run(self, proxy: Proxy, options: dict[str, Any], done: str, failed: str) -> None:
        proxy = proxy_start(proxy=proxy)
        if reason := wait_running(proxy):
            if options["as_json"]:
                self._print_json(proxy_summary(proxy, observe_one(proxy)))
            raise CommandError(f"{proxy.name} {failed}: {reason}", returncode=ExitCode.FAILED)
        self._tell(proxy, options, f"{done} at {base_url(proxy)}")

    def _tell(self, proxy: Proxy, options: dict[str, Any], words: str) -> None:
        if options["as_json"]:
            self._print_json(proxy_summary(proxy, observe_one(proxy)))
        else:
            self.stdout.write(f"{proxy.name}: {words}")

    def _print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))

    def _print_table(self, rows: list[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _refuse_broken_text(options: dict[str, Any]) -> None:
    """Bytes that are not UTF-8 arrive as lone surrogates, which no database stores."""
    for value in options.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise CommandError(f"{text!a} is not valid UTF-8.", returncode=ExitCode.USAGE) from None


def _words(seen: Observation) -> str:
    state = seen.state.replace("_", " ")
    return f"{state}: {seen.reason}" if seen.reason else state


def _find(options: dict[str, Any]) -> Proxy:
    return proxy_by_name(options["name"], owner_email=options["owner"])


def _owner(email: str | None) -> User | None:
    if email is None:
        return only_staff_user()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise Invalid(fields={"owner": f"There is no account {email!r}."})
    return user


_TEXTS = frozenset({"name", "provider", "model", "description", "bind", "upstream", "credential", "region"})
_WORDS = frozenset({"cache.mode", "cache.temperature", "cache.pace"})


def _read(name: str, text: str) -> Any:
    """The value of an assignment: text where the field is text, else JSON. A list may also be written a,b,c."""
    if text == "null":
        return None
    if name in _TEXTS | _WORDS or name not in COLUMNS:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return _entries(text.split(",")) if name in _LISTS else text


def _read_file(name: str, path: str) -> Any:
    """The value of a field from a file; "-" is standard input."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}.", returncode=ExitCode.FAILED) from None
    if name in _TEXTS | _WORDS:
        try:
            return data.decode().removesuffix("\n")
        except UnicodeDecodeError:
            raise Invalid(fields={name: "The text is not valid UTF-8."}) from None
    return read_document(data, field=name)


_LISTS = frozenset({"tags", "cache.ignored_pointers", "access.allow", "access.block"})


def _entries(parts: Iterable[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]
