"""Files for Prometheus and Grafana: up to date, valid, and the rules fire when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "samples" / "monitoring"
GENERATED = ("alerts.yml", "dashboard.json", "prometheus.yml")


def _generate(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "samples" / "generate_monitoring.py")
    return subprocess.run(
        [sys.executable, script, "--output", folder, *options],
        capture_output=True,
        text=True,
        check=True,
    )


def _promtool(*arguments: str, folder: Path) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_files_are_what_the_tables_say(tmp_path: Path) -> None:
    """``make docs`` renews them after a change of metrics or alerts."""
    _generate(tmp_path)
    fresh = {name: (tmp_path / name).read_text() for name in GENERATED}
    assert {name: (FOLDER / name).read_text() for name in GENERATED} == fresh


@pytest.mark.needs_program("promtool")
def test_prometheus_takes_configuration_and_rules(tmp_path: Path) -> None:
    """With several bots and runbooks elsewhere, too."""
    targets = ("--target", "a:9464", "--target", "b:9464")
    _generate(tmp_path, *targets, "--runbooks", "https://wiki.example/bots/")
    assert "SUCCESS" in _promtool("check", "config", "prometheus.yml", folder=tmp_path)
    assert "https://wiki.example/bots/bot_down.md" in (tmp_path / "alerts.yml").read_text()


@pytest.mark.needs_program("promtool")
def test_each_alert_fires_when_it_should_and_not_otherwise() -> None:
    """Made-up series cross each threshold, and come close to it without crossing."""
    rules = re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text())
    tests = (FOLDER / "alerts_test.yml").read_text()
    assert sorted(set(re.findall(r"alertname: (\w+)", tests))) == sorted(rules)
    assert "SUCCESS" in _promtool("test", "rules", "alerts_test.yml", folder=FOLDER)


@pytest.mark.needs_program("promtool")
def test_each_panel_asks_for_what_prometheus_understands(tmp_path: Path) -> None:
    """All expressions of the dashboard are PromQL; ids and places are each taken once."""
    board = json.loads((FOLDER / "dashboard.json").read_text())
    panels = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", ()))]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}) == len(panels)
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    lines = ["groups:", "  - name: panels", "    rules:"]
    for number, expr in enumerate(asked):
        text = json.dumps(expr.replace("$__rate_interval", "5m"))
        lines += [f"      - record: panel:{number}", f"        expr: {text}"]
    (tmp_path / "panels.yml").write_text("\n".join(lines) + "\n")
    said = _promtool("check", "rules", "panels.yml", folder=tmp_path)
    assert f"{len(asked)} rules found" in said


def test_every_metric_has_its_panel() -> None:
    """The dashboard is made from the table of metrics."""
    from logkit.metrics import METRICS

    text = (FOLDER / "dashboard.json").read_text()
    assert [metric.name for metric in METRICS if metric.name not in text] == []


def test_an_alert_over_an_unknown_metric_is_refused(tmp_path: Path) -> None:
    """A metric that is renamed takes its alerts along, or nothing is written."""
    for name in ("alert_rules.py", "generate_monitoring.py", "grafana_dashboard.py"):
        shutil.copy(ROOT / "samples" / name, tmp_path)
    rules = tmp_path / "alert_rules.py"
    rules.write_text(rules.read_text().replace("bot_invalid_requests_10m", "bot_gone_total"))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "generate_monitoring.py")], capture_output=True, text=True
    )
    assert "no metric is named bot_gone_total" in done.stderr
    assert not (tmp_path / "monitoring" / "alerts.yml").exists()
