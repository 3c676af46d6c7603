"""How our processes end: exit codes with names, and any end in words."""

from __future__ import annotations

import os
import signal
from enum import IntEnum


class ExitCode(IntEnum):
    """`BOOT_FAILED` is no crash of the program but a proxy that cannot be served as configured."""

    DONE = 0
    CRASHED = 1
    ALREADY_RUNNING = 3  # another supervisor owns the data directory
    BOOT_FAILED = 4


_WORDS = {
    ExitCode.DONE: "ended by itself",
    ExitCode.CRASHED: "ended with an unexpected error, shown in the supervisor's output",
    ExitCode.BOOT_FAILED: "could not start serving",
}


def end_in_words(status: int) -> str:
    """`status`: as `os.waitpid` gives it. Reads after the name of a process: "was ended by SIGKILL"."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return _WORDS[ExitCode(code)] if code in _WORDS else f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
