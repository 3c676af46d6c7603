"""`manage.py demo`: one emulated proxy per provider, to try everything with no key and no network."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from providers.base import Snippet
from proxies.demo import DemoProxy, demo_create, demo_remove
from proxies.selectors import NO_SUPERVISOR, live_supervisor


class Command(BaseCommand):
    help = (
        "Makes one emulated proxy per provider on the first ports of RUBBERDUCK_PROXY_PORTS, starts them, and shows "
        "how to call each; what is there already is left as it is. They answer by themselves, with no key and no "
        "network, and belong to nobody. Exit codes: 0 done, 1 not all of them could be made or run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON instead of words")
        parser.add_argument(
            "--snippets", action="store_true", help="show the code for every official SDK, not curl only"
        )
        parser.add_argument("--remove", action="store_true", help="remove them again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["remove"]:
                self._remove(options["as_json"])
            else:
                self._create(options["as_json"], all_snippets=options["snippets"])
        except AnyDatabaseError as error:
            words = f"The database cannot be used: {str(error).strip()}. Has `manage.py migrate` been run?"
            raise CommandError(words) from None

    def _remove(self, as_json: bool) -> None:
        names = demo_remove()
        if as_json:
            self._print_json(names)
        else:
            self.stdout.write(f"Removed {', '.join(names)}." if names else "There is no demonstration to remove.")

    def _create(self, as_json: bool, *, all_snippets: bool) -> None:
        made = demo_create()
        if as_json:
            self._print_json(
                [
                    {**demo.summary(), "snippets": [_plain(snippet) for snippet in _snippets(demo, all_snippets)]}
                    for demo in made
                ]
            )
        else:
            for demo in made:
                if demo.proxy is not None:
                    self._show(demo, all_snippets=all_snippets)
            if live_supervisor() is None and any(demo.proxy is not None for demo in made):
                self.stdout.write(f"\n{NO_SUPERVISOR} They start with it.")
        if failed := [f"{demo.name}: {demo.problem}" for demo in made if demo.problem]:
            raise CommandError("\n".join(failed))

    def _show(self, demo: DemoProxy, *, all_snippets: bool) -> None:
        self.stdout.write(f"\n{demo.name}  {demo.provider.label}  {demo.base_url}\n")
        for snippet in _snippets(demo, all_snippets):
            self.stdout.write(f"\n{snippet.label}:" if all_snippets else "")
            self.stdout.write("".join(f"  {line}\n" for line in snippet.code.splitlines()), ending="")

    def _print_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))


def _snippets(demo: DemoProxy, all_snippets: bool) -> list[Snippet]:
    """All of the provider's, or the last one for a shell: the least that can be typed."""
    found = list(demo.provider.snippets(demo.base_url, demo.provider.example_model))
    return found if all_snippets else [snippet for snippet in found if snippet.language == "shell"][-1:]


def _plain(snippet: Snippet) -> dict[str, str]:
    return {"id": snippet.id, "label": snippet.label, "language": snippet.language, "code": snippet.code}
