"""`manage.py proxy`: makes, shows, changes and runs proxies from the command line."""

from __future__ import annotations

import shlex
import textwrap
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from accounts.models import User
from accounts.selectors import only_staff_user
from proxies.dataplane.config import CacheMode
from proxies.documents import write_yaml
from proxies.errors import Invalid
from proxies.management.access_actions import add_access_arguments, proxy_access
from proxies.management.console import (
    ConsoleCommand,
    ExitCode,
    find,
    named,
    read_file,
    read_value,
    wrong_usage,
)
from proxies.management.fault_actions import add_fault_arguments, proxy_faults
from proxies.management.limit_actions import add_limit_arguments, proxy_limits
from proxies.management.showing import proxy_show, state_words
from proxies.models import Proxy
from proxies.schemas import COLUMNS
from proxies.selectors import Applied, all_proxies, base_url, observe, observe_one, proxy_summary
from proxies.services import (
    proxy_create,
    proxy_delete,
    proxy_invalidate,
    proxy_kill,
    proxy_start,
    proxy_stop,
    wait_applied,
    wait_running,
    wait_stopped,
)

STOP_GRACE_S = 10.0  # past the drain limit, before `stop` says that the proxy still runs

HELP = f"""\
Makes, shows, changes and runs proxies. Changes to a running proxy are live when the command returns.

{textwrap.fill(f"KEY is a field as the API names it: {', '.join(COLUMNS)}.", 119, break_on_hyphens=False)}
VALUE is text, or JSON where the field is a number, a switch or a list; null goes back to the default. @FILE takes it
from a file (@-: from standard input): JSON or YAML, or text where the field is text.

With the upstream `emulated` the proxy answers by itself. The fields emulation.* are for that alone: with any other
upstream they are kept and do nothing. docs/emulation.md explains them, and the canned replies. docs/faults.md explains
the faults, their rules and presets, the rate limits and the access lists.

Exit codes: {ExitCode.DONE:d} done, {ExitCode.FAILED:d} refused or failed (the reason is on standard error), \
{ExitCode.USAGE:d} the command line is wrong.

  manage.py proxy create mine --provider openai --start
  manage.py proxy create offline --provider openai --upstream emulated --start
  manage.py proxy set mine cache.mode=replay tags='["ci"]' cache.ttl_s=null
  manage.py proxy replies offline --file replies.yaml
  manage.py proxy faults mine --preset slow-model
  manage.py proxy faults mine --clear --add 'error;status=429;rate=0.1' --seed 7
  manage.py proxy limits mine --rpm 60 --per client
  manage.py proxy access mine --allow 10.0.0.0/8 --block 10.9.*.*
  manage.py proxy list --json
"""


