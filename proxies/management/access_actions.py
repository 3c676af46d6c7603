"""`manage.py proxy access` and `manage.py access --global`: who may use a proxy, and who may use anything here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from accounts.models import SiteSettings
from accounts.selectors import effective_site_settings
from accounts.services import site_settings_update
from proxies.access_lists import edited, read_access_file
from proxies.dataplane.access import AccessList
from proxies.documents import write_yaml
from proxies.management.console import SITE_APPLIED, ConsoleCommand, find, read_bytes
from proxies.models import Proxy
from proxies.schemas import group_of
from proxies.services import wait_site_applied

OWN_LISTS = ("allow", "block")
SITE_LISTS = {"allow": "global_allow", "block": "global_block", "trusted_proxies": "trusted_proxies"}
UNCHANGED = "nothing to change"
_LOOPBACK = ("127.0.0.1", "::1")


def add_access_arguments(access: CommandParser) -> None:
    access.add_argument("--allow", action="append", metavar="ENTRY", help="accept it; may be given several times")
    access.add_argument("--block", action="append", metavar="ENTRY", help="refuse it; a block wins over an allow")
    access.add_argument("--remove", action="append", metavar="ENTRY", help="take it out of whichever list holds it")
    whole = access.add_mutually_exclusive_group()
    whole.add_argument("--clear", action="store_true", help="leave neither an allow nor a block")
    whole.add_argument("--file", metavar="FILE", help="what takes the lists' places; -: standard input")


def proxy_access(command: ConsoleCommand, options: dict[str, Any]) -> None:
    """Shows a proxy's lists, or changes them first."""
    proxy = find(options)
    words = ""
    if edited_lists := _edit(options, OWN_LISTS):
        before = proxy.generation

        def edit(current: Proxy) -> dict[str, Any]:
            return {f"access.{name}": entries for name, entries in edited_lists(group_of(current, "access")).items()}

        proxy, words = command.change(proxy, edit, options)
        if proxy.generation == before:
            words = UNCHANGED
    _show(command, options, group_of(proxy, "access"), proxy.name, words)


def site_access(command: ConsoleCommand, options: dict[str, Any]) -> None:
    """Shows the lists that hold for every port, or changes them first; returns when all running proxies know them."""
    site = effective_site_settings()
    words = ""
    if edited_lists := _edit(options, tuple(SITE_LISTS)):
        with transaction.atomic():  # of two commands at once, the second sees what the first has done
            before = SiteSettings.objects.select_for_update().get_or_create(pk=1)[0].generation
            changes = edited_lists(_site_lists())
            row = site_settings_update({SITE_LISTS[name]: entries for name, entries in changes.items()})
        is_changed = row.generation != before
        words = SITE_APPLIED[wait_site_applied(row.generation)] if is_changed else UNCHANGED
    lists = _site_lists()
    locked = [name for name, field in SITE_LISTS.items() if field in site.locked]
    _show(command, options, {**lists, "locked": locked} if options["as_json"] else lists, "all ports", words)
    if not options["as_json"]:
        for name in locked:
            command.say(f"# {name}: the environment decides this, by RUBBERDUCK_{SITE_LISTS[name].upper()}.")
        if words and (own := _refused_loopback(lists)):
            command.say(f"This machine's own {own} is refused now, at the web interface too; `--clear` undoes it.")


def access_words(entries: Sequence[str], nothing: str) -> str:
    """One list, short."""
    if not entries:
        return nothing
    some = ", ".join(entries[:3]) + (", ..." if len(entries) > 3 else "")
    return f"{len(entries)} ({some})"


def _site_lists() -> dict[str, list[str]]:
    site = effective_site_settings()
    return {name: list(getattr(site, field)) for name, field in SITE_LISTS.items()}


_Lists = Mapping[str, Sequence[str]]


def _edit(options: Mapping[str, Any], names: Sequence[str]) -> Callable[[_Lists], dict[str, list[str]]] | None:
    """What the options make of the stored lists: those that become others. None: they ask for no change. A list that a
    file does not name stays as it is."""
    replaced: dict[str, Sequence[str]] = {}
    if options["clear"]:
        replaced = {name: [] for name in OWN_LISTS}
    elif options["file"] is not None:
        replaced = dict(read_access_file(read_bytes(options["file"]), names, options["file"]))
    added = {name: options.get(name) or [] for name in names}
    removed = options["remove"] or []
    if not (options["clear"] or replaced or removed or any(added.values())):
        return None

    def edit(stored: _Lists) -> dict[str, list[str]]:
        lists = edited({**stored, **replaced}, added, removed)
        return {name: entries for name, entries in lists.items() if entries != list(stored[name])}

    return edit


def _show(
    command: ConsoleCommand, options: Mapping[str, Any], lists: Mapping[str, Any], whose: str, words: str
) -> None:
    if options["as_json"]:
        command.print_json(lists)
    elif words:
        counts = ", ".join(f"{name} {len(entries)}" for name, entries in lists.items())
        command.say(f"{whose}: {words}: {counts}")
    elif any(lists.values()):
        command.say(write_yaml({name: entries for name, entries in lists.items() if entries}))
    else:
        command.say(f"{whose}: everybody may come in.")


def _refused_loopback(lists: Mapping[str, Sequence[str]]) -> str:
    both = AccessList.parse(lists["allow"], lists["block"])
    return " and ".join(address for address in _LOOPBACK if both.check(address) is not None)
