"""Write what an operator of bots gives to Prometheus and Grafana, from the table of metrics.

``python samples/generate_monitoring.py --output DIR --target HOST:PORT --runbooks URL`` writes
``prometheus.yml``, ``alerts.yml`` and ``dashboard.json``. Without arguments it renews those in
``samples/monitoring``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from alert_rules import ALERTS, JOB, Alert, metrics_of
from grafana_dashboard import dashboard, expressions

FOLDER = Path(__file__).parent / "monitoring"

_HEAD = "# Written by samples/generate_monitoring.py; change the tables that it reads.\n"
_SCRAPE = """
global:
  scrape_interval: {interval}
  evaluation_interval: {interval}

rule_files:
  - alerts.yml

scrape_configs:
  - job_name: {job}
    static_configs:
      - targets: [{targets}]
"""


def scrape_config(targets: list[str], interval: str = "15s") -> str:
    """Return the configuration of a Prometheus that asks *targets* each *interval*."""
    quoted = ", ".join(json.dumps(target) for target in targets)
    return _HEAD + _SCRAPE.format(interval=interval, job=JOB, targets=quoted)


def rules(runbooks: str) -> str:
    """Return the alert rules; *runbooks* is the address below which their pages are."""
    lines = [_HEAD, "groups:", "  - name: bots", "    rules:"]
    for alert in ALERTS:
        metrics_of(alert.expr)
        lines += _rule(alert, runbooks)
    return "\n".join(lines) + "\n"


def _rule(alert: Alert, runbooks: str) -> list[str]:
    link = f"{runbooks.rstrip('/')}/{alert.runbook}.md"
    return [
        f"      - alert: {alert.name}",
        "        expr: |",
        *(f"          {line}" for line in alert.expr.splitlines()),
        f"        for: {alert.holds_for}",
        "        labels:",
        f"          severity: {alert.severity}",
        "        annotations:",
        f"          summary: {json.dumps(alert.summary)}",
        f"          description: {json.dumps(alert.description)}",
        f"          runbook_url: {json.dumps(link)}",
    ]


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description="Files for Prometheus and Grafana.")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder (default: our own)")
    parser.add_argument("--target", action="append", help="address of a bot; may come repeatedly")
    parser.add_argument("--runbooks", default="docs/runbooks", help="address of the runbooks")
    options = parser.parse_args()
    board = dashboard()
    for expr in expressions(board):
        metrics_of(expr)
    options.output.mkdir(parents=True, exist_ok=True)
    targets = options.target or ["127.0.0.1:9464"]
    (options.output / "prometheus.yml").write_text(scrape_config(targets))
    (options.output / "alerts.yml").write_text(rules(options.runbooks))
    (options.output / "dashboard.json").write_text(json.dumps(board, indent=1) + "\n")


if __name__ == "__main__":
    main()
