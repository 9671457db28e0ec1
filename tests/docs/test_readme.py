"""The README keeps its word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
@pytest.mark.needs_program("bash", "make")
def test_every_command_in_the_readme_gives_the_output_shown() -> None:
    """Commands and scripts run for real; if this fails, ``make docs`` renews their output."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "readme.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_readme_fits_on_three_screens() -> None:
    """A newcomer reads it to the end."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 160
