"""README and how-to pages keep their word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/tutorial.md",
    *(f"docs/how-to/{page}.md" for page in ("bot-logging", "log-formats", "store", "tail")),
]


@pytest.mark.needs_program("bash", "make")
@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_a_page_gives_the_output_shown(page: str) -> None:
    """Commands and scripts run for real; if this fails, ``make docs`` renews their output."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "readme.py"), "--check", page],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_readme_fits_on_three_screens() -> None:
    """A newcomer reads it to the end."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 160
