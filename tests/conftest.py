"""What every test may use."""

from __future__ import annotations

import os

# The test run itself uses `tests.settings`; a process that a test starts is the real program.
os.environ["DJANGO_SETTINGS_MODULE"] = "rubberduck.settings"
