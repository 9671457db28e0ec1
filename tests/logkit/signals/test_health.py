"""Health checks: what the bot depends on is asked, cut off when it hangs, and told of."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit import health, queues
from logkit.health.checks import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Get = Callable[..., tuple[int, str]]
    Read = Callable[[], list[dict[str, Any]]]

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"


def one(probe: Callable[[], Any], **options: Any) -> Check:
    """Return a check that runs only when it is told to."""
    chosen = {"is_critical": True, "timeout_s": 60.0, "interval_s": 60.0, "loop": None} | options
    return Check("database", probe, **chosen)


def told(check: Check) -> str | None:
    check.run()
    assert check.result is not None
    return check.result.error


def broken() -> None:
    raise ConnectionError(f"cannot reach https://api.telegram.org/bot{TOKEN}/getMe")


async def fine_later() -> bool:
    await asyncio.sleep(0)
    return True


async def never() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("probe", "error"),
    [
        (lambda: None, None),
        (lambda: "PONG", None),
        (fine_later, None),
        (lambda: fine_later(), None),
        (lambda: False, "the check returned False"),
        (lambda: [][0], "list index out of range"),
    ],
    ids=["nothing", "text", "async", "awaitable", "False", "raises"],
)
def test_a_probe_passes_or_fails(probe: Callable[[], Any], error: str | None) -> None:
    """Whatever a probe is, its check says how it ended."""
    assert told(one(probe)) == error


@pytest.mark.parametrize(
    "probe", [never, lambda: threading.Event().wait(60)], ids=["async", "thread"]
)
def test_a_probe_that_hangs_is_cut_off(probe: Callable[[], Any]) -> None:
    """Whatever a probe does, its check ends in time."""
    assert told(one(probe, timeout_s=0.05)) == "no answer within 0.05 s"


def test_a_probe_that_hangs_is_not_piled_up() -> None:
    """While a run hangs, no other one is started."""
    started = []
    free = threading.Event()

    def hang() -> None:
        started.append(1)
        free.wait(60)

    check = one(hang, timeout_s=0.05)
    assert [told(check) for _ in range(3)] == ["no answer within 0.05 s"] * 3
    assert len(started) == 1
    free.set()


def test_changes_are_events(log_path: Path, events: Read) -> None:
    """The first result and each change is told once, at a level that fits; what stays is not."""
    states = iter([True, True, False, False, True])
    critical, minor = one(lambda: next(states)), one(lambda: False, is_critical=False)
    for _ in range(5):
        critical.run()
    minor.run()
    changes = [event for event in events() if event["event"] == "health_checked"]
    assert [(event["level"], event["outcome"]) for event in changes] == [
        ("info", "ok"),
        ("error", "error"),
        ("info", "ok"),
        ("warning", "error"),
    ]
    assert changes[1]["check"] == "database"
    assert changes[1]["error_message"] == "the check returned False"


def test_readiness_follows_the_critical_checks(get: Get) -> None:
    """503 until every critical check has passed; others are shown and do not matter."""
    free = threading.Event()
    health.check("database", lambda: free.wait(60), timeout_s=60)
    health.check("cache", broken, critical=False)
    assert _until(get, lambda checks: checks["cache"]["status"] == "failed")[0] == 503
    free.set()
    status, checks = _until(get, lambda checks: checks["database"]["status"] == "ok")
    assert status == 200
    assert checks["cache"].items() >= {"critical": False, "error_type": "ConnectionError"}.items()


def test_errors_are_shown_without_secrets(get: Get) -> None:
    """What a page shows is redacted like a line."""
    health.check("telegram", broken)
    status, checks = _until(get, lambda checks: checks["telegram"]["status"] == "failed")
    assert status == 503
    assert checks["telegram"]["error"].startswith("cannot reach https://api.telegram.org/bot")
    assert TOKEN not in json.dumps(checks)


def test_results_are_cached(get: Get) -> None:
    """Asking the page does not ask the dependency."""
    calls = []
    health.check("database", lambda: calls.append(1))
    _until(get, lambda checks: checks["database"]["status"] == "ok")
    for _ in range(5):
        get("/readyz")
    assert len(calls) == 1


def test_a_check_of_the_same_name_takes_its_place(get: Get) -> None:
    """The former one is asked no more; a removed one is not shown."""
    health.check("database", lambda: False)
    health.check("database", lambda: True)
    assert _until(get, lambda checks: checks["database"]["status"] == "ok")[0] == 200
    health.remove("database")
    assert json.loads(get("/readyz")[1]) == {"status": "ready", "checks": {}}


def _until(get: Get, is_done: Callable[[Any], bool]) -> tuple[int, dict[str, Any]]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status, text = get("/readyz")
        checks = json.loads(text)["checks"]
        if is_done(checks):
            return status, checks
        time.sleep(0.01)
    raise AssertionError(text)


def test_a_coroutine_runs_in_the_loop_that_registered_it(get: Get) -> None:
    """Clients that belong to the bot's loop can be asked; without the loop the check fails."""
    seen = []

    async def probe() -> None:
        seen.append(asyncio.get_running_loop())

    async def bot() -> None:
        health.check("redis", probe, interval_s=0.02)
        while not seen:
            await asyncio.sleep(0.01)
        assert seen[0] is asyncio.get_running_loop()

    asyncio.run(bot())
    _, checks = _until(get, lambda checks: checks["redis"]["status"] == "failed")
    assert checks["redis"]["error"] == "its event loop does not run"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.mark.parametrize(
    ("status", "error"), [(204, None), (404, "status 404"), (503, "status 503")]
)
def test_http(server: str, status: int, error: str | None) -> None:
    """A server is well if it answers without an error."""
    assert told(one(health.http(f"{server}/{status}"))) == error


