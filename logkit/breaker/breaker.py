"""``CircuitBreaker``: keeps a bot from calling what is down, as a decorator or around a block."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, ParamSpec, Self, TypeVar

from logkit.breaker.circuit import Circuit, Outcome, Permit, Policy, State
from logkit.breaker.retry_after import retry_after_s
from logkit.decorators import inside
from logkit.errors import CircuitOpenError, ConfigurationError
from logkit.metrics import registry
from logkit.reports import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")


class CircuitBreaker:
    """Lets calls through until they fail too often, then none until a trial succeeds.

    Use it as a decorator of a function or coroutine function, or as ``with breaker:`` and
    ``async with breaker:``; one breaker may serve any number of threads and tasks at once. While
    it is open, calls raise ``CircuitOpenError``; after *recovery_s*, or the wait that the other
    side asked for if that is longer, one call is let through as a trial, whose end decides.

    Each change of state is an event, ``breaker_opened``, ``breaker_half_opened`` or
    ``breaker_closed``. A cancelled call counts neither as success nor as failure.

    Args:
        name: What is called, as events and metrics name it.
        failure_threshold: Failures in a row, all within *window_s*, that open it.
        recovery_s: Seconds until a trial.
        failure_ratio: Share of failed calls within *window_s*, 0 to 1, that opens it as well.
        min_calls: Calls within *window_s* below which the ratio says nothing.
        window_s: Seconds that failures and calls are remembered.
        excluded: Exceptions that do not count as failures: the other side is well.
        clock: Returns monotonic seconds.

    Raises:
        ConfigurationError: A number is out of its range.
    """

    def __init__(
        self,
        name: str,
        *,
        failure_threshold: int = 5,
        recovery_s: float = 30.0,
        failure_ratio: float | None = None,
        min_calls: int = 20,
        window_s: float = 60.0,
        excluded: tuple[type[BaseException], ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        is_share = failure_ratio is None or 0 < failure_ratio <= 1
        if failure_threshold < 1 or not is_share:
            raise ConfigurationError(
                f"breaker {name!r}: failure_threshold is {failure_threshold!r} (at least 1), "
                f"failure_ratio is {failure_ratio!r} (above 0, at most 1)"
            )
        self.name = name
        self._circuit = Circuit(
            Policy(failure_threshold, recovery_s, failure_ratio, min_calls, window_s)
        )
        self._excluded = excluded
        self._clock = clock
        self._opened_at = clock()
        # Blocks may be nested, and open in many tasks and threads at once.
        self._permits: ContextVar[tuple[Permit, ...]] = ContextVar(f"breaker {name}", default=())

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """What it does with calls now; ``open`` also when a trial would be let through."""
        return self._circuit.state.value

    def __enter__(self) -> Self:
        self._permits.set((*self._permits.get(), self._begin()))
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        permits = self._permits.get()
        self._permits.set(permits[:-1])
        # Without one, the block was left in another context than it was entered in.
        self._end(permits[-1] if permits else None, error)
        return False

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        return self.__exit__(error_class, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return *function* with each of its calls guarded.

        Raises:
            TypeError: It is a generator function, which does its work after the call.
        """
        return inside(function, lambda: self)

    def _begin(self) -> Permit:
        now = self._clock()
        permit = self._circuit.acquire(now)
        if permit is None:
            registry.number("bot_breaker_rejected_total", self.name).add(1)
            raise CircuitOpenError(self.name, self._circuit.retry_in_s(now))
        if permit.begins_trials:
            report("info", "breaker_half_opened", breaker=self.name)
        return permit

    def _end(self, permit: Permit | None, error: BaseException | None) -> None:
        now = self._clock()
        outcome = self._outcome(error)
        wait_s = 0.0 if error is None else retry_after_s(error)
        change = self._circuit.end(permit, outcome, now, wait_s)
        if change is None:
            return
        if change.state is State.CLOSED:
            open_ms = round((now - self._opened_at) * 1_000)
            report("info", "breaker_closed", breaker=self.name, open_ms=open_ms)
            return
        self._opened_at = now
        report(
            "warning",
            "breaker_opened",
            breaker=self.name,
            failures=change.failures,
            trial_in_ms=round(self._circuit.retry_in_s(now) * 1_000),
            **({} if error is None else {"exc_info": error}),
        )

    def _outcome(self, error: BaseException | None) -> Outcome:
        if error is None or isinstance(error, self._excluded):
            return Outcome.SUCCESS
        return Outcome.FAILURE if isinstance(error, Exception) else Outcome.UNKNOWN
