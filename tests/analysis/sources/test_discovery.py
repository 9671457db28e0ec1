"""What the words of a command line mean: files, folders, globs, standard input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from logkit_analysis.sources.discovery import PathUnusableError, discover


def _make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")


def _names(folder: Path, *words: str | Path) -> list[str]:
    found = discover([str(word) for word in words])
    return [os.path.relpath(file.path, folder) for file in found]


def test_a_folder_gives_its_logs(tmp_path: Path) -> None:
    """By name, in the whole tree, in order; not what lies beside logs, and nothing hidden."""
    logs = ["a.jsonl", "app.log", "app.log.1", "app.log.2.gz", "deep/er/b.ndjson", "APP2.LOG"]
    others = ["settings.json", "app.log.lock", "app.log.ring", "x.duckdb", "x.duckdb.wal", "notes"]
    _make(tmp_path, *logs, *others, ".git/a.log", ".hidden.log", "b.log.tmp", "b.log.swp")
    assert _names(tmp_path, tmp_path) == sorted(logs)


def test_a_folder_s_odd_files_are_passed_over(tmp_path: Path) -> None:
    """A FIFO would block, and a link may lead nowhere."""
    _make(tmp_path, "a.log")
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "gone.log").symlink_to(tmp_path / "nowhere")
    (tmp_path / "current.log").symlink_to(tmp_path / "a.log")
    assert _names(tmp_path, tmp_path) == ["a.log"]


def test_a_glob_is_expanded_and_an_existing_path_is_literal(tmp_path: Path) -> None:
    """A file whose name looks like a glob can be named."""
    _make(tmp_path, "a1.txt", "a2.txt", "a[12].txt", "sub/a3.txt")
    assert _names(tmp_path, tmp_path / "a?.txt") == ["a1.txt", "a2.txt"]
    assert _names(tmp_path, tmp_path / "a[12].txt") == ["a[12].txt"]
    assert _names(tmp_path, f"{tmp_path}/**/*3.txt") == ["sub/a3.txt"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """However often it is named, also by a link."""
    _make(tmp_path, "a.log", "b.log")
    (tmp_path / "link.log").symlink_to(tmp_path / "a.log")
    (tmp_path / "hard.log").hardlink_to(tmp_path / "a.log")
    named = [tmp_path / name for name in ("link.log", "a.log", "hard.log", "b.log", "a.log")]
    assert _names(tmp_path, *named) == ["link.log", "b.log"]


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    """A FIFO that is named, and standard input."""
    os.mkfifo(tmp_path / "pipe")
    found = discover(["-", str(tmp_path / "pipe"), "-"])
    assert [file.is_stream for file in found] == [True, True]


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("missing.log", "cannot read .*missing.log: No such file or directory"),
        ("no/such/*.log", r"nothing matches .*no/such/\*.log"),
        ("empty", r"no log files \(.*\) in .*empty"),
        ("loop", "cannot read .*loop: Too many levels of symbolic links"),
    ],
)
def test_a_word_that_means_no_log_is_refused(word: str, complaint: str, tmp_path: Path) -> None:
    """The complaint names it and says why."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(PathUnusableError, match=complaint):
        discover([str(tmp_path / word)])


def test_an_empty_word_is_not_the_working_folder() -> None:
    """An unset variable in a script must not read whatever is there."""
    with pytest.raises(PathUnusableError, match="empty word"):
        discover([""])


def test_a_name_need_not_be_utf8(tmp_path: Path) -> None:
    """Its name for people is text that any database takes."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/app-\xff.log")
    Path(path).write_text("{}\n")
    (file,) = discover([str(tmp_path)])
    assert file.path == path
    assert file.name.endswith(r"/app-\xff.log")
