"""Growing files, merged: nothing is lost or shown twice, whatever becomes of their names."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.live.filters import Selection

from tests.analysis.live.viewer import START, append, line, numbers, viewing


class TestBacklog:
    """What there was before."""

    def test_the_last_lines_of_all_files_are_merged_by_time(self, tmp_path: Path) -> None:
        """Whichever file a line is in, the latest come last."""
        append(tmp_path / "a.log", *map(line, range(0, 300, 3)))
        append(tmp_path / "b.log", *map(line, range(1, 300, 3)))
        append(tmp_path / "c.log", *map(line, range(2, 300, 3)))
        with viewing(tmp_path) as viewer:
            assert numbers(viewer.last(50)) == list(range(250, 300))
            assert viewer.look() == []

    def test_what_is_rare_is_looked_for_further_back(self, tmp_path: Path) -> None:
        """A filter that few lines pass gets its lines from far before the end."""
        log = tmp_path / "bot.log"
        rare = {100, 5_000, 12_000}
        append(log, *(line(n, level="error" if n in rare else "info") for n in range(20_000)))
        with viewing(log) as viewer:
            assert numbers(viewer.last(50, Selection("error"))) == sorted(rare)
            assert numbers(viewer.last(2, Selection("error"))) == [5_000, 12_000]

    def test_a_rotated_copy_fills_up_what_the_log_lacks(self, tmp_path: Path) -> None:
        """Just after a rotation one still sees what came before it."""
        append(tmp_path / "bot.log.1", *map(line, range(100)))
        append(tmp_path / "bot.log", line(100))
        with viewing(tmp_path / "bot.log") as viewer:
            assert numbers(viewer.last(3)) == [98, 99, 100]

    def test_a_time_is_found_in_a_big_log_and_its_rotated_copies(self, tmp_path: Path) -> None:
        """--since reads what reaches into the time, compressed or not, and nothing before it."""
        with gzip.open(tmp_path / "bot.log.2.gz", "wb") as file:
            file.writelines(map(line, range(500)))
        append(tmp_path / "bot.log.1", *(line(n, pad=900) for n in range(500, 5_000)))
        append(tmp_path / "bot.log", *map(line, range(5_000, 6_000)))
        with viewing(tmp_path / "bot.log") as viewer:
            for number in (250, 500, 4_321, 4_999, 5_000, 5_999, 6_000):
                assert viewer.since(number) == list(range(number, 6_000))

    @pytest.mark.parametrize("size", [1, 700, 3_000])
    def test_records_of_many_lines_are_whole(self, tmp_path: Path, size: int) -> None:
        """However far back one reads, no traceback is torn."""
        log = tmp_path / "bot.log"
        frames = "".join(f'  File "bot.py", line {n}, in f\n' for n in range(size))
        text = "".join(
            f"2026-03-19 12:00:{n:02},000 - bot - ERROR - failed {n}\n"
            f"Traceback (most recent call last):\n{frames}ValueError: {n}\n"
            for n in range(20)
        )
        log.write_text(text)
        old = START.timestamp()
        os.utime(log, (old, old))
        with viewing(log) as viewer:
            for count in (1, 3, 20, 50):
                events = viewer.last(count)
                expected = list(range(20))[-count:]
                assert [event.columns["message"] for event in events] == [
                    f"failed {n}" for n in expected
                ]
                assert [event.columns["error_message"] for event in events] == [
                    str(n) for n in expected
                ]

    def test_a_line_that_is_being_written_is_new_when_it_is_whole(self, tmp_path: Path) -> None:
        """Half a line is neither shown nor lost."""
        log = tmp_path / "bot.log"
        append(log, line(0), line(1)[:20])
        with viewing(log) as viewer:
            assert numbers(viewer.last(9)) == [0]
            append(log, line(1)[20:])
            assert viewer.await_lines(1) == [1]

    def test_lines_that_are_no_events_stay_among_their_neighbours(self, tmp_path: Path) -> None:
        """A broken line is shown where it stands, with the reason."""
        log = tmp_path / "bot.log"
        append(log, line(0), b'{"broken\n', line(1))
        with viewing(log) as viewer:
            reasons = [(event.reject_reason or "").partition(":")[0] for event in viewer.last(9)]
            assert reasons == ["", "invalid_json", ""]


class TestGrowth:
    """What is added."""

    def test_new_lines_of_several_files_come_in_the_order_of_time(self, tmp_path: Path) -> None:
        """A look merges what all files have got since the last one."""
        a, b = tmp_path / "a.log", tmp_path / "b.log"
        append(a, line(0))
        append(b, line(1))
        with viewing(a, b) as viewer:
            append(b, line(3), line(5))
            append(a, line(2), line(4))
            assert viewer.await_lines(4) == [2, 3, 4, 5]

    def test_a_renamed_file_is_read_to_its_end(self, tmp_path: Path) -> None:
        """Whoever still writes into the renamed file is heard, and so is the new one."""
        log = tmp_path / "bot.log"
        append(log, line(0))
        with viewing(log) as viewer, log.open("ab") as old:
            viewer.look()
            log.rename(tmp_path / "bot.log.1")
            append(log, line(2))
            old.write(line(1))
            old.flush()
            assert sorted(viewer.await_lines(2)) == [1, 2]

    def test_a_file_that_is_copied_and_truncated_goes_on(self, tmp_path: Path) -> None:
        """Lines that only the copy holds are shown once, the copy itself is not."""
        log, copy = tmp_path / "bot.log", tmp_path / "bot.log.1"
        append(log, *map(line, range(100)))
        with viewing(tmp_path) as viewer:
            viewer.look()
            append(log, line(100))
            shutil.copy(log, copy)
            os.truncate(log, 0)
            append(log, line(101))
            assert sorted(viewer.await_lines(2)) == [100, 101]
            append(log, line(102))
            assert sorted(viewer.await_lines(3)) == [100, 101, 102]

    def test_a_log_that_is_not_there_yet_is_waited_for(self, tmp_path: Path) -> None:
        """It is said once, and all of its lines are new."""
        log = tmp_path / "bot.log"
        with viewing(log) as viewer:
            assert viewer.said == [f"{log}: nothing there yet, waiting for it"]
            viewer.look()
            append(log, line(0), line(1))
            assert viewer.await_lines(2) == [0, 1]

    def test_what_may_have_been_meant_is_said(self, tmp_path: Path) -> None:
        """A mistyped name, a folder without logs and a device are not waited for without a word."""
        append(tmp_path / "worker.log", line(0))
        (tmp_path / "empty").mkdir()
        with viewing(tmp_path / "wroker.log", tmp_path / "empty", "/dev/null") as viewer:
            mistyped, empty, device = viewer.said
        assert mistyped.endswith(f"; did you mean {tmp_path / 'worker.log'}?")
        assert empty.endswith("; *.log*, *.jsonl*, *.ndjson* are looked for")
        assert device.endswith("; it is no regular file")

    def test_a_time_behind_all_lines_is_told(self, tmp_path: Path) -> None:
        """Somebody who asks for the last minutes of an old log hears how old it is."""
        append(tmp_path / "bot.log", *map(line, range(60)))
        with viewing(tmp_path / "bot.log") as viewer:
            assert viewer.since(60) == []
            (said,) = viewer.said
        assert said.startswith("nothing to show since 2026-03-19 12:01:00Z")
        assert said.endswith("the newest line is of 2026-03-19 12:00:59Z; waiting for more")

    def test_the_names_are_those_asked_for(self, tmp_path: Path) -> None:
        """A rotated copy is read to its end, and not named as if somebody had asked for it."""
        log = tmp_path / "bot.log"
        append(log, line(0))
        with viewing(log) as viewer:
            log.rename(tmp_path / "bot.log.1")
            append(log, line(1))
            viewer.await_lines(1)
            assert viewer.files.names == [str(log)]

    def test_a_compressed_copy_of_what_was_shown_is_not_shown(self, tmp_path: Path) -> None:
        """The compression by logrotate says nothing new."""
        log = tmp_path / "bot.log"
        append(log, *map(line, range(50)))
        with viewing(tmp_path) as viewer:
            viewer.look()
            append(log, line(50))
            assert viewer.await_lines(1) == [50]
            with gzip.open(tmp_path / "bot.log.1.gz", "wb") as file:
                file.write(log.read_bytes())
            log.unlink()
            append(log, line(51))
            viewer.await_lines(2)
            append(tmp_path / "other.log", line(52))
            assert viewer.await_lines(3) == [50, 51, 52]

    def test_a_link_that_is_turned_to_another_file_is_followed(self, tmp_path: Path) -> None:
        """current.log -> 2.log shows the lines of the new file."""
        first, second, link = tmp_path / "1.log", tmp_path / "2.log", tmp_path / "current.log"
        append(first, line(0))
        link.symlink_to(first)
        with viewing(link) as viewer:
            viewer.look()
            append(second, line(1))
            link.unlink()
            link.symlink_to(second)
            assert viewer.await_lines(1) == [1]

    @settings(max_examples=15, deadline=None)
    @given(
        steps=st.lists(
            st.sampled_from(["write", "write", "look", "rotate", "copytruncate"]), max_size=25
        )
    )
    def test_whatever_happens_every_line_is_seen_once(self, steps: list[str]) -> None:
        """Through any sequence of rotations of two logs; each log keeps its order."""
        with TemporaryDirectory() as folder:
            logs = [Path(folder) / "a.log", Path(folder) / "b.log"]
            written: list[int] = []
            for log in logs:
                append(log, *(line(n, name=log.name) for n in range(-12, -2)))
            with viewing(*logs) as viewer:
                for number, step in enumerate(steps):
                    log = logs[number % 2]
                    if step == "look":
                        viewer.look()
                    elif step == "write":
                        append(log, line(number, name=log.name))
                        written.append(number)
                    else:
                        _rotate(log, is_copy=step == "copytruncate", number=number)
                        # A copy and its log are told apart once they have been looked at.
                        viewer.look()
                seen = viewer.await_lines(len(written))
                assert sorted(seen) == written
                viewer.look()
                assert len(viewer.seen) == len(written)


def _rotate(log: Path, *, is_copy: bool, number: int) -> None:
    rotated = log.with_name(f"{log.name}.{number}")
    if is_copy:
        shutil.copy(log, rotated)
        os.truncate(log, 0)
    elif log.exists():
        log.rename(rotated)
        log.touch()
