"""The page about tracing, run as it stands: two services, a collector and ``logkit trace``."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logkit.testing import capture_events

from ..logkit.exporters.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "tracing.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
FILES = dict(re.findall(r"<!-- file: (\w+\.py) -->\n```python\n(.*?)^```", PAGE, re.M | re.S))

SERVE = """
import sys
from aiohttp import web
from prices import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
ORDER = "import sys, shop; print(shop.order(sys.argv[1]))"


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """Start a collector."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)


def _order(folder: Path, environment: dict[str, str]) -> str:
    """Run the price service, and the shop until it has ordered; return the correlation id."""
    port, python = _free_port(), [sys.executable, "-c"]
    service = subprocess.Popen([*python, SERVE, str(port)], cwd=folder, env=environment)
    try:
        _wait_until_it_listens(port)
        url = f"http://127.0.0.1:{port}"
        done = subprocess.run(
            [*python, ORDER, url],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        service.terminate()
        service.wait(60)
    return done.stdout.strip()


def _trace(folder: Path, trace_id: str) -> list[dict[str, Any]]:
    logkit = [sys.executable, "-m", "logkit_analysis"]
    subprocess.run(
        [*logkit, "ingest", "shop.log", "prices.log"], cwd=folder, check=True, capture_output=True
    )
    shown = subprocess.run(
        [*logkit, "trace", trace_id, "--format", "json"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    rows: list[dict[str, Any]] = json.loads(shown.stdout)
    return rows


def test_an_action_of_two_processes_is_one_trace_in_the_log_and_at_the_collector(
    tmp_path: Path, collector: Receiver
) -> None:
    """Service A calls service B over HTTP; every step stands below the one that caused it."""
    for name, code in FILES.items():
        (tmp_path / name).write_text(code)
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "LOGKIT_RING_DIR": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
    }
    trace_id = _order(tmp_path, environment)

    told_by_httpx = "http_request_sent"
    rows = [row for row in _trace(tmp_path, trace_id) if row["event"] != told_by_httpx]
    assert [(row["service"], row["event"], row["depth"]) for row in rows] == [
        ("shop", "order_handled", 0),
        ("shop", "api_call", 1),
        ("prices", "price_asked", 2),
        ("prices", "price_computed", 3),
    ]
    spans = {(service, span.name): span for service, span in collector.spans}
    order = [
        spans["shop", "order_handled"],
        spans["shop", "GET /prices/tea"],
        spans["prices", "GET /prices/tea"],
        spans["prices", "price_computed"],
    ]
    assert len(spans) == len(order)
    assert {span.trace_id.hex() for span in order} == {trace_id}
    assert [span.parent_span_id for span in order[1:]] == [span.span_id for span in order[:-1]]
    assert [span.span_id.hex() for span in order] == [row["span_id"] for row in rows]


def test_a_message_of_the_queue_continues_the_trace() -> None:
    """The code of the page, as it stands."""
    (code,) = (block for block in CODE if "queue.Queue" in block)
    names: dict[str, Any] = {"__name__": "shop"}
    exec(compile(code, "tracing.md", "exec"), names)
    with capture_events() as events:
        names["put"]("tea")
        names["take"]()
    queued, taken = events
    assert (taken["trace_id"], taken["parent_span_id"]) == (queued["trace_id"], queued["span_id"])
    assert taken["correlation_id"] == queued["trace_id"]
