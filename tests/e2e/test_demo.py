"""``logkit demo`` as a newcomer runs it: what it prints is the truth of its incident."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the demo runs."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> tuple[str, dict[str, Any]]:
    """Run the real command twice in a fresh folder; return the second output and the truth."""
    command = [str(Path(sys.executable).with_name("logkit")), "demo", "incident"]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout, json.loads((folder / "incident" / "truth.json").read_text())


def section(output: str, title: str) -> str:
    """Return the part of *output* under the heading that holds *title*."""
    return next(part for part in output.split("\n\n") if title in part.splitlines()[0])


def test_it_counts_events_and_rejects(demo: tuple[str, dict[str, Any]]) -> None:
    """A second demo in the same folder counts nothing twice."""
    output, truth = demo
    assert f"Read {truth['events']:,} events from {len(truth['files'])} files" in output
    rejected = re.findall(r"^\w+ +(\d+)  incident/", section(output, "(rejects)"), re.MULTILINE)
    assert sum(map(int, rejected)) == sum(truth["rejects"].values())


def test_it_finds_every_storm(demo: tuple[str, dict[str, Any]]) -> None:
    """Start and end to the second, hits and ignored waits of the storms are exact."""
    output, truth = demo
    storms = section(output, "(rate_limit_storms)")
    for storm in truth["storms"]:
        started, ended = (storm[key].replace("T", " ") for key in ("started_at", "ended_at"))
        counts = rf"{storm['hits']:,} +{storm['ignored_retry_after']:,}"
        row = rf"^{started[:19]} {ended[:19]} \S+ +{counts}$"
        assert re.search(row, storms, re.MULTILINE)
    assert len(re.findall(r"^2026", storms, re.MULTILINE)) == len(truth["storms"])


def test_it_finds_the_onset_and_the_percentiles(demo: tuple[str, dict[str, Any]]) -> None:
    """The slow endpoint is named and its medians before and during are those of the truth."""
    output, truth = demo
    degradation = truth["degradation"]
    percentiles = section(output, "(latency_percentiles)")
    assert f"How slow was {degradation['endpoint']}?" in percentiles
    rows = re.findall(r"^(before|during) +POST +[\d,]+ +([\d.,]+)", percentiles, re.MULTILINE)
    medians = {name: float(text.replace(",", "")) for name, text in rows}
    assert medians["before"] == pytest.approx(degradation["baseline_p50_ms"], rel=0.02)
    assert medians["during"] == pytest.approx(degradation["degraded_p50_ms"], rel=0.02)
    onset = degradation["started_at"]
    day, minute = onset[:10], onset[11:16]
    assert re.search(rf"latency +\S+ +{day} {minute}:", section(output, "(degradation_start)"))


@pytest.mark.needs_program("bash")
@pytest.mark.usefixtures("demo")
def test_the_page_about_the_terminal_shows_what_it_gives(folder: Path) -> None:
    """Charts and tables in the page are those of the demo; ``make docs`` renews it."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    text = (ROOT / "docs" / "how-to" / "terminal.md").read_text(encoding="utf-8")
    shown = text.replace("$ logkit demo incident >/dev/null", "$ true")
    assert pages.executed(shown, folder) == shown


def test_it_says_what_to_try_next(demo: tuple[str, dict[str, Any]]) -> None:
    """The last lines are three commands, and the time that it took."""
    output, _ = demo
    assert re.search(r"took \d+\.\d s", output)
    assert len(re.findall(r"^  logkit ", output, re.MULTILINE)) == 3


def test_it_ends_with_a_report_that_tells_the_truth(
    demo: tuple[str, dict[str, Any]], folder: Path
) -> None:
    """The page names the slow endpoint, its onset to the minute, each storm, and the deploy."""
    output, truth = demo
    assert "for a browser: incident/incident.html" in output
    page = (folder / "incident" / "incident.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", page)
    degradation = truth["degradation"]
    assert f"{degradation['method']} {degradation['endpoint']} answered slowly" in text
    assert f"From {degradation['started_at'][:16].replace('T', ' ')}" in text
    for storm in truth["storms"]:
        assert f"({storm['hits']:,} times 429)" in text
    assert f"{truth['deploy']['old_version']} → {truth['deploy']['new_version']}" in text


def test_it_keeps_away_from_other_peoples_files(tmp_path: Path) -> None:
    """A folder that is no demo's is left as it is, with one clear line."""
    database = tmp_path / "logkit.duckdb"
    database.write_text("precious")
    command = [str(Path(sys.executable).with_name("logkit")), "demo", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "something else" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["logkit.duckdb"]
    assert database.read_text() == "precious"
