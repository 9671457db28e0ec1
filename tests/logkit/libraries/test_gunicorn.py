"""A real gunicorn with two workers, set up in each of the ways that it offers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

if TYPE_CHECKING:
    from pathlib import Path

APP = """
import logging, logkit
log = logging.getLogger("web")
{configure_app}
def app(environ, start_response):
    log.info("page_served", extra={{"path_length": len(environ["PATH_INFO"])}})
    if environ["PATH_INFO"] == "/fails":
        raise ValueError("no page")
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]
"""
CONFIGURE = "logkit.configure('web', path='bot.log')\n"
SETTINGS = "workers = 2\naccesslog = '-'\nimport logkit\n"
WAYS = {
    "in_the_configuration": (SETTINGS + CONFIGURE, ""),
    "in_the_preloaded_app": (SETTINGS + "preload_app = True\n", CONFIGURE),
    "logconfig_dict": (SETTINGS + "logconfig_dict = logkit.dict_config('web', path='bot.log')", ""),
}
REQUESTS = 12


@pytest.fixture(scope="module", params=list(WAYS))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[dict[str, Any]], str]:
    """Return the way, the events of a server that was asked and reloaded, and its console."""
    folder = tmp_path_factory.mktemp("gunicorn")
    settings, configure_app = WAYS[request.param]
    (folder / "gunicorn.conf.py").write_text(settings)
    (folder / "web.py").write_text(APP.format(configure_app=configure_app))
    with _running(folder) as (server, url):
        for number in range(REQUESTS):
            assert httpx.get(f"{url}/users/{number}00000").status_code == 404
        assert httpx.get(f"{url}/fails").status_code == 500
        server.send_signal(signal.SIGHUP)
        _wait_for(lambda: (folder / "bot.log").read_bytes().count(b"worker_started") == 4)
        assert httpx.get(f"{url}/users/700000").status_code == 404
    printed, _ = server.communicate(timeout=60)
    lines = (folder / "bot.log").read_bytes().splitlines()
    return request.param, [orjson.loads(line) for line in lines], printed.decode()


class _running:  # noqa: N801 - a context manager
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self._server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", address, "web:app"],
            cwd=self._folder,
            env={**os.environ, "LOGKIT_RING_DIR": str(self._folder), "LOGKIT_SERVICE": "web"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        _wait_for(lambda: _answers(address))
        return self._server, f"http://{address}"

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        try:
            self._server.wait(60)
        finally:
            self._server.kill()


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_each_request_is_one_event(served: tuple[str, list[dict[str, Any]], str]) -> None:
    """The access log is events with route, status and duration; none is doubled by the reload."""
    _, events, _ = served
    requests = [event for event in events if event["event"] == "request_handled"]
    counts = Counter((event["endpoint"], event["status_code"]) for event in requests)
    assert counts == {("/users/{user_id}", 404): REQUESTS + 1, ("/fails", 500): 1}
    assert all(event["duration_ms"] >= 0 for event in requests)


def test_server_and_failures_are_events(served: tuple[str, list[dict[str, Any]], str]) -> None:
    """Start, workers and the application's exception come from gunicorn's error log, once."""
    _, events, _ = served
    names = Counter(event["event"] for event in events)
    assert names["page_served"] == REQUESTS + 2
    assert names["request_failed"] == 1
    (failed,) = [event for event in events if event["event"] == "request_failed"]
    assert (failed["error_type"], failed["endpoint"]) == ("ValueError", "/fails")
    assert names["server_started"] == 1
    assert names["worker_started"] == 4


def test_each_worker_is_an_instance(served: tuple[str, list[dict[str, Any]], str]) -> None:
    """A forked worker has a ring, an instance and a count of its own, without a hole."""
    way, events, _ = served
    numbers: dict[tuple[str, int], list[int]] = {}
    for event in events:
        numbers.setdefault((event["instance"], event["pid"]), []).append(event["seq"])
    assert len({instance for instance, _ in numbers}) == len(numbers) >= 3
    for found in numbers.values():
        assert sorted(found) == list(range(1, len(found) + 1)), way


def test_nothing_is_printed_besides(served: tuple[str, list[dict[str, Any]], str]) -> None:
    """What is an event does not also stand on the console."""
    way, _, printed = served
    if way == "in_the_preloaded_app":
        # gunicorn loads the application after it has said that it starts.
        assert "Booting worker" not in printed
    else:
        assert "gunicorn" not in printed
    assert "GET /" not in printed
