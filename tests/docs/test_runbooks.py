"""Every alert has a runbook whose commands find something in the sample incident."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from logkit_analysis.cli.app import app
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
RULES = (ROOT / "samples" / "monitoring" / "alerts.yml").read_text()
PARTS = ["What users see", "Confirm", "What to do", "It is over when"]
COMMANDS = {
    command
    for page in RUNBOOKS
    for command in [
        *re.findall(r"^\$ (logkit .*)$", page.read_text(), re.MULTILINE),
        *re.findall(r"`(logkit (?:query|usage|trace --)[^`]*)`", page.read_text()),
    ]
}


def _ingest(folder: Path) -> Path:
    maker = str(ROOT / "samples" / "generate_incident.py")
    subprocess.run([sys.executable, maker, "--output", folder], check=True, capture_output=True)
    database = folder / "logkit.duckdb"
    logs = [str(path) for path in folder.glob("bot-worker.log*")]
    done = CliRunner().invoke(app, ["ingest", "--db", str(database), *logs])
    assert done.exit_code == 0, done.output
    return database


def _complaint(command: str, database: Path) -> str | None:
    words = shlex.split(command.removeprefix("logkit"))
    done = CliRunner().invoke(app, [*words, "--db", str(database), "--format", "json"])
    if done.exit_code != 0:
        return done.output
    is_empty = done.stdout.strip() in {"", "[]"}
    return "found nothing" if is_empty and "--last 3h" in command else None


def test_the_commands_of_the_runbooks_find_the_incident(tmp_path: Path) -> None:
    """Each is one that works; within the hours of the incident it has rows to show."""
    database = _ingest(tmp_path)  # one test, or each worker of a parallel run would do this
    complaints = {command: _complaint(command, database) for command in sorted(COMMANDS)}
    assert {command: why for command, why in complaints.items() if why is not None} == {}


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_a_runbook_has_all_its_parts(page: Path) -> None:
    """What users see, how to confirm, what to do, when it is over; and the name of its alert."""
    text = page.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == PARTS
    (alert,) = re.findall(r"^Alert `(\w+)`", text, re.MULTILINE)
    assert f"- alert: {alert}\n" in RULES


def test_each_alert_leads_to_its_runbook() -> None:
    """The links of the rules and the pages are the same set."""
    links = re.findall(r"runbook_url: \"(.*)\"", RULES)
    assert sorted(links) == [str(page.relative_to(ROOT)) for page in RUNBOOKS]
    assert len(links) == RULES.count("- alert:")
