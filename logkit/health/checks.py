"""One health check: what it asks, how it ended last, and the event when that changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logkit.asking import ask
from logkit.encoding import text_of
from logkit.exceptions import type_name
from logkit.periodic import Periodic
from logkit.redaction import redact_text
from logkit.reports import report, report_failure

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

_MAX_ERROR = 300


class CheckFailedError(Exception):
    """A check found its dependency in a bad state."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one run of a check ended.

    Attributes:
        error: What went wrong, redacted, or ``None``.
        error_type: Class of the exception, ``timeout``, or ``None``.
        duration_ms: Milliseconds that it took.
        checked_at: Seconds of the monotonic clock at its end.
    """

    error: str | None
    error_type: str | None
    duration_ms: float
    checked_at: float

    @property
    def is_ok(self) -> bool:
        """Whether the check passed."""
        return self.error is None


class Check:
    """Runs a probe at intervals, each time for at most *timeout_s*, and keeps the last result.

    A probe that hangs is not started again until it has returned.

    Args:
        name: What is checked.
        probe: Returns anything but ``False``, or an awaitable of it, if all is well; raises or
            returns ``False`` otherwise.
        is_critical: Whether the bot cannot work without it.
        timeout_s: Seconds until a run is cut off.
        interval_s: Seconds between two runs.
        loop: Event loop that runs awaitables, or ``None`` for one of their own.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Any],
        *,
        is_critical: bool,
        timeout_s: float,
        interval_s: float,
        loop: AbstractEventLoop | None,
    ) -> None:
        self.name = name
        self.is_critical = is_critical
        self.result: Result | None = None
        self._probe = probe
        self._timeout_s = timeout_s
        self._loop = loop
        self._run: _Run | None = None
        self._thread = Periodic(
            f"logkit-health-{name}",
            interval_s,
            self.run,
            lambda error: report_failure(f"health check {name}", error),
        )

    def start(self) -> None:
        """Run the check now and at each interval."""
        self._thread.start()

    def stop(self) -> None:
        """Run the check no more."""
        self._thread.stop()

    def run(self) -> None:
        """Run the check once, and report its result if it differs from the last one."""
        started_at = time.monotonic()
        if self._run is None or not self._run.is_alive():
            self._run = _Run(self._probe, self._timeout_s, self._loop)
            self._run.start()
        self._run.join(self._timeout_s)
        error = TimeoutError() if self._run.is_alive() else self._run.error
        ended_at = time.monotonic()
        self._conclude(
            Result(
                None if error is None else self._text_of(error),
                None if error is None else _type_of(error),
                round((ended_at - started_at) * 1_000, 3),
                ended_at,
            )
        )

    def _text_of(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError) and not text_of(error):
            return f"no answer within {self._timeout_s:g} s"
        return redact_text(text_of(error) or type_name(error))[:_MAX_ERROR]

    def _conclude(self, result: Result) -> None:
        former, self.result = self.result, result
        if former is not None and former.is_ok == result.is_ok:
            return
        fields: dict[str, Any] = {
            "check": self.name,
            "outcome": "ok" if result.is_ok else "error",
            "critical": self.is_critical,
            "duration_ms": result.duration_ms,
        }
        if not result.is_ok:
            fields |= {"error_type": result.error_type, "error_message": result.error}
        level = "info" if result.is_ok else "error" if self.is_critical else "warning"
        report(level, "health_checked", **fields)


class _Run(threading.Thread):
    """One run of a probe; a thread of its own, since nothing else can be left behind."""

    def __init__(
        self, probe: Callable[[], Any], timeout_s: float, loop: AbstractEventLoop | None
    ) -> None:
        super().__init__(name="logkit-health-probe", daemon=True)
        self.error: BaseException | None = None
        self._probe = probe
        self._timeout_s = timeout_s
        self._loop = loop

    def run(self) -> None:
        try:
            if ask(self._probe, self._loop, self._timeout_s) is False:
                raise CheckFailedError("the check returned False")
        except BaseException as error:  # noqa: BLE001 - whatever a probe raises is its result
            self.error = error


def _type_of(error: BaseException) -> str:
    return "timeout" if isinstance(error, TimeoutError) else type_name(error)
