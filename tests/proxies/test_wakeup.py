"""The hint to the supervisor."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from proxies.wakeup import open_wakeup_socket, wake_supervisor, wakeup_path


@pytest.mark.parametrize("directory", ["data", "deep/" * 40 + "data"], ids=["short path", "path too long for a socket"])
def test_a_hint_arrives(settings: Settings, tmp_path: Path, directory: str) -> None:
    settings.DATA_DIR = tmp_path / directory
    with open_wakeup_socket() as sock:
        wake_supervisor()
        assert sock.recv(16) == b"!"


def test_without_a_supervisor_a_hint_does_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    wake_supervisor()
    open_wakeup_socket().close()
    wake_supervisor()
    assert wakeup_path().exists()


def test_the_successor_takes_over_the_socket(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    open_wakeup_socket().close()
    with open_wakeup_socket() as sock:
        wake_supervisor()
        assert sock.recv(16) == b"!"


def test_many_hints_never_block(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with open_wakeup_socket() as sock:
        for _ in range(10_000):
            wake_supervisor()
        assert sock.recv(16) == b"!"
