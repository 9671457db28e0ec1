"""Signals that ask a command to end."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, signal
from logkit_analysis.cli.interrupts import stop_on_signals
stop = stop_on_signals()
os.kill(os.getpid(), signal.SIGHUP)
print(stop.is_set())
"""


@pytest.mark.parametrize(
    ("before", "is_stopped"), [([], True), (["nohup"], False)], ids=["as it is", "nohup"]
)
def test_the_end_of_the_terminal_ends_what_nohup_does_not_keep(
    before: list[str], *, is_stopped: bool
) -> None:
    """A follow that was started with nohup outlives the terminal."""
    words = [*before, sys.executable, "-c", CODE]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    assert done.stdout == f"{is_stopped}\n"
