"""A real celery worker, which takes the root logger over unless somebody tells it not to."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
{first}
{second}
from celery.signals import task_postrun, worker_ready
from celery.exceptions import WorkerShutdown
app = Celery("mail", broker="memory://")
app.conf.broker_transport_options = {{"polling_interval": 0.01}}
app.conf.worker_prefetch_multiplier = 10
log = logkit.get_logger("mail")

@app.task(name="mail.send")
def send(number):
    with logkit.correlation(f"mail-{{number}}"):
        log.info("mail_sent", number=number)
    if number == 2:
        raise ValueError("no such address")

@task_postrun.connect
def end(args, **_):
    if args == [3]:
        raise WorkerShutdown(0)

@worker_ready.connect
def begin(**_):
    for number in range(1, 4):
        send.delay(number)

WITHOUT = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
if __name__ == "__main__":
    app.worker_main(["worker", "--pool", "solo", "--loglevel", "debug", *WITHOUT])
"""
CONFIGURE = "import logkit; logkit.configure('worker', path='bot.log')"
IMPORT = "from celery import Celery"
ORDERS = {"configured_first": (CONFIGURE, IMPORT), "celery_first": (IMPORT, CONFIGURE)}


Ran = tuple[list[dict[str, Any]], str]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Return for each order the events of a worker that had three tasks, and what it printed."""
    folders = {order: tmp_path_factory.mktemp(order) for order in ORDERS}
    running = {order: _start(folder, *ORDERS[order]) for order, folder in folders.items()}
    return {order: (_finish(worker, folders[order])) for order, worker in running.items()}


def _start(folder: Path, first: str, second: str) -> subprocess.Popen[str]:
    (folder / "worker.py").write_text(WORKER.format(first=first, second=second))
    return subprocess.Popen(
        [sys.executable, "worker.py"],
        cwd=folder,
        env={**os.environ, "LOGKIT_RING_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(worker: subprocess.Popen[str], folder: Path) -> Ran:
    with worker:
        try:
            printed, _ = worker.communicate(timeout=60)
        finally:
            worker.kill()
    lines = (folder / "bot.log").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines], printed


@pytest.fixture(params=ORDERS)
def ran(request: pytest.FixtureRequest, workers: dict[str, Ran]) -> Ran:
    """Return what a worker did that had configured logkit before or after it loaded celery."""
    return workers[request.param]


def test_tasks_are_events(ran: Ran) -> None:
    """Each task is received once and ends once, with its name, duration and error as fields."""
    events, _ = ran
    of_celery = [event for event in events if event["logger"].startswith("celery")]
    named = {name: [e for e in of_celery if e["event"] == name] for name in ("task_received",
        "task_succeeded", "task_failed")}  # fmt: skip
    assert [len(found) for found in named.values()] == [3, 2, 1]
    assert {event["command"] for found in named.values() for event in found} == {"mail.send"}
    assert all(event["duration_ms"] > 0 for event in named["task_succeeded"])
    (failed,) = named["task_failed"]
    assert (failed["level"], failed["error_type"]) == ("error", "ValueError")


def test_the_bots_own_events_are_written_once(ran: Ran) -> None:
    """What a task logs is there once, under its correlation."""
    events, _ = ran
    own = [(e["number"], e["correlation_id"]) for e in events if e["event"] == "mail_sent"]
    assert own == [(number, f"mail-{number}") for number in (1, 2, 3)]


def test_nothing_of_it_is_printed(ran: Ran) -> None:
    """The worker shows its banner and no log line; the level is that of configure()."""
    events, printed = ran
    assert "succeeded" not in printed
    assert "mail_sent" not in printed
    assert not any(event["level"] == "debug" for event in events)
