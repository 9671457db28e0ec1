"""Trouble with the output is told to people once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit.sinks import notices
from logkit.sinks.notices import Notices

if TYPE_CHECKING:
    import pytest


def test_trouble_that_comes_and_goes_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only when nothing was refused for 5 s it is over, and what comes then is told again."""
    clock = iter((1.0, 1.0, 2.0, 2.0, 6.0, 6.0, 12.5, 13.0))
    monkeypatch.setattr(notices, "monotonic", lambda: next(clock))
    told = Notices("/var/log/bot.log")
    for _ in range(3):
        told.refused(OSError(28, "No space left on device"))
        told.taken()
    told.taken()
    told.refused(OSError(5, "Input/output error"))
    reasons = [line.split(": ", 2)[1:] for line in capfd.readouterr().err.splitlines()]
    assert [words[0] for words in reasons] == [
        "cannot write to /var/log/bot.log",
        "writing to /var/log/bot.log again, after 12 s",
        "cannot write to /var/log/bot.log",
    ]
