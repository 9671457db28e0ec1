"""``timed``: one event about an operation, with its duration and how it ended."""

from __future__ import annotations

import sys
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from logkit.decorators import inside
from logkit.logger import Logger
from logkit.spans import Span

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")


class timed(Span):  # noqa: N801 - a context manager and decorator that reads like a verb
    """Log *event* when the block or function ends, with ``duration_ms`` and ``outcome``.

    Use it as ``with timed("api_call", endpoint="/users") as call:``, where ``call.add(...)``
    adds fields that are known later, or as a decorator of a function or coroutine function.

    ``outcome`` is ``ok``, ``error`` or ``cancelled``. After an exception the event is named
    ``<event>_failed`` and carries the error fields; the exception is raised again. The level is
    then ``error``, but ``warning`` when the task was cancelled or the process told to stop.

    The block is a span: its event and those inside carry ``trace_id``, ``span_id`` and, inside
    another span, ``parent_span_id``.
    """

    __slots__ = ("_added", "_logger", "_started_ns")

    _started_ns: int

    def __init__(self, event: str, /, **fields: Any) -> None:
        super().__init__(event)
        self._added = fields
        self._logger = Logger(sys._getframe(1).f_globals.get("__name__", ""))

    def add(self, /, **fields: Any) -> None:
        """Add *fields* to the event."""
        self._added = {**self._added, **fields}

    def __enter__(self) -> timed:
        self._enter()
        self._started_ns = perf_counter_ns()
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        duration_ms = round((perf_counter_ns() - self._started_ns) / 1e6, 3)
        fields = {**self._added, "duration_ms": duration_ms}
        if error is None:
            self._logger.info(self._name, **{"outcome": "ok", **fields})
        elif not isinstance(error, Exception):
            fields["exc_info"] = error
            self._logger.warning(f"{self._name}_failed", **{"outcome": "cancelled", **fields})
        else:
            fields["exc_info"] = error
            self._logger.error(f"{self._name}_failed", **{"outcome": "error", **fields})
        self._end(self._added, error)

    async def __aenter__(self) -> timed:
        return self.__enter__()

    async def __aexit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(error_class, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return *function* with each of its calls timed.

        Raises:
            TypeError: It is a generator function, which does its work after the call.
        """
        return inside(function, self._copy)

    def _copy(self) -> timed:
        """Return a clock for one call; calls may overlap."""
        copy = timed(self._name, **self._added)
        copy._logger = self._logger
        return copy
