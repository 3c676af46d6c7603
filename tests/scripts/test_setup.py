"""A missing prerequisite is named with the way to get it, before anything is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD_PYTHON = "exit 0"
OLD_PYTHON = 'case "$2" in *version_info*) exit 1;; esac'
PYTHON_WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; esac'
GOOD_NODE, OLD_NODE = "echo v20.20.2", "echo v18.19.0"


def setup_with(directory: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Runs the script where nothing but `programs` (name -> shell code) can be found."""
    for name, code in programs.items():
        program = directory / name
        program.write_text(f"#!{shutil.which('sh')}\n{code}\n")
        program.chmod(0o755)
    for tool in ("dirname", "id"):
        (directory / tool).symlink_to(str(shutil.which(tool)))
    return subprocess.run(
        [str(shutil.which("sh")), "scripts/setup"],
        cwd=ROOT,
        env={"PATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("programs", "what", "how"),
    [
        ({}, "Python 3.11 or newer is needed", "apt install python3 python3-venv"),
        ({"python3": OLD_PYTHON}, "Python 3.11 or newer is needed", "make setup PYTHON="),
        ({"python3": PYTHON_WITHOUT_VENV}, "venv module is missing", "apt install python3-venv"),
        ({"python3": GOOD_PYTHON}, "Node.js 20 or newer is needed", "apt install nodejs npm"),
        ({"python3": GOOD_PYTHON, "node": OLD_NODE}, "this is v18.19.0", "nodejs.org"),
        ({"python3": GOOD_PYTHON, "node": GOOD_NODE}, "npm, which comes with Node.js", "apt install npm"),
    ],
    ids=["no python", "old python", "no venv", "no node", "old node", "no npm"],
)
def test_it_is_named_with_the_way_to_get_it(tmp_path: Path, programs: dict[str, str], what: str, how: str) -> None:
    done = setup_with(tmp_path, **programs)
    assert done.returncode == 1
    assert what in done.stderr
    assert how in done.stderr


def test_a_newer_python_under_another_name_will_do(tmp_path: Path) -> None:
    done = setup_with(
        tmp_path, **{"python3": OLD_PYTHON, "python3.12": "echo ran with $1", "node": GOOD_NODE, "npm": "exit 0"}
    )
    assert done.returncode == 0
    assert "ran with scripts/install.py" in done.stdout
