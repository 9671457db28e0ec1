"""The page about monitoring: its code runs, its table is that of the rules."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "monitoring.md").read_text()
RULES = (ROOT / "samples" / "monitoring" / "alerts.yml").read_text()

SHOW = """
import urllib.request
from logkit.signals import signals
with urllib.request.urlopen(f"http://127.0.0.1:{signals.server.port}/metrics") as answer:
    print(answer.read().decode())
"""


def test_the_bot_of_the_page_shows_its_metrics(tmp_path: Path) -> None:
    """Its code as it stands, on a free port."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        script = code.replace("9464", str(probe.getsockname()[1])) + SHOW
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "LOGKIT_RING_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bot_events_total" in done.stdout


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    """Names, severities and runbooks agree, and no alert is left out."""
    told = re.findall(r"^\| `(\w+)`.*?\| (\w+) \| \[.*\]\(\.\./runbooks/(\w+)\.md\)", PAGE, re.M)
    ruled = re.findall(
        r"- alert: (\w+)\n.*?severity: (\w+)\n.*?runbook_url: \"docs/runbooks/(\w+)\.md\"",
        RULES,
        re.DOTALL,
    )
    assert sorted(told) == sorted(ruled)
