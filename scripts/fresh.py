"""Empties the database and all else that was recorded; settings, the secret key and the database itself stay."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from run import ROOT, is_running, load_settings


def ask(question: str) -> str:
    """What was typed; "" when nobody can be asked."""
    try:
        return input(question).strip()
    except EOFError:
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    settings = load_settings("", "")
    if is_running(settings):
        sys.exit(f"\nRubberduck is running for {settings.DATA_DIR}. Stop it first.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "rubberduck.settings"
    os.chdir(ROOT)
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    database = connection.settings_dict
    where = database["NAME"]
    if connection.vendor != "sqlite":
        where = f"{where} on {database['HOST'] or 'this machine'}"
    print(f"This deletes every proxy, recording, log and account in {where}.")
    if not options.yes and ask("Type yes to go on: ") != "yes":
        sys.exit("Nothing was deleted.")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("flush", verbosity=0, interactive=False)
    shutil.rmtree(settings.DATA_DIR / "spool", ignore_errors=True)
    print("The database is empty.")


if __name__ == "__main__":
    main()
