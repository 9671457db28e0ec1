"""``logkit ingest`` as a real process: what it reads, what it says, how it ends."""

from __future__ import annotations

import bz2
import ctypes
import gzip
import lzma
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMAND = [sys.executable, "-m", "logkit_analysis"]


def _lines(first: int, last: int) -> bytes:
    """Return events with ``seq`` from *first* to *last*, both inclusive, each of one size."""
    return b"".join(
        b'{"timestamp":"2026-03-19T12:00:00Z","level":"info","event":"tick","seq":%7d}\n' % seq
        for seq in range(first, last + 1)
    )


LINE_BYTES = len(_lines(0, 0))


@dataclass
class Shell:
    """A folder with a database, and the command run in it."""

    folder: Path
    database: Path

    def start(self, *words: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start ``logkit ingest`` with *words*."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LOGKIT_")}
        return subprocess.Popen(
            [*COMMAND, "ingest", *map(str, words), "--db", self.database],
            cwd=self.folder,
            env=environment,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def ingest(
        self, *words: str | Path, code: int = 0, stdin: bytes | None = None, **options: Any
    ) -> str:
        """Run ``logkit ingest`` to its end; return what it said. Nothing comes on stdout."""
        if stdin is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*words, **options)
        out, said = process.communicate(stdin, timeout=200)
        assert out == b""
        assert process.returncode == code, said.decode()
        assert b"Traceback" not in said
        return said.decode()

    def refused(self, *words: str | Path, code: int = 1, **options: Any) -> str:
        """Run ``logkit ingest``, which fails; return its one or two lines."""
        said = self.ingest(*words, code=code, **options)
        assert said.startswith("logkit: ")
        assert said.count("\n") <= 2
        return said

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of *query*."""
        with closing(duckdb.connect(str(self.database), read_only=True)) as connection:
            return connection.execute(query).fetchall()

    def seqs(self) -> list[int]:
        """Return the ``seq`` of all events, sorted."""
        return [seq for (seq,) in self.rows("select seq from events order by seq")]

    def wal_bytes(self) -> int:
        """Return the size of the database's write-ahead log, which grows with each commit."""
        with suppress(FileNotFoundError):
            return self.database.with_name("logkit.duckdb.wal").stat().st_size
        return 0


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return an empty folder with a shell in it."""
    return Shell(tmp_path, tmp_path / "logkit.duckdb")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of ten events and a malformed line."""
    path = tmp_path / "app.log"
    path.write_bytes(_lines(0, 9) + b"dirt\n")
    return path


def _without_privileges() -> None:
    """Make file permissions hold for the next program, also where tests run as root."""
    drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
    libc = ctypes.CDLL(None)
    for capability in (dac_override, dac_read_search):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


