"""The settings of a test run: nothing from the developer's environment but DATABASE_URL, data in a temporary
directory."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_ROOT = "PYTEST_RUBBERDUCK_ROOT"  # set by the first process of a run, inherited by xdist's workers

for _name in [name for name in os.environ if name.startswith("RUBBERDUCK_")]:
    del os.environ[_name]
if _ROOT not in os.environ:
    os.environ[_ROOT] = tempfile.mkdtemp(prefix="rubberduck-tests-")
    atexit.register(shutil.rmtree, os.environ[_ROOT], ignore_errors=True)
os.environ["RUBBERDUCK_ENV_FILE"] = ""
os.environ["RUBBERDUCK_DATA_DIR"] = str(Path(os.environ[_ROOT]) / os.environ.get("PYTEST_XDIST_WORKER", "main"))

from rubberduck.settings import *  # noqa: E402, F403

DATABASES["default"]["TEST"] = {}  # noqa: F405
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in real life: SQLite's shared in-memory databases know neither WAL nor busy time-outs.
    DATABASES["default"]["TEST"]["NAME"] = DATA_DIR / "test.sqlite3"  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]  # noqa: F405
