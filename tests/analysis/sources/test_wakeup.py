"""Waiting for something to happen."""

from __future__ import annotations

import resource
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from logkit_analysis.sources.pace import Pace
from logkit_analysis.sources.wakeup import Wakeup
from logkit_analysis.stopping import StopSignal

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT = Pace(look_interval_s=200.0, poll_interval_s=0.01)
ENDLESS = Pace(look_interval_s=200.0, poll_interval_s=200.0)
LONG_BEFORE_S = 100.0


@pytest.fixture
def stop() -> StopSignal:
    """Return a signal that is not given."""
    return StopSignal()


def waited_s(wakeup: Wakeup) -> float:
    """Return how long a wait took."""
    started = time.monotonic()
    wakeup.wait()
    return time.monotonic() - started


def test_a_change_wakes(tmp_path: Path, stop: StopSignal) -> None:
    """Also in a folder that was removed and made again."""
    folder = tmp_path / "logs"
    with Wakeup(lambda _: True, stop, ENDLESS) as wakeup:
        for _ in range(2):
            folder.mkdir()
            wakeup.watch([folder])
            _write_until_woken(wakeup, folder / "a.log")
            (folder / "a.log").unlink()
            folder.rmdir()


def _write_until_woken(wakeup: Wakeup, path: Path) -> None:
    """Write again and again, since the watch may not stand yet; it is woken all the same."""
    is_over = threading.Event()

    def write() -> None:
        while not is_over.wait(0.05):
            path.write_text("x")

    writer = threading.Thread(target=write)
    writer.start()
    seconds = waited_s(wakeup)
    is_over.set()
    writer.join()
    assert seconds < LONG_BEFORE_S


def test_a_folder_without_notices_is_polled(tmp_path: Path, stop: StopSignal) -> None:
    """As soon as one of the folders gives none."""
    (tmp_path / "local").mkdir()
    with Wakeup(lambda _: True, stop, PATIENT, lambda folder: folder != tmp_path) as wakeup:
        wakeup.watch([tmp_path / "local", tmp_path])
        assert waited_s(wakeup) < LONG_BEFORE_S


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let this process open nothing more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_when_the_kernel_gives_no_more_notices_it_polls(tmp_path: Path, stop: StopSignal) -> None:
    """Their number is limited for each user."""
    with Wakeup(lambda _: True, stop, PATIENT) as wakeup:
        with no_descriptors():
            wakeup.watch([tmp_path])
            deadline = time.monotonic() + 60
            while not wakeup.is_polling and time.monotonic() < deadline:
                time.sleep(0.01)
        assert waited_s(wakeup) < LONG_BEFORE_S


def test_a_signal_ends_the_wait(tmp_path: Path, stop: StopSignal) -> None:
    """At once."""
    with Wakeup(lambda _: True, stop, ENDLESS) as wakeup:
        wakeup.watch([tmp_path])
        stop.set()
        assert waited_s(wakeup) < LONG_BEFORE_S


def test_what_it_opened_is_closed(tmp_path: Path, stop: StopSignal) -> None:
    """A follow that begins again and again does not run out of descriptors."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        with Wakeup(lambda _: True, stop, ENDLESS) as wakeup:
            wakeup.watch([tmp_path])
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 10