class Command(ConsoleCommand):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        output = CommandParser(add_help=False)
        output.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of words")
        one = named(output)

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
        actions.add_parser("show", help="show one proxy and its fields", parents=[one])
        change = actions.add_parser("set", help="change fields", parents=[one])
        change.add_argument("assignments", nargs="*", metavar="KEY=VALUE")
        change.add_argument("--credential", metavar="REF", help="os.environ/NAME or profile:NAME; empty: none")
        replies = actions.add_parser("replies", help="show or replace its canned replies", parents=[one])
        new = replies.add_mutually_exclusive_group()
        new.add_argument("--file", metavar="FILE", help="a list in JSON or YAML to take their place; -: standard input")
        new.add_argument("--clear", action="store_true", help="leave none")
        faults = actions.add_parser(
            "faults", help="show or change what it simulates", parents=[named(output, is_optional=True)]
        )
        add_fault_arguments(faults)
        add_limit_arguments(actions.add_parser("limits", help="show or change its rate limits", parents=[one]))
        add_access_arguments(actions.add_parser("access", help="show or change its access lists", parents=[one]))
        actions.add_parser("start", help="run it; returns when it runs", parents=[one])
        stop = actions.add_parser("stop", help="stop it; returns when it has stopped", parents=[one])
        stop.add_argument("--kill", action="store_true", help="cut the requests in flight")
        actions.add_parser("delete", help="remove it and its recordings; its log stays", parents=[one])
        actions.add_parser("invalidate", help="forget its recordings", parents=[one])

    def act(self, options: dict[str, Any]) -> None:
        if (action := _ELSEWHERE.get(options["action"])) is not None:
            action(self, options)
        else:
            getattr(self, f"_{options['action']}")(options)

    # --- actions

    def _create(self, options: dict[str, Any]) -> None:
        names = ("name", "provider", "model", "port", "bind", "upstream", "description", "tags", "credential")
        fields = {name: options[name] for name in names if options[name] is not None}
        if "port" in fields:
            fields["port"] = read_value("port", fields["port"])
        if options["cache"] is not None:
            fields["cache.mode"] = options["cache"]
        proxy = proxy_create(owner=_owner(options["owner"]), fields=fields, may_reference_credentials=True)
        if options["start"]:
            self._run(proxy, options, "created and running", "is created, but does not run")
        else:
            self.tell(proxy, options, f"created; start it with `manage.py proxy start {shlex.quote(proxy.name)}`")

    def _list(self, options: dict[str, Any]) -> None:
        proxies = list(all_proxies())
        seen = observe(proxies)
        if options["as_json"]:
            self.print_json([proxy_summary(proxy, seen[proxy.pk]) for proxy in proxies])
        elif not proxies:
            self.stdout.write("There is no proxy yet; make one with `manage.py proxy create NAME --provider ID`.")
        else:
            rows = [
                (proxy.name, proxy.provider, base_url(proxy), str(proxy.owner or "-"), state_words(seen[proxy.pk]))
                for proxy in proxies
            ]
            self.print_table([("NAME", "PROVIDER", "BASE URL", "OWNER", "STATE"), *rows])

    def _set(self, options: dict[str, Any]) -> None:
        changes: dict[str, Any] = {}
        for assignment in options["assignments"]:
            name, equals, value = assignment.partition("=")
            if not equals:
                raise wrong_usage(f"{assignment}: use KEY=VALUE.")
            changes[name] = read_file(name, value[1:]) if value.startswith("@") else read_value(name, value)
        if options["credential"] is not None:
            changes["credential"] = options["credential"]
        if not changes:
            raise wrong_usage("Name at least one KEY=VALUE.")
        proxy, words = self.change(find(options), lambda current: changes, options)
        self.tell(proxy, options, words)

    def _replies(self, options: dict[str, Any]) -> None:
        proxy = find(options)
        if options["file"] is None and not options["clear"]:
            self._show_replies(proxy, options)
            return
        replies = [] if options["clear"] else read_file("emulation.replies", options["file"])
        if replies is None:
            raise Invalid(fields={"emulation.replies": f"{options['file']} is empty; --clear leaves no reply."})
        proxy, words = self.change(proxy, lambda current: {"emulation.replies": replies}, options)
        if options["as_json"]:
            self._show_replies(proxy, options)
        else:
            count = len(proxy.emulation_replies)
            self.stdout.write(f"{proxy.name}: {count} canned {'reply' if count == 1 else 'replies'}; {words}")
            if proxy.upstream != "emulated":
                self.stdout.write("They do nothing until its upstream is emulated.")

    def _show_replies(self, proxy: Proxy, options: dict[str, Any]) -> None:
        if options["as_json"]:
            self.print_json(proxy.emulation_replies)
        elif proxy.emulation_replies:
            self.stdout.write(write_yaml(proxy.emulation_replies).rstrip("\n"))
        else:
            self.stdout.write(f"{proxy.name} has no canned replies.")

    def _start(self, options: dict[str, Any]) -> None:
        self._run(find(options), options, "running", "does not run")

    def _stop(self, options: dict[str, Any]) -> None:
        service = proxy_kill if options["kill"] else proxy_stop
        proxy = service(proxy=find(options))
        limit_s = settings.DRAIN_S + STOP_GRACE_S
        if not wait_stopped(proxy, limit_s):
            raise CommandError(f"{proxy.name} still runs after {limit_s:g} s.", returncode=ExitCode.FAILED)
        self.tell(proxy, options, "stopped")

    def _delete(self, options: dict[str, Any]) -> None:
        proxy = find(options)
        summary = proxy_summary(proxy, observe_one(proxy))
        proxy_delete(proxy=proxy)
        if options["as_json"]:
            self.print_json(summary)
        else:
            self.stdout.write(f"{proxy.name}: deleted")

    def _invalidate(self, options: dict[str, Any]) -> None:
        proxy = proxy_invalidate(proxy=find(options))
        is_soon = wait_applied(proxy).applied is Applied.APPLYING
        self.tell(proxy, options, "its recordings are forgotten" + (" soon" if is_soon else ""))

    # --- output

    def _run(self, proxy: Proxy, options: dict[str, Any], done: str, failed: str) -> None:
        proxy = proxy_start(proxy=proxy)
        if reason := wait_running(proxy):
            if options["as_json"]:
                self.print_json(proxy_summary(proxy, observe_one(proxy)))
            raise CommandError(f"{proxy.name} {failed}: {reason}", returncode=ExitCode.FAILED)
        self.tell(proxy, options, f"{done} at {base_url(proxy)}")


def _owner(email: str | None) -> User | None:
    if email is None:
        return only_staff_user()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise Invalid(fields={"owner": f"There is no account {email!r}."})
    return user


_ELSEWHERE = {"show": proxy_show, "faults": proxy_faults, "limits": proxy_limits, "access": proxy_access}
