"""Rewrites the lower half of requirements.txt and requirements-dev.txt: exact versions of what the upper half needs.

The upper half, down to the marker, is written by hand. What is installed in this environment is what gets pinned.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = ROOT / "requirements.txt"
DEVELOPMENT = ROOT / "requirements-dev.txt"
MARKER = "# What these need in turn; written by `make pins`."


def direct(path: Path) -> list[Requirement]:
    """The requirements above the marker, those for other versions of Python included."""
    lines = path.read_text().partition(MARKER)[0].splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def is_for_us(requirement: Requirement, extra: str = "") -> bool:
    """Whether this Python needs it."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def closure(roots: list[Requirement]) -> dict[str, str]:
    """Canonical name -> installed version of the packages and all they need here, extras included.

    Raises PackageNotFoundError for one that is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(root, extra) for root in roots if is_for_us(root) for extra in ("", *root.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        installed = distribution(name)
        found[name] = installed.version
        for text in installed.requires or []:
            need = Requirement(text)
            if is_for_us(need, extra):
                waiting += [(need, wanted) for wanted in ("", *need.extras)]
    return found


def pinned(path: Path, known: dict[str, str]) -> str:
    """The whole file with its lower half renewed; `known` is pinned elsewhere."""
    head = path.read_text().partition(MARKER)[0].rstrip("\n")
    named = {canonicalize_name(requirement.name) for requirement in direct(path)}
    needed = {name: version for name, version in closure(direct(path)).items() if name not in named | known.keys()}
    lines = [f"{name}=={needed[name]}" for name in sorted(needed)]
    return "\n".join([head, "", MARKER, *lines, ""])


def renewed() -> dict[Path, str]:
    return {RUNTIME: pinned(RUNTIME, {}), DEVELOPMENT: pinned(DEVELOPMENT, closure(direct(RUNTIME)))}


if __name__ == "__main__":
    for path, text in renewed().items():
        path.write_text(text)
        sys.stdout.write(f"{path.name}: {text.count('==')} packages\n")
