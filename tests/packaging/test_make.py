"""What ``make`` says on a machine where it cannot install."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.needs_program("make")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with a fresh clone's build files and no environment."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _make_demo(clone: Path, *arguments: str, **environment: str) -> list[str]:
    outer = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(
        ["make", "demo", *arguments],
        cwd=clone,
        env={**outer, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    return [line for line in done.stderr.splitlines() if not line.startswith("make:")]


@pytest.mark.parametrize(
    ("startup", "said"),
    [
        ("import sys; sys.version_info = (3, 10, 2)", "name Python 3.11 or newer"),
        ("import sys; sys.modules['ensurepip'] = None", "apt install python3-venv"),
    ],
    ids=["old Python", "no venv"],
)
def test_an_unfit_python_gives_one_clear_line(clone: Path, startup: str, said: str) -> None:
    """The line says what to install, and no half environment is left behind."""
    (clone / "sitecustomize.py").write_text(startup)
    (line,) = _make_demo(clone, PYTHONPATH=str(clone))
    assert said in line
    assert not (clone / ".venv").exists()


def test_a_missing_python_gives_one_clear_line(clone: Path) -> None:
    """The line says how to name another Python."""
    (line,) = _make_demo(clone, "PYTHON=no-such-python")
    assert "no-such-python" in line
    assert "make PYTHON=" in line


def test_a_missing_network_gives_one_clear_line(clone: Path) -> None:
    """The line names what could not be had and where pip's own account is."""
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
    }
    (line,) = _make_demo(clone, **nowhere)
    assert "could not be installed" in line
    assert (clone / ".venv" / "pip.log").is_file()
    assert not (clone / ".venv" / ".installed").exists()
