"""A real Prometheus scrapes the example bot by our configuration, and our rules fire."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60.0

pytestmark = pytest.mark.needs_program("prometheus")


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def _running(command: list[str], folder: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    with (folder / f"{Path(command[0]).name}.out").open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


class Prometheus:
    """A Prometheus that runs."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str) -> Any:
        """Return the data of an answer; ``None`` while there is none."""
        try:
            with urllib.request.urlopen(f"{self._url}/{path}", timeout=30) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def wait_for_alert(self, name: str, *states: str) -> dict[str, Any]:
        """Return the alert once it is in one of *states*."""

        def found() -> dict[str, Any] | None:
            data = self.get("alerts") or {"alerts": []}
            matching = (a for a in data["alerts"] if a["labels"]["alertname"] == name)
            return next((alert for alert in matching if alert["state"] in states), None)

        return _wait_for(found)


def _wait_for(condition: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    until = time.monotonic() + _PATIENCE_S
    while (found := condition()) is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def _configure(folder: Path, target: str) -> str:
    """Write our own files, with intervals for a test; return the configuration's name."""
    script = str(ROOT / "samples" / "generate_monitoring.py")
    subprocess.run([sys.executable, script, "--output", folder, "--target", target], check=True)
    config = folder / "prometheus.yml"
    config.write_text(config.read_text().replace("15s", "200ms"))
    return config.name


def test_the_storm_and_the_end_of_the_example_bot_raise_alerts(tmp_path: Path) -> None:
    """Its 429s fire at once, with their runbook; when it is gone, it is seen to be down."""
    bot_port, port = _free_ports(2)
    config = _configure(tmp_path, f"127.0.0.1:{bot_port}")
    bot = [sys.executable, str(ROOT / "samples" / "bot.py"), "--seconds", "120"]
    server = ["prometheus", "--config.file", config, "--storage.tsdb.path", "data"]
    server += ["--web.listen-address", f"127.0.0.1:{port}"]
    prometheus = Prometheus(port)
    signals = {"LOGKIT_SIGNALS_PORT": str(bot_port), "LOGKIT_RING_DIR": str(tmp_path)}
    with _running(server, tmp_path):
        with _running(bot, tmp_path, **signals):
            storm = prometheus.wait_for_alert("BotRateLimitStorm", "firing")
            asked = prometheus.get("query?query=bot_messages_processed_total")
        down = prometheus.wait_for_alert("BotDown", "pending", "firing")
    assert storm["labels"]["scope"] == "user"
    assert storm["annotations"]["runbook_url"] == "docs/runbooks/rate_limit_storm.md"
    assert {series["metric"]["job"] for series in asked["result"]} == {"bots"}
    assert down["labels"]["instance"] == f"127.0.0.1:{bot_port}"
