"""Brings .venv, the npm packages and the built frontend up to date; does only what has changed since it last did it."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
VENV = ROOT / ".venv"
OLDER_VENV = ROOT / ".venv-older-sdks"
FRAMEWORKS_VENV = ROOT / ".venv-frameworks"
WIRE = ROOT / "tests" / "wire"
FRAMEWORKS = ROOT / "tests" / "emulated" / "frameworks"


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        print(f"\nThis failed: {' '.join(str(part) for part in command)}", file=sys.stderr)
        sys.exit(1)


def digest(inputs: Iterable[Path], *words: str) -> str:
    """Over the names and contents of files, directories walked, and `words`."""
    found = hashlib.sha256("\0".join(words).encode())
    for entry in inputs:
        for path in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
            if path.is_file():
                found.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def step(what: str, stamp: Path, now: str, act: Callable[[], None], *, always: bool = False) -> None:
    """Acts unless `stamp` says that it was done before. The stamp goes first, so an interrupted step is done again."""
    if not always and stamp.is_file() and stamp.read_text() == now:
        return
    print(f"==> {what}", flush=True)
    stamp.unlink(missing_ok=True)
    act()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(now)


def works(environment: Path) -> bool:
    """Whether its interpreter runs, from where it is now (an environment that was moved does not)."""
    program = environment / "bin" / "python"
    question = "import sys, pip; print(sys.prefix, *sys.version_info[:2])"
    try:
        done = subprocess.run([program, "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return False
    major, minor = sys.version_info[:2]
    return done.returncode == 0 and done.stdout.split() == [str(environment), str(major), str(minor)]


def python_packages(environment: Path, requirements: Sequence[Path], stamp_name: str) -> None:
    is_new = not works(environment)
    if is_new:
        print(f"==> Making {environment.name} with Python {sys.version.split()[0]}", flush=True)
        run(sys.executable, "-m", "venv", "--clear", environment)
    install: list[str | Path] = [
        environment / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    step(
        f"Installing {requirements[-1].name}",
        environment / stamp_name,
        digest(requirements),
        lambda: run(*install, "-r", requirements[-1]),
        always=is_new,
    )


def npm_packages(directory: Path) -> None:
    step(
        f"Installing the npm packages of {directory.relative_to(ROOT)}",
        directory / "node_modules" / ".rubberduck-stamp",
        digest([directory / "package.json", directory / "package-lock.json"]),
        lambda: run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=directory),
    )


def build_frontend() -> None:
    """The compressed copies beside each file are what WhiteNoise sends to browsers that accept them."""
    dist = FRONTEND / "dist"

    def build() -> None:
        shutil.rmtree(dist, ignore_errors=True)
        run("npm", "run", "--silent", "build", "--", "--logLevel=warn", cwd=FRONTEND)
        run(VENV / "bin" / "python", "-m", "whitenoise.compress", "--quiet", dist)

    configuration = [path for path in FRONTEND.iterdir() if path.is_file()]
    inputs = sorted([*configuration, FRONTEND / "src", FRONTEND / "public"])
    step("Building the web pages", dist / ".rubberduck-stamp", digest(inputs), build)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    parser.add_argument("--older-sdks", action="store_true", help="also the older generation of the official SDKs")
    options = parser.parse_args()
    os.environ.pop("PYTHONHOME", None)
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes side by side would install into each other's feet
        runtime = ROOT / "requirements.txt"
        python_packages(VENV, [runtime], ".rubberduck-runtime")
        if options.tests:
            python_packages(VENV, [runtime, ROOT / "requirements-dev.txt"], ".rubberduck-tests")
        npm_packages(FRONTEND)
        build_frontend()
        if options.tests:
            npm_packages(WIRE)
            npm_packages(FRAMEWORKS)
            python_packages(FRAMEWORKS_VENV, [ROOT / "requirements-frameworks.txt"], ".rubberduck-frameworks")
        if options.older_sdks:
            python_packages(OLDER_VENV, [ROOT / "requirements-sdks-older.txt"], ".rubberduck-sdks")
            npm_packages(WIRE / "older")


if __name__ == "__main__":
    main()
