"""`manage.py access --global`: who may use anything here, from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from proxies.management.access_actions import add_access_arguments, site_access
from proxies.management.console import ConsoleCommand, ExitCode, wrong_usage

HELP = f"""\
Shows or changes the access lists that hold for every port, the web interface included. The running proxies know them
when the command returns. A proxy's own lists: manage.py proxy access NAME.

ENTRY is an address, a CIDR range or a wildcard: 192.0.2.7, 10.0.0.0/8, 10.1.*.*, 2001:db8::/32. A block wins over an
allow; an address must pass every allow list that is not empty. X-Forwarded-For is believed of trusted proxies only.

FILE takes the places of the lists it names. It is YAML or JSON, {{allow: [...], block: [...], trusted_proxies: [...]}},
or plain text: the list's name and one entry a line, # begins a comment.

Exit codes: {ExitCode.DONE:d} done, {ExitCode.FAILED:d} refused or failed (the reason is on standard error), \
{ExitCode.USAGE:d} the command line is wrong.

  manage.py access --global --block 203.0.113.0/24
  manage.py access --global --file lists.txt
  manage.py access --global --clear
"""


class Command(ConsoleCommand):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--global", action="store_true", dest="is_global", help="the lists for every port")
        add_access_arguments(parser)
        parser.add_argument(
            "--trusted-proxy",
            action="append",
            dest="trusted_proxies",
            metavar="ENTRY",
            help="believe its X-Forwarded-For; may be given several times",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of words")

    def act(self, options: dict[str, Any]) -> None:
        if not options["is_global"]:
            raise wrong_usage("Say --global; a proxy's own lists: manage.py proxy access NAME.")
        site_access(self, options)