def _with_files_of_at_most(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_it_says_what_it_did(shell: Shell, log: Path) -> None:
    """Rows, files and rejects; the second run finds nothing new. The database is private."""
    assert "10 new rows from 1 file" in (said := shell.ingest(log))
    assert "1 line rejected (1 invalid_json): logkit rejects" in said
    assert shell.ingest(log).startswith("0 new rows from 1 file")
    assert shell.seqs() == [*range(10)]
    assert stat.S_IMODE(shell.database.stat().st_mode) == 0o600
    assert shell.rows("select source_file, source_offset, reason, raw from quarantine") == [
        (str(log), 10 * LINE_BYTES, "invalid_json: Expecting value at character 0", b"dirt")
    ]


def test_folders_globs_and_standard_input(shell: Shell, log: Path) -> None:
    """A relative path, a quoted glob, a folder, a pipe, a compressed pipe."""
    (shell.folder / "more").mkdir()
    (shell.folder / "more" / "b.jsonl").write_bytes(_lines(10, 12))
    shell.ingest("app.log")
    shell.ingest("m*/*.jsonl")
    assert shell.ingest(".").startswith("0 new rows from 2 files")
    shell.ingest("-", stdin=_lines(13, 14))
    shell.ingest("-", stdin=gzip.compress(_lines(15, 15))[:])
    shell.ingest("-", stdin=_lines(16, 16)[:-1])
    assert shell.ingest("-", stdin=b"").startswith("0 new rows")
    assert shell.seqs() == [*range(17)]


def test_compression_is_told_by_content(shell: Shell) -> None:
    """Gz, zst, bz2 and xz, whatever the file is called; a last line needs no newline."""
    compressors: tuple[Callable[[bytes], bytes], ...] = (
        gzip.compress,
        zstd.compress,
        bz2.compress,
        lzma.compress,
    )
    for number, compress in enumerate(compressors):
        first = number * 100
        path = shell.folder / f"{number}.log"
        path.write_bytes(compress(_lines(first, first + 99)[:-1]))
    shell.ingest(shell.folder)
    assert shell.ingest(shell.folder).startswith("0 new rows from 4 files")
    assert shell.seqs() == [*range(400)]


def test_a_line_over_the_limit_is_kept_whole(shell: Shell, log: Path) -> None:
    """Also if it is longer than all that is read at a time; one of ten megabytes is an event."""
    long = [b'{"seq":10,"note":"%s"}' % (b"x" * size) for size in (10_000_000, 70_000_000)]
    with log.open("ab") as file:
        file.write(b"\n".join([*long, _lines(11, 11)]))
    said = shell.ingest(log)
    assert "12 new rows" in said
    assert "1 line_too_long" in said
    assert shell.seqs() == [*range(12)]
    ((reason, raw),) = shell.rows("select reason, raw from quarantine where raw <> 'dirt'::blob")
    assert reason == f"line_too_long: {len(long[1])} bytes, at most 16777216 are read"
    assert raw == long[1]


def test_the_limit_of_a_line_is_a_setting(shell: Shell, log: Path) -> None:
    """As a flag, or for all commands in logkit.toml."""
    shell.ingest(log, "--max-line-bytes", str(LINE_BYTES - 2))
    assert shell.seqs() == []
    (shell.folder / "logkit.toml").write_text(f"max_line_bytes = {LINE_BYTES - 2}\n")
    (shell.folder / "more.log").write_bytes(_lines(0, 1) + b"{}\n")
    shell.ingest("more.log")
    reasons = "select split_part(reason, ':', 1), count(*) from quarantine group by all order by 2"
    assert shell.rows(reasons) == [("invalid_json", 1), ("line_too_long", 12)]
    assert "--max-line-bytes" in shell.refused(log, "--max-line-bytes", "0", code=2)


def test_a_damaged_file_is_named_and_what_precedes_is_stored(shell: Shell, log: Path) -> None:
    """The command fails, since not all was read; the other files are."""
    packed = gzip.compress(_lines(100, 999))
    (shell.folder / "a.log.gz").write_bytes(packed[: len(packed) // 2] + b"\0" * 9)
    said = shell.ingest(shell.folder, code=1)
    assert "a.log.gz: damaged or incomplete: " in said
    assert shell.seqs()[:11] == [*range(10), 100]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("missing.log", "cannot read missing.log: No such file or directory"),
        ("empty", "no log files"),
        ("*.nothing", "nothing matches *.nothing"),
        ("", "an empty word names no file"),
    ],
)
def test_a_path_that_is_no_log_fails_and_leaves_nothing(
    shell: Shell, log: Path, word: str, said: str
) -> None:
    """One line, exit 1; no database is made and no other file is read."""
    (shell.folder / "empty").mkdir()
    assert said in shell.refused(log, word)
    assert sorted(path.name for path in shell.folder.iterdir()) == ["app.log", "empty"]


def test_an_unreadable_path_fails_and_leaves_nothing(shell: Shell, log: Path) -> None:
    """A file or folder without permission is named."""
    locked = shell.folder / "locked"
    locked.mkdir(mode=0)
    (shell.folder / "secret.log").touch(mode=0)
    for path in (shell.folder / "secret.log", locked):
        said = shell.refused(log, path, preexec_fn=_without_privileges)
        assert f"cannot read {path}: " in said.replace("permission", "Permission")
    assert not shell.database.exists()


def test_a_socket_is_no_log(shell: Shell) -> None:
    """What cannot be opened is named, and the command fails."""
    path = shell.folder / "s.log"
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(os.path.relpath(path))
        assert f"{path}: " in shell.ingest(path, code=1)


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 2), (["app.log", "--tz", "Mars/Base"], 2), (["app.log", "--colour"], 2)],
    ids=["no path", "no such zone", "no such option"],
)
def test_a_wrong_call_is_told_from_a_failure(
    shell: Shell, log: Path, words: list[str], code: int
) -> None:
    """Exit 2, and nothing is made."""
    shell.refused(*words, code=code)
    assert list(shell.folder.iterdir()) == [log]


def test_standard_input_may_be_closed(shell: Shell) -> None:
    """A service without standard input gets a message, not a traceback."""
    script = f"exec {sys.executable} -m logkit_analysis ingest - --db a.duckdb <&-"
    done = subprocess.run(["sh", "-c", script], cwd=shell.folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"logkit: ")
    assert b"bug" not in done.stderr


def _no_database(path: Path) -> None:
    path.write_bytes(b"# notes\n" * 1000)


def _newer_schema(path: Path) -> None:
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("create table schema_version (version integer, applied_at timestamptz)")
        connection.execute("insert into schema_version values (999, now())")


def _somebody_s_database(path: Path) -> None:
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("create table customers (name varchar)")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_no_database, "cannot use"),
        (_newer_schema, "schema version 999"),
        (_somebody_s_database, "is no logkit database"),
        (lambda path: path.mkdir(), "cannot use"),
    ],
    ids=["text file", "newer schema", "another database", "folder"],
)
def test_what_is_no_store_of_ours_is_left_alone(
    shell: Shell, log: Path, make: Callable[[Path], None], said: str
) -> None:
    """One line; the file is as it was."""
    make(shell.database)
    before = shell.database.read_bytes() if shell.database.is_file() else b""
    assert said in (complaint := shell.refused(log))
    assert "logkit.duckdb" in complaint
    assert (shell.database.read_bytes() if shell.database.is_file() else b"") == before


