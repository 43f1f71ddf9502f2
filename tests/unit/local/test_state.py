"""What is written down about a world, and what a later process makes of it."""

import os
from pathlib import Path

import psutil

from deploy.local import process
from deploy.local.memo import Memo
from deploy.local.state import PartState, PartStatus, ProcessId, WorldState, WorldStatus, read


def status(**parts: ProcessId | None) -> WorldStatus:
    listed = {name: PartStatus(name, PartState.READY, found) for name, found in parts.items()}
    return WorldStatus(state=WorldState.READY, parts=listed)


def here() -> ProcessId:
    found = ProcessId.of(os.getpid())
    assert found is not None
    return found


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = status(one=here(), two=None)
    written.supervisor, written.problem = here(), "none"
    written.write(tmp_path / "status.json")
    assert read(tmp_path / "status.json") == written
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_file_that_cannot_be_read_is_no_world(tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    assert read(file) is None
    for text in ("", "[]", "{}", '{"parts": {"one": {"colour": 1}}}'):
        file.write_text(text)
        assert read(file) is None


def test_only_the_recorded_process_is_a_leftover() -> None:
    mine = here()
    # The same id, taken by a process that was created an hour later.
    reused = ProcessId(mine.pid, mine.create_time - 3600)
    gone = ProcessId(2**22 + 1, mine.create_time)
    found = status(mine=mine, reused=reused, gone=gone, never=None).leftovers()
    assert [part.name for part, _ in found] == ["mine"]
    assert found[0][1] == psutil.Process()


def test_a_task_is_remembered_until_an_input_changes(tmp_path: Path) -> None:
    first, kept = tmp_path / "input", tmp_path / "data" / "memo"
    first.write_text("one")
    memo = Memo(kept, (first,), what="embedded")
    assert not memo.holds()
    memo.keep()
    assert memo.holds()
    assert not Memo(kept, (first,), what="db.example").holds()
    first.write_text("two")
    assert not memo.holds()
    first.unlink()
    assert not memo.holds()


def test_a_log_that_grows_too_large_starts_again_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("a") as writer:
        writer.write("x" * (process.LOG_LIMIT_BYTES + 1))
        writer.flush()
        process.limit(log)
        writer.write("after\n")
    assert log.read_text() == "after\n"
    assert (tmp_path / "part.log.1").stat().st_size == process.LOG_LIMIT_BYTES + 1
    process.turn_over(log)
    assert (tmp_path / "part.log.1").read_text() == "after\n"


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_bytes(b"one\ntwo\n\xffthree\n")
    assert process.tail(log, 2) == ["two", "\ufffdthree"]
    assert process.tail(tmp_path / "none") == []
