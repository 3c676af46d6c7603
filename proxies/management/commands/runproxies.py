"""`manage.py runproxies`: the supervisor, one process per proxy."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from proxies.supervisor.exit_codes import ExitCode
from proxies.supervisor.lock import AlreadyRunning
from proxies.supervisor.loop import Supervisor


class Command(BaseCommand):
    help = (
        "Runs the proxies, a process each: starts, stops and reloads them as the database says, replaces the crashed. "
        "TERM or Ctrl-C lets them finish what they have; a second one ends them at once. "
        f"Exit codes: {ExitCode.DONE} stopped as told, {ExitCode.ALREADY_RUNNING} another supervisor is running."
    )

    def handle(self, **options: Any) -> None:
        supervisor = Supervisor(data_dir=settings.DATA_DIR, drain_s=settings.DRAIN_S)
        try:
            code = supervisor.run()
        except AlreadyRunning as error:
            raise CommandError(str(error), returncode=ExitCode.ALREADY_RUNNING) from None
        sys.exit(code)
