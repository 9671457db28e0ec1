"""``logkit tail``: what it refuses before it reads anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", "1); copy (select 1) to 'x'; select (1"), "--where: syntax error"),
        (("--where", "levle = 'x'"), "--where: there is no column levle; did you mean level"),
        (("-f", "level"), "-f level: write key=value"),
        (("-l", "loud"), "--level: 'loud' is no level"),
        (("--format", "csv"), "Invalid value for '--format'"),
        (("--log-tz", "Mars"), "Invalid value for '--log-tz'"),
        (("--since", "soon"), "Invalid value for '--since'"),
        (("--log-format", "nonsense"), "no log format named 'nonsense'"),
        (("-n", "-1"), "Invalid value for '--lines'"),
    ],
    ids=["statement", "column", "filter", "level", "format", "zone", "since", "log", "n"],
)
def test_a_mistake_is_told_before_anything_is_read(
    cli: Any, words: tuple[str, ...], said: str
) -> None:
    """It is one clear line, perhaps with a hint, and exit code 2."""
    answer = cli("tail", *words)
    assert (answer.code, answer.stdout) == (2, b"")
    assert answer.stderr.startswith(f"logkit: {said}")
    assert len(answer.stderr.splitlines()) <= 2


def test_a_mistake_in_the_settings_names_its_place(cli: Any, tmp_path: Path) -> None:
    """A filter in logkit.toml is one of tail's flags."""
    (tmp_path / "logkit.toml").write_text('[tail]\nfilter = ["status_code=abc"]\n')
    answer = cli("tail", "a.log")
    assert answer.code == 2
    assert (
        answer.stderr == "logkit: -f status_code=abc: status_code is a number and 'abc' is none\n"
    )