def test_other_addresses_are_refused() -> None:
    """A file is no dependency."""
    with pytest.raises(ValueError, match="file:///etc/passwd"):
        health.http("file:///etc/passwd")


def test_tcp(server: str) -> None:
    """A port is well if it takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert told(one(health.tcp("127.0.0.1", int(server.rpartition(":")[2])))) is None
    assert "refused" in (told(one(health.tcp("127.0.0.1", port))) or "")


@pytest.mark.parametrize(
    ("answer", "error"),
    [(True, None), (False, "the check returned False"), (fine_later, None)],
    ids=["pong", "no pong", "async"],
)
def test_ping(answer: Any, error: str | None) -> None:
    """Clients in the manner of Redis are asked by their ping, sync or async."""

    class Client:
        def ping(self) -> Any:
            return answer() if callable(answer) else answer

    assert told(one(health.ping(Client()))) == error


def test_disk_space(tmp_path: Path) -> None:
    """A disk is well while enough of it is free."""
    assert told(one(health.disk_space(tmp_path, 1))) is None
    assert "bytes are free" in (told(one(health.disk_space(tmp_path, 1 << 60))) or "")


def test_memory() -> None:
    """Memory is well below a share of its limit."""
    assert told(one(health.memory(1.0))) is None
    assert "of its limit" in (told(one(health.memory(0.0))) or "")


def test_queue_age() -> None:
    """A queue is well while its oldest item is young."""
    import queue

    waiting: queue.Queue[int] = queue.Queue()
    queues.watch("songs", waiting)
    assert told(one(health.queue_age("songs", 0.0))) is None
    waiting.put(1)
    time.sleep(0.002)
    assert "the oldest item has waited" in (told(one(health.queue_age("songs", 0.001))) or "")
    queues.unwatch("songs")
    assert told(one(health.queue_age("songs", 1))) == "no queue 'songs' is watched"


def test_loop_lag() -> None:
    """Without a blocked loop, all is well."""
    assert told(one(health.loop_lag(1_000))) is None


def test_without_an_event_level_the_gauge_still_moves(log_path: Path) -> None:
    """Metrics follow also where the log's level leaves the event out."""
    from logkit.metrics import deriver, registry

    logkit.configure("bot", path=log_path, level="critical", signals_port=0)
    one(lambda: True).run()
    deriver.settle()
    assert registry.number("bot_health_check_up", "database").value == 1
