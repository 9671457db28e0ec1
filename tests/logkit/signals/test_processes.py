"""Several workers are shown as one; other applications carry the endpoints too."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

import logkit
from logkit.metrics import deriver, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKER = """
import os, sys, time
import logkit

folder, port = sys.argv[1:]
for number in range(2):
    if os.fork() == 0:
        logkit.configure("bot", path=f"{folder}/bot.log", signals_port=int(port))
        log = logkit.get_logger("bot")
        log.info("queue_seen", queue="songs", queue_depth=3)
        for _ in range(50):
            log.info("api_call", endpoint="/a", status_code=200, duration_ms=20)
        sys.stdin.read()
        os._exit(0)
for _ in range(2):
    os.wait()
"""


def _workers(code: str, folder: Path) -> tuple[int, list[str], dict[str, str]]:
    """Return a free port, and command and environment of workers that share it."""
    shared = folder / "shared"
    shared.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(shared),
        "LOGKIT_RING_DIR": str(folder),
    }
    return port, [sys.executable, "-c", code, str(folder), str(port)], environment


def test_workers_are_shown_as_one(tmp_path: Path) -> None:
    """Any worker's page has the sum of all, from one port, without a warning."""
    port, command, environment = _workers(WORKER, tmp_path)
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
        text = _until(port, 'bot_events_total{event="api_call",level="info"} 100.0')
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
    assert 'bot_api_request_duration_seconds_bucket{le="0.025"} 100.0' in text
    assert "bot_api_request_duration_seconds_count 100.0" in text
    assert 'bot_queue_depth{queue="songs"} 6.0' in text
    assert "signals_not_served" not in (tmp_path / "bot.log").read_text()


STANDBY = """
import os, sys
import logkit

logkit.configure("bot", path=f"{sys.argv[1]}/bot.log", signals_port=int(sys.argv[2]))
logkit.get_logger("bot").info("worker_ready", pid_seen=os.getpid())
sys.stdin.read()
"""


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "ended"])
def test_another_worker_takes_over(tmp_path: Path, *, is_killed: bool) -> None:
    """When the worker that serves is gone, the other one goes on, with the counts of both."""
    port, command, environment = _workers(STANDBY, tmp_path)
    both = 'bot_events_total{event="worker_ready",level="info"} 2.0'
    with (
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as first,
        _closing(first),
    ):
        _until(port, 'bot_events_total{event="worker_ready",level="info"} 1.0')
        with (
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as second,
            _closing(second),
        ):
            _until(port, both)
            if is_killed:
                first.kill()
            assert first.stdin is not None
            first.stdin.close()
            first.wait(60)
            _until(port, both)


@contextmanager
def _closing(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def _until(port: int, wanted: str) -> str:
    deadline = time.monotonic() + 60
    text = ""
    while time.monotonic() < deadline:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = str(answer.read(), "utf-8")
            if wanted in text:
                return text
        time.sleep(0.1)
    raise AssertionError(text)


def test_a_forked_child_counts_from_zero() -> None:
    """What the parent has counted is not told twice."""
    deriver.observe("tick", "info", {})
    registry.number("bot_queue_items_total", "songs", "in").add(1)
    deriver.settle()
    kept = registry.number("bot_queue_items_total", "songs", "in")
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        kept.add(5)
        deriver.observe("tick", "info", {})
        deriver.settle()
        told = [registry.number("bot_events_total", "tick", "info").value, kept.value]
        os.write(write_end, json.dumps(told).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        assert json.load(pipe) == [1, 5]
    assert registry.number("bot_events_total", "tick", "info").value == 1


def test_an_asgi_application_carries_the_endpoints(log_path: Path) -> None:
    """Mounted below a path, all three answer, and others are not there."""
    import httpx
    from starlette.applications import Starlette
    from starlette.routing import Mount

    logkit.configure("bot", path=log_path)
    app = Starlette(routes=[Mount("/signals", app=logkit.signals.asgi_app())])

    async def ask() -> list[Any]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            logkit.get_logger("bot").info("tick")
            pages = ("metrics", "healthz", "readyz", "other")
            answers = [await client.get(f"/signals/{page}") for page in pages]
            head = await client.head("/signals/healthz")
        assert 'bot_events_total{event="tick",level="info"} 1.0' in answers[0].text
        return [*(answer.status_code for answer in answers), head.text]

    assert asyncio.run(ask()) == [200, 200, 200, 404, ""]
