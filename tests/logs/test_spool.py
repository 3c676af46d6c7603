"""The worker's side of the spool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logs.spool import Spool, pending_bytes
from tests.logs.records import make_record, make_spool, segments, spooled

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_record_is_one_line_in_a_private_file(tmp_path: Path) -> None:
    spool = make_spool(tmp_path / "spool")
    record = make_record()
    spool.write(record)
    (segment,) = segments(tmp_path / "spool")
    assert segment.read_bytes() == record.line()
    assert segment.stat().st_mode & 0o777 == 0o600
    assert segment.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_opened_before_the_first_record(tmp_path: Path) -> None:
    make_spool(tmp_path / "spool")
    assert not (tmp_path / "spool").exists()


def test_segments_follow_each_other_and_sort_in_the_order_of_their_records(tmp_path: Path) -> None:
    records = [make_record() for _ in range(50)]
    spool = make_spool(tmp_path, segment_bytes=5 * len(records[0].line()))
    for record in records:
        spool.write(record)
    assert len(segments(tmp_path)) == 10
    assert [line["id"] for line in spooled(tmp_path)] == [record.id for record in records]


def test_a_killed_writer_loses_nothing_it_has_written(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tests.logs.records import make_record, make_spool
spool = make_spool(Path(sys.argv[1]), segment_bytes=20_000)
while True:
    record = make_record()
    spool.write(record)
    sys.stdout.write(record.id + "\\n")
    sys.stdout.flush()
"""
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert writer.stdout is not None
    seen = [writer.stdout.readline().decode().strip() for _ in range(500)]
    writer.send_signal(signal.SIGKILL)
    seen += writer.stdout.read().decode().splitlines()
    writer.wait()
    writer.stdout.close()
    whole = {line["id"] for line in spooled(tmp_path)}
    assert {name for name in seen if len(name) == 36} <= whole


def test_two_processes_never_share_a_segment(tmp_path: Path) -> None:
    ours = make_spool(tmp_path)
    ours.write(make_record())
    pid = os.fork()
    if pid == 0:
        theirs = make_spool(tmp_path)
        theirs.write(make_record())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    ours.write(make_record())
    assert sorted(len(path.read_bytes().splitlines()) for path in segments(tmp_path)) == [1, 2]


def test_past_the_cap_records_are_dropped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    spool = Spool(tmp_path, 7, max_bytes=40_000, clock=clock)
    for _ in range(200):
        spool.write(make_record())
    written = len(spooled(tmp_path))
    assert 0 < pending_bytes(tmp_path) <= 40_000
    assert written < 200
    for path in segments(tmp_path):
        path.unlink()
    spool.write(make_record())
    assert segments(tmp_path) == []  # how full the spool is is looked at once a second
    clock.now += 1.1
    spool.write(make_record())
    counted, last = spooled(tmp_path)
    assert counted == {"dropped": 200 - written + 1}
    assert last["proxy_id"] == 7
    (warning,) = caplog.messages
    assert "the spool is full" in warning


def test_while_the_cap_lasts_the_drops_are_counted_each_second(tmp_path: Path) -> None:
    clock = Clock()
    spool = Spool(tmp_path, 7, max_bytes=40_000, clock=clock)
    for _ in range(200):
        spool.write(make_record())
    written = len(spooled(tmp_path))
    clock.now += 1.1
    spool.write(make_record())
    assert spooled(tmp_path)[-1] == {"dropped": 200 - written}
    spool.close()
    assert spooled(tmp_path)[-1] == {"dropped": 1}


def test_what_is_in_the_log_does_not_count_against_the_cap(tmp_path: Path) -> None:
    clock = Clock()
    spool = Spool(tmp_path, 7, max_bytes=40_000, clock=clock)
    for _ in range(200):
        spool.write(make_record())
    offsets = ",".join(f'"{path.name}":{path.stat().st_size}' for path in segments(tmp_path))
    (tmp_path / "state.json").write_text(f'{{"offsets":{{{offsets}}},"counters":{{}}}}')
    assert pending_bytes(tmp_path) == 0
    clock.now += 1.1
    spool.write(make_record())
    assert "id" in spooled(tmp_path)[-1]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"offsets": {"a": "b"}, "counters": {}}', '{"offsets": 1}'])
def test_a_state_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    make_spool(tmp_path).write(make_record())
    (tmp_path / "state.json").write_text(content)
    assert pending_bytes(tmp_path) == segments(tmp_path)[0].stat().st_size


def test_a_full_disk_costs_records_and_leaves_no_half_line(tmp_path: Path) -> None:
    # In a process of its own: the limit holds for files of any kind. 10 lines fit, and 5 bytes of the next.
    code = """
import resource
import sys
from pathlib import Path
from tests.logs.records import make_record, make_spool
spool = make_spool(Path(sys.argv[1]))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10 * len(make_record().line()) + 5, hard))
for _ in range(30):
    spool.write(make_record())
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
spool.write(make_record())
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = spooled(tmp_path)
    assert ["id" in line for line in lines] == [True] * 10 + [False, True]
    assert lines[10] == {"dropped": 20}
    assert done.stderr == "proxy 7: log records lost: 1 (No space left on device)\n"


def test_a_directory_that_may_not_be_written_costs_records_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the directory should be")
    clock = Clock()
    spool = Spool(tmp_path / "spool", 7, max_bytes=1024**3, clock=clock)
    for _ in range(3):
        spool.write(make_record())
    (tmp_path / "spool").unlink()
    clock.now += 1.1
    spool.write(make_record())
    assert spooled(tmp_path / "spool")[0] == {"dropped": 3}


def test_a_spool_whose_directory_vanished_goes_on_with_the_next_segment(tmp_path: Path) -> None:
    spool = make_spool(tmp_path / "spool", segment_bytes=1)
    spool.write(make_record())
    for path in segments(tmp_path / "spool"):
        path.unlink()
    (tmp_path / "spool").rmdir()
    record = make_record()
    spool.write(record)
    assert [line["id"] for line in spooled(tmp_path / "spool")] == [record.id]
