"""Programs that tests need are found, installed where that is possible, or named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def programs(*names: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(shutil.which("sh")), "scripts/programs", *names],
        cwd=ROOT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def link(directory: Path, tool: str) -> None:
    (directory / tool).symlink_to(str(shutil.which(tool)))


def test_nothing_happens_when_all_are_there() -> None:
    done = programs("sh", path=os.environ["PATH"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_one_is_named_with_its_package_where_nothing_can_be_installed(tmp_path: Path) -> None:
    link(tmp_path, "id")
    done = programs("no-such-program", path=str(tmp_path))
    assert done.returncode == 1
    assert "sudo apt install no-such-program" in done.stderr


def test_a_missing_one_is_installed_where_no_password_is_asked(tmp_path: Path) -> None:
    """apt-get and the user are stood in for: a test must not change the machine."""
    installed = tmp_path / "no-such-program"
    for name, code in (
        ("id", "echo 0"),
        (
            "apt-get",
            f'[ "$*" = "-qq update" ] || {{ echo "$*" >{tmp_path}/asked; : >{installed}; {CHMOD} 755 {installed}; }}',
        ),
    ):
        (tmp_path / name).write_text(f"#!{shutil.which('sh')}\n{code}\n")
        (tmp_path / name).chmod(0o755)
    done = programs("no-such-program", path=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text().endswith("install no-such-program\n")


CHMOD = shutil.which("chmod")
