"""Locks of other threads hold nobody up: neither a forked child nor what interrupts a thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from logkit import forks
from logkit.health import registry as checks
from logkit.instrumentation.attempts import Attempts
from logkit.periodic import Periodic
from logkit.redaction.secrets import Secrets, secrets


def ends_in_time(act: Callable[[], object]) -> bool:
    """Return whether *act* ends within a minute on a thread of its own."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(60)
    return not thread.is_alive()


@pytest.mark.parametrize("lock", [secrets._lock, checks._lock], ids=["secrets", "checks"])
def test_a_lock_that_another_thread_held_is_free_in_a_child(lock: threading.RLock) -> None:
    """A fork in the middle of another thread's work leaves a child that can log."""
    held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            may_end.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if lock.acquire(timeout=60) else 1)
    may_end.set()
    holder.join()
    assert os.waitpid(pid, 0)[1] == 0


def test_a_child_starts_its_threads_after_all_else_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread of a child tells what the parent has counted."""
    order: list[str] = []
    monkeypatch.setattr(forks, "_first", [*forks._first, lambda: order.append("reset")])
    parent = os.getpid()

    def job() -> None:
        if os.getpid() != parent:
            order.append("job")

    periodic = Periodic("test", 60, job, lambda _: None)
    periodic.start()
    pid = os.fork()
    if pid == 0:
        until = time.monotonic() + 60
        while len(order) < 2 and time.monotonic() < until:
            time.sleep(0.001)
        os._exit(0 if order == ["reset", "job"] else 1)
    periodic.stop()
    assert os.waitpid(pid, 0)[1] == 0


class _LoggingEnvironment(Mapping[str, str]):
    """Is read by whoever looks for secrets while somebody looks for secrets."""

    def __init__(self) -> None:
        self.known = Secrets(self)

    def __getitem__(self, name: str) -> str:
        return "correct-horse"

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        if not self.known.forms:
            self.known.forms = (b"-",)
            self.known.refresh()
        return iter(["A_TOKEN"])


def test_what_interrupts_a_look_for_secrets_may_log() -> None:
    """A signal handler that logs, or a finaliser, comes at any point."""
    known = _LoggingEnvironment().known
    assert ends_in_time(known.refresh)
    assert b"correct-horse" in known.forms


def test_what_interrupts_the_record_of_a_call_may_record_another() -> None:
    """The garbage collector finishes responses that nobody has read, at any point."""
    inner = iter(["other"])

    def clock() -> float:
        for call in inner:
            attempts.record(call, 0, may_be_retried=True)
        return 1.0

    attempts = Attempts(clock)
    assert ends_in_time(lambda: attempts.record("call", 0, may_be_retried=True))
    assert (attempts.next("call"), attempts.next("other")) == (1, 1)
