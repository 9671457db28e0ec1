"""One writer, many readers, and nobody starves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.store.access import DatabaseUnusableError
from logkit_analysis.store.locks import DatabaseBusyError, Locks

if TYPE_CHECKING:
    from pathlib import Path

AT_ONCE = 0.05


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return the path of a database; the locks do not need it to exist."""
    return tmp_path / "a.duckdb"


def _impatient(database: Path) -> Locks:
    return Locks(database, timeout_s=AT_ONCE)


def test_readers_share(database: Path) -> None:
    """Any number of them at once."""
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(_impatient(database).reading())


def test_a_writer_is_alone(database: Path) -> None:
    """Neither a reader nor another writer gets in before it is done."""
    with Locks(database).writing():
        for entry in (_impatient(database).reading, _impatient(database).writing):
            with pytest.raises(DatabaseBusyError, match=r"a\.duckdb is in use by "), entry():
                pass
    with _impatient(database).reading(), pytest.raises(DatabaseBusyError):
        _impatient(database).writing().__enter__()


def test_a_waiting_writer_goes_before_new_readers(database: Path) -> None:
    """Overlapping readers cannot keep it out for ever."""
    is_waiting, is_in, may_end = threading.Event(), threading.Event(), threading.Event()

    def is_stopped() -> bool:
        is_waiting.set()
        return False

    def write() -> None:
        with Locks(database, is_stopped=is_stopped).writing():
            is_in.set()
            may_end.wait(60)

    with Locks(database).reading():
        writer = threading.Thread(target=write)
        writer.start()
        assert is_waiting.wait(60)
        with pytest.raises(DatabaseBusyError):
            _impatient(database).reading().__enter__()
        assert not is_in.is_set()
    assert is_in.wait(60)
    may_end.set()
    writer.join()
    with _impatient(database).reading():
        pass


def test_a_wait_is_told_once_and_says_for_whom(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command and process id of the one that has it, and that a follow has no end."""
    monkeypatch.setattr("logkit_analysis.store.locks._PATIENCE_SECONDS", 0.0)
    said: list[str] = []
    with Locks(database).sole_writer("logkit follow"), pytest.raises(DatabaseBusyError) as refusal:
        Locks(database, on_wait=said.append, timeout_s=0.1).sole_writer("x").__enter__()
    holder = f"in use by logkit follow (PID {os.getpid()})"
    endless = "which does not end by itself: stop it, or let it read these files too"
    assert said == [f"waiting for {database}, {holder}, {endless}"]
    assert str(refusal.value).endswith(holder)


def test_the_kernel_frees_the_locks_of_the_dead(database: Path) -> None:
    """A killed writer holds nobody up."""
    script = (
        "import sys, pathlib, logkit_analysis.store.locks as locks\n"
        "here = locks.Locks(pathlib.Path(sys.argv[1]))\n"
        "with here.sole_writer('victim'), here.writing():\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(DatabaseBusyError, match=rf"victim \(PID {process.pid}\)"):
            _impatient(database).reading().__enter__()
        process.send_signal(signal.SIGKILL)
    with _impatient(database).sole_writer("next"), _impatient(database).writing():
        pass


def test_the_side_files_are_private(database: Path) -> None:
    """They say who works on the database."""
    with Locks(database).sole_writer("x"), Locks(database).writing():
        modes = {stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("suffix", [".lock", ".gate.lock", ".writer.lock"])
def test_no_lock_leads_elsewhere(database: Path, suffix: str) -> None:
    """A link that somebody put where a lock belongs is refused, and what it leads to is kept."""
    precious = database.with_name("precious")
    precious.write_text("all that I have")
    database.with_name(f"{database.name}{suffix}").symlink_to(precious)
    locks = _impatient(database)
    with (
        pytest.raises(DatabaseUnusableError, match="is a link"),
        locks.sole_writer("logkit ingest"),
        locks.writing(),
    ):
        pass
    assert precious.read_text() == "all that I have"
