"""Files of results: whole or not at all, and none but the one that was named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.cli.output import destination, write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Write a result."""
    with destination(path) as stream:
        stream.write(data)


writers = pytest.mark.parametrize("write", [write, write_private], ids=["result", "report"])


@writers
def test_a_link_stays_and_what_it_leads_to_is_written(
    write: Callable[[Path, bytes], None], tmp_path: Path
) -> None:
    """Above all /dev/stdout, where that is a file."""
    link, file = tmp_path / "stdout", tmp_path / "elsewhere" / "out.csv"
    file.parent.mkdir()
    file.write_text("old and longer")
    link.symlink_to(file)
    write(link, b"new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert list(file.parent.iterdir()) == [file]


@writers
def test_nothing_is_written_through_a_link_in_the_way(
    write: Callable[[Path, bytes], None], tmp_path: Path
) -> None:
    """In a folder of many users, anybody may guess the name that a file has before it is whole."""
    precious = tmp_path / "precious"
    precious.write_text("all that I have")
    (tmp_path / f".out.csv.{os.getpid()}.partial").symlink_to(precious)
    with pytest.raises(FileExistsError):
        write(tmp_path / "out.csv", b"new")
    assert precious.read_text() == "all that I have"
