"""Noticing a change in the spool's directory."""

from __future__ import annotations

import select
from pathlib import Path

from logs.watch import DirectoryWatch
from tests.logs.records import make_record, make_spool


def _is_readable(watch: DirectoryWatch) -> bool:
    return watch.descriptor is not None and bool(select.select([watch.descriptor], [], [], 0)[0])


def test_a_record_is_noticed_while_the_watch_is_armed(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    watch = DirectoryWatch(tmp_path)
    spool.write(make_record())
    assert not _is_readable(watch)
    for _ in range(3):
        assert watch.arm()
        assert not _is_readable(watch)
        spool.write(make_record())
        assert _is_readable(watch)
        watch.disarm()
        assert not _is_readable(watch)
    watch.close()


def test_a_new_segment_is_noticed(tmp_path: Path) -> None:
    watch = DirectoryWatch(tmp_path)
    watch.arm()
    make_spool(tmp_path).write(make_record())
    assert _is_readable(watch)
    watch.close()


def test_a_directory_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    watch = DirectoryWatch(tmp_path / "nowhere")
    assert not watch.arm()
    watch.disarm()
    watch.close()
    assert not watch.arm()
