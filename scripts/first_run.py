"""The offer to somebody who starts Rubberduck for the first time: a proxy per provider, to try without a key."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "  Make one emulated proxy per provider to try things? [Y/n] "
HINT = """\
  There is no proxy yet. This makes one per provider, to try without a key:
  .venv/bin/python manage.py demo
"""


class FirstRun:
    """Finds out, while other things start, whether there is any proxy yet. `tie` is called in the child."""

    def __init__(self, environment: Mapping[str, str], tie: Callable[[], None]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  read when the process has ended
        self._lister = subprocess.Popen(
            [sys.executable, "manage.py", "proxy", "list", "--json"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tie,
        )

    @property
    def is_known(self) -> bool:
        return self._lister.poll() is not None

    @property
    def is_first(self) -> bool:
        """Of a database that cannot be asked: no."""
        self._output.seek(0)
        return self._output.read().strip() == b"[]"

    def offers(self) -> bool:
        """Asks whether to make the demonstration; says how to when there is nobody to ask. Whether it has asked."""
        asks = is_at_a_terminal()
        sys.stdout.write(QUESTION if asks else f"{HINT}\n")
        sys.stdout.flush()
        return asks


def is_at_a_terminal() -> bool:
    """Whether somebody can be asked: there is a terminal on both sides, and we are in its foreground. Reading it in the
    background would stop everything."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False


def is_yes(line: bytes) -> bool:
    """Whether a line that was typed agrees. Return alone does; the end of the input does not."""
    return line != b"" and line.strip().lower() in (b"", b"y", b"yes")
