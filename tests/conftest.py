"""What a test may need from outside the checkout, and the account of what could not run."""

from __future__ import annotations

import os
import shutil
import signal
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(__file__).parents[2] / "shared"

# How long an example takes tells how busy the machine is, and nothing about the code.
settings.register_profile("logkit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("logkit")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers by which a test names what it needs."""
    config.addinivalue_line(
        "markers", "needs_shared(*paths): run where ../shared holds these files or folders"
    )
    config.addinivalue_line("markers", "needs_program(*names): run where these commands are found")
    _let_signals_reach_commands()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores, since many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


def _let_signals_reach_commands() -> None:
    """Give the commands that tests start the signals that this process has to ignore.

    A shell starts ``make test &`` with SIGINT ignored, and nohup does so with SIGHUP. What is
    ignored is inherited; a handler, also one that does nothing, is not.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a test whose needs are not met; fail it where CI=true."""
    missing = list(_missing(item))
    if not missing:
        return
    reason = f"needs {', '.join(missing)}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{reason}; nothing may be left out where CI=true", pytrace=False)
    pytest.skip(reason)


def _missing(item: pytest.Item) -> Iterator[str]:
    for mark in item.iter_markers("needs_shared"):
        yield from (f"../shared/{path}" for path in mark.args if not (SHARED / path).exists())
    for mark in item.iter_markers("needs_program"):
        yield from (f"the program {name}" for name in mark.args if shutil.which(name) is None)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was not run, under its reason."""
    tests_by_reason: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        tests_by_reason[reason.removeprefix("Skipped: ")].append(report.nodeid)
    if not tests_by_reason:
        return
    terminalreporter.section("not run")
    for reason, tests in sorted(tests_by_reason.items()):
        terminalreporter.write_line(f"{reason}:")
        for test in sorted(tests):
            terminalreporter.write_line(f"    {test}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder ../shared; mark the test with ``needs_shared`` too."""
    return SHARED
