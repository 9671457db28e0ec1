"""Text logs that grow, end and change while they are taken in."""

from __future__ import annotations

import gzip
import os
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.analysis.conftest import Store

HEAD = b"2026-03-19 10:00:0%d,123 - bot - ERROR - failed %d\n"
TRACE = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no\n'


def _messages(store: Store) -> list[tuple[str, str | None]]:
    return store.rows("select message, error_type from events order by source_offset")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of three records, the last with a traceback."""
    path = tmp_path / "bot.log"
    path.write_bytes(HEAD % (1, 1) + HEAD % (2, 2) + HEAD % (3, 3) + TRACE)
    return path


def test_the_last_record_of_a_file_at_rest_is_whole(store: Store, log: Path) -> None:
    """Nothing waits for a next record that may never come."""
    assert store.ingest(log).unfinished == []
    assert _messages(store) == [("failed 1", None), ("failed 2", None), ("failed 3", "ValueError")]


def test_a_line_in_the_making_keeps_its_record_waiting(store: Store, log: Path) -> None:
    """A record whose last line has no newline is taken when it is whole, once."""
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    assert store.ingest(log).unfinished == [str(log)]
    assert _messages(store) == [("failed 1", None), ("failed 2", None)]
    log.write_bytes(whole)
    store.ingest(log)
    assert _messages(store)[2:] == [("failed 3", "ValueError")]
    assert store.ingest(log).rows == 0


def test_a_line_without_newline_in_an_old_file(store: Store, log: Path) -> None:
    """When nobody has written for long, what is there is all there is."""
    log.write_bytes(log.read_bytes().removesuffix(b"\n"))
    an_hour_ago = time.time() - 3600
    os.utime(log, (an_hour_ago, an_hour_ago))
    assert store.ingest(log).unfinished == []
    assert _messages(store)[2:] == [("failed 3", "ValueError")]


def test_a_compressed_log_is_whole(store: Store, log: Path) -> None:
    """A compressed file does not grow, with or without a last newline."""
    packed = log.with_suffix(".log.gz")
    packed.write_bytes(gzip.compress(log.read_bytes().removesuffix(b"\n")))
    store.ingest(packed)
    assert _messages(store)[2:] == [("failed 3", "ValueError")]


def test_a_record_over_the_border_of_chunks(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are whole, wherever the chunks end in which the file is read."""
    monkeypatch.setattr("logkit_analysis.sources.reader._BLOCK_BYTES", 97)
    monkeypatch.setattr("logkit_analysis.sources.reader._CHUNK_BYTES", 150)
    path = tmp_path / "bot.log"
    path.write_bytes(b"".join(HEAD % (n % 10, n) + TRACE for n in range(100)))
    store.ingest(path)
    expected = [(f"failed {n}", "ValueError") for n in range(100)]
    assert _messages(store) == expected
    assert store.rows("select count(*) from quarantine") == [(0,)]


def test_the_format_of_a_stream_stays(store: Store, tmp_path: Path) -> None:
    """What a log was found to be holds for what is added, even if that alone tells nothing."""
    path = tmp_path / "bot.log"
    path.write_bytes(HEAD % (1, 1))
    assert [choice.name for choice in store.ingest(path).choices.values()] == ["python-dash"]
    with path.open("ab") as file:
        file.write(b"what is this\n" + HEAD % (2, 2))
    report = store.ingest(path)
    assert not report.choices
    assert (report.rows, dict(report.rejects)) == (1, {"no_format": 1})


def test_a_log_that_changes_its_format(store: Store, tmp_path: Path) -> None:
    """A log that was JSON and goes on as text is read as both from then on."""
    path = tmp_path / "bot.log"
    path.write_bytes(b'{"timestamp":"2026-03-19T10:00:00Z","message":"all set"}\n' * 10)
    store.ingest(path)
    with path.open("ab") as file:
        file.write(b"".join(HEAD % (n, n) for n in range(9)))
    report = store.ingest(path)
    assert [choice.name for choice in report.choices.values()] == ["json+python-dash"]
    assert (report.rows, report.rejects.total()) == (9, 0)
    assert store.rows("select format from sources") == [("json+python-dash",)]


def test_a_time_without_year_is_of_the_year_of_the_file(store: Store, tmp_path: Path) -> None:
    """The last change of the file tells the year."""
    path = tmp_path / "syslog.log"
    path.write_bytes(b"Mar 19 10:00:00 host bot[7]: all set\n")
    moment = 1_584_700_000
    os.utime(path, (moment, moment))
    store.ingest(path)
    assert store.rows("select year(timestamp) from events") == [(2020,)]
