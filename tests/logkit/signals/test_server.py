"""The endpoints of a bot: served from a thread of their own, and only on request."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY, Counter

import logkit
from logkit.signals import signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Get = Callable[..., tuple[int, str]]
    Read = Callable[[], list[dict[str, Any]]]


def test_a_metric_of_the_bot_keeps_its_name(get: Get, events: Read) -> None:
    """Ours of that name is left out, since one that comes twice would cost the whole scrape."""
    own = Counter("bot_rate_limited_total", "As the bot counts it.")
    try:
        own.inc(7)
        logkit.get_logger("bot").info("api_call", status_code=429, rate_limit_scope="user")
        lines = get("/metrics")[1].splitlines()
    finally:
        REGISTRY.unregister(own)
    families = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(families) == len(set(families))
    told = [line for line in lines if line.startswith("bot_rate_limited_total")]
    assert told == ["bot_rate_limited_total 7.0"]
    assert [e["metric"] for e in events() if e["event"] == "metric_name_taken"] == [
        "bot_rate_limited_total"
    ]
    assert 'bot_rate_limited_total{bucket="none",scope="user"}' in get("/metrics")[1]


def test_the_process_is_shown_too(get: Get) -> None:
    """prometheus-client's own process metrics come along."""
    text = get("/metrics")[1]
    assert "process_resident_memory_bytes" in text
    assert "logkit_events_accepted_total" in text


def test_openmetrics_is_spoken_where_asked(get: Get) -> None:
    """The Accept header chooses the format."""
    assert get("/metrics", Accept="application/openmetrics-text; version=1.0.0")[1].endswith(
        "# EOF\n"
    )


def test_a_path_that_is_not_there(get: Get) -> None:
    """404 names the paths there are."""
    status, text = get("/")
    assert (status, text) == (404, "there are: /metrics, /healthz, /readyz\n")


def test_a_port_in_use_is_one_warning(log_path: Path, events: Read) -> None:
    """The bot goes on, and the log says what is not served."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        logkit.configure("bot", path=log_path, level="debug", signals_port=port)
    logkit.get_logger("bot").info("alive")
    told = [event for event in events() if event["level"] == "warning"]
    assert [event["event"] for event in told] == ["signals_not_served"]
    assert f"127.0.0.1:{port}" in told[0]["message"]
    assert events()[-1]["event"] == "alive"


@pytest.mark.parametrize("host", ["a" * 70, "no such host", "a\0b"], ids=["long", "none", "null"])
def test_a_host_that_cannot_be_is_one_warning(log_path: Path, events: Read, host: str) -> None:
    """Whatever is wrong with it, the bot goes on."""
    logkit.configure("bot", path=log_path, level="debug", signals_port=0, signals_host=host)
    assert [event["event"] for event in events()] == ["signals_not_served"]


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_addresses_of_ipv6_are_served(log_path: Path) -> None:
    """``signals_host="::1"`` is all it takes."""
    logkit.configure("bot", path=log_path, signals_port=0, signals_host="::1")
    assert signals.server is not None
    with urlopen(f"http://[::1]:{signals.server.port}/healthz", timeout=60) as answer:
        assert answer.status == 200


def test_slow_clients_keep_nobody_out(get: Get) -> None:
    """However many connect and say nothing, threads stay few and the next one is answered."""
    assert signals.server is not None
    address = "127.0.0.1", signals.server.port
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(address, 60)).sendall(b"GET /")
        assert get("/healthz")[0] == 200
        assert threading.active_count() <= before + 20


def test_a_bot_out_of_descriptors_does_not_spin(tmp_path: Path) -> None:
    """A client that cannot be taken waits, and costs nothing."""
    code = """
import os, resource, socket, sys, time, logkit
logkit.configure("bot", path=sys.argv[1], ring_dir=sys.argv[2], signals_port=0)
from logkit.signals import signals
client = socket.socket()
logkit.flush()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.dup(0)
except OSError:
    pass
client.connect(("127.0.0.1", signals.server.port))
before = time.process_time()
time.sleep(0.5)
print(time.process_time() - before, flush=True)
os._exit(0)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "bot.log"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert float(done.stdout) < 0.2


def test_the_environment_asks_too(log_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``LOGKIT_SIGNALS_PORT`` is enough; without it nothing listens."""
    logkit.configure("bot", path=log_path)
    assert signals.server is None
    monkeypatch.setenv("LOGKIT_SIGNALS_PORT", "0")
    logkit.configure("bot", path=log_path)
    assert signals.server is not None


def test_the_port_is_given_back(log_path: Path, get: Get) -> None:
    """A configuration without a port ends the server of the one before."""
    assert get("/healthz")[0] == 200
    logkit.configure("bot", path=log_path)
    assert signals.server is None


@pytest.mark.parametrize("port", [-1, 70_000, "metrics"])
def test_a_port_that_cannot_be(log_path: Path, port: Any) -> None:
    """A wrong number is a configuration error."""
    with pytest.raises(logkit.ConfigurationError, match="signals_port"):
        logkit.configure("bot", path=log_path, signals_port=port)


def test_a_bot_without_signals_loads_none_of_them() -> None:
    """Neither extras nor our own modules for them are imported."""
    code = (
        "import logkit, sys, json; logkit.configure('b', path='/dev/null'); "
        "logkit.get_logger('b').info('x'); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"prometheus_client", "psutil", "pynvml", "http.server"}
    assert not {name for name in loaded if name.startswith(("logkit.metrics", "logkit.exporters"))}


def test_without_the_extra_health_is_served_and_metrics_name_it(tmp_path: Path) -> None:
    """The warning and the page say what to install."""
    code = """
import sys, logkit
from urllib.error import HTTPError
from urllib.request import urlopen
sys.modules["prometheus_client"] = None
logkit.configure("bot", path=sys.argv[1], signals_port=0)
from logkit.signals import signals
base = f"http://127.0.0.1:{signals.server.port}"
print(urlopen(base + "/healthz").status)
try:
    urlopen(base + "/metrics")
except HTTPError as error:
    print(error.code, error.read().decode())
"""
    log = tmp_path / "bot.log"
    command = [sys.executable, "-c", code, str(log)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout.split(maxsplit=2)[:2] == ["200", "501"]
    assert "pip install 'botlogkit[metrics]'" in done.stdout
    assert "pip install 'botlogkit[metrics]'" in log.read_text()
