"""What the built distributions hold."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = {"logkit": ROOT / "logkit", "logkit_analysis": ROOT / "analysis" / "logkit_analysis"}


@pytest.fixture
def wheel_files(wheel: Path) -> set[str]:
    """Return the names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_holds_the_code_and_the_queries_and_nothing_else(wheel_files: set[str]) -> None:
    """Both packages and every query go in; tests, samples and caches stay out."""
    expected = {
        f"{package}/{path.relative_to(folder)}"
        for package, folder in CODE.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {
        f"logkit_analysis/{path.relative_to(ROOT)}" for path in ROOT.glob("queries/**/*.sql")
    }
    assert {name for name in wheel_files if ".dist-info/" not in name} == expected


@pytest.mark.parametrize(
    "name",
    [
        "logkit/py.typed",
        "logkit_analysis/py.typed",
        "logkit_analysis/queries/error_rate.sql",
        "logkit_analysis/queries/macros/duckdb.sql",
    ],
)
def test_the_wheel_holds_the_files_that_are_not_python(wheel_files: set[str], name: str) -> None:
    """Type markers, canned queries and macros are in the wheel."""
    assert name in wheel_files


def test_the_wheel_carries_its_license(wheel_files: set[str]) -> None:
    """The license text travels with the code."""
    assert [name for name in wheel_files if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_source_distribution_can_make_the_sample_incident(distributions: Path) -> None:
    """Who builds from source gets the samples and the papers, too."""
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "samples/bot.py", "pyproject.toml"} <= names