def test_an_empty_file_is_a_new_database(shell: Shell, log: Path) -> None:
    """As mktemp makes it."""
    shell.database.touch()
    shell.ingest(log)
    assert shell.seqs() == [*range(10)]


def test_a_folder_that_cannot_be_written_is_named(shell: Shell, log: Path) -> None:
    """Read-only or missing: one line with the path."""
    (shell.folder / "locked").mkdir(mode=0o500)
    for name in ("locked", "missing"):
        shell.database = shell.folder / name / "a.duckdb"
        said = shell.refused(log, preexec_fn=_without_privileges)
        assert f"{shell.database}" in said


def test_two_at_once_read_each_line_once(shell: Shell) -> None:
    """The second waits for the first, and finds nothing left."""
    logs = shell.folder / "logs"
    logs.mkdir()
    for number in range(20):
        first = number * 1000
        (logs / f"{number}.log").write_bytes(_lines(first, first + 999))
    processes = [shell.start(logs) for _ in range(3)]
    for process in processes:
        out, said = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, b""), said.decode()
    assert shell.seqs() == [*range(20_000)]


def _assert_whole(shell: Shell, logs: list[Path], line_count: int) -> int:
    """Assert that all lines before a file's position are stored once, and none behind it."""
    stored = shell.rows(
        "select path, max(end_offset), (select count(*) from events where events.source_id = "
        "sources.source_id), (select count(distinct source_offset) from events where "
        "events.source_id = sources.source_id) "
        "from sources join source_intervals using (source_id) group by all"
    )
    for path, end, events, offsets in stored:
        assert events == offsets == end / LINE_BYTES, path
    assert len(stored) <= len(logs)
    total = shell.rows("select count(*) from events")[0][0]
    assert total == sum(events for _, _, events, _ in stored) <= line_count
    return int(total)


@pytest.fixture
def many_logs(shell: Shell) -> list[Path]:
    """Return many small logs, so that there are many commits."""
    logs = shell.folder / "logs"
    logs.mkdir()
    paths = [logs / f"{number:03}.log" for number in range(150)]
    for number, path in enumerate(paths):
        path.write_bytes(_lines(number * 20, number * 20 + 19))
    return paths


def _until_it_commits(shell: Shell, process: subprocess.Popen[bytes]) -> None:
    """Wait for the next growth of the write-ahead log, or for the end of the process."""
    before = shell.wal_bytes()
    while process.poll() is None and shell.wal_bytes() <= before:
        time.sleep(0.0002)


def test_kill_9_loses_nothing_and_doubles_nothing(shell: Shell, many_logs: list[Path]) -> None:
    """Killed within milliseconds of a commit, again and again: whole commits, nothing else."""
    kills = 0
    for delay_ms in (0, 0, 0.1, 0.3, 0.6, 1, 2, 5, 12, 30):
        process = shell.start(shell.folder / "logs")
        _until_it_commits(shell, process)
        time.sleep(delay_ms / 1000)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if shell.database.exists():
            _assert_whole(shell, many_logs, 3000)
    assert kills
    shell.ingest(shell.folder / "logs")
    assert shell.seqs() == [*range(3000)]
    assert _assert_whole(shell, many_logs, 3000) == 3000


def test_ctrl_c_ends_with_130_and_whole_batches(shell: Shell, many_logs: list[Path]) -> None:
    """No traceback, nothing half; the next run goes on."""
    interrupted = 0
    for delay_ms in (0, 1, 8, 30):
        process = shell.start(shell.folder / "logs")
        _until_it_commits(shell, process)
        time.sleep(delay_ms / 1000)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)
        # Where this process is slow, the other one may have ended before.
        if process.returncode:
            assert (process.returncode, told) == (130, (b"", b""))
            interrupted += 1
        _assert_whole(shell, many_logs, 3000)
    assert interrupted
    shell.ingest(shell.folder / "logs")
    assert shell.seqs() == [*range(3000)]


def test_ctrl_c_while_it_waits_for_input(shell: Shell) -> None:
    """A pipe that says nothing does not hold it."""
    reader, writer = os.pipe()
    process = shell.start("-", stdin=reader)
    while not shell.database.exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 130
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("size", [0, 5_000, 300_000, 1_500_000])
def test_a_full_disk_is_said_and_survived(shell: Shell, tmp_path: Path, size: int) -> None:
    """One line; once there is room, the next run stores the rest, each line once."""
    log = tmp_path / "app.log"
    log.write_bytes(
        b"".join(
            b'{"event":"tick","seq":%d,"noise":"%s"}\n' % (seq, os.urandom(30).hex().encode())
            for seq in range(40_000)
        )
    )
    assert "File too large" in shell.refused(log, preexec_fn=_with_files_of_at_most(size))
    shell.ingest(log)
    assert shell.seqs() == [*range(40_000)]
    assert not list(tmp_path.glob(".*"))
