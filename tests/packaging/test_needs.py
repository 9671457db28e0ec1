"""A run of the tests says what it left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

@pytest.mark.needs_shared("no-such-data/a.log")
def test_of_data(): pass

@pytest.mark.needs_program("no-such-program")
def test_of_program(): pass

def test_of_nothing(): pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Return a folder of tests with needs that no machine meets."""
    folder = tmp_path / "checkout" / "tests"
    folder.mkdir(parents=True)
    shutil.copy(CONFTEST, folder)
    (folder / "test_needs.py").write_text(TESTS)
    return folder


def _run(suite: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:cacheprovider", str(suite)],
        cwd=suite,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
    )


def test_a_run_ends_by_naming_what_was_not_run(suite: Path) -> None:
    """Each test left out is named under its reason, and the run passes."""
    done = _run(suite, ci="")
    assert done.returncode == 0
    told = [line.strip() for line in done.stdout.partition("not run ==")[2].splitlines()]
    assert told[1:-1] == [
        "needs ../shared/no-such-data/a.log:",
        "test_needs.py::test_of_data",
        "needs the program no-such-program:",
        "test_needs.py::test_of_program",
    ]


def test_nothing_may_be_left_out_in_ci(suite: Path) -> None:
    """With CI=true, an unmet need fails the run and says why."""
    done = _run(suite, ci="true")
    assert done.returncode == 1
    assert "needs the program no-such-program" in done.stdout
    assert "1 passed, 2 errors" in done.stdout
