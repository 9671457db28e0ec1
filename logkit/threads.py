"""Correlation and bound fields across threads, which inherit nothing by themselves."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from logkit.context import bound_fields, fresh
from logkit.decorators import refuse_generators
from logkit.origins import mark
from logkit.spans import flagged, trace_flags

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def wrap(function: Callable[P, R]) -> Callable[P, R]:
    """Return *function* so that it always runs in the context of this moment.

    For callbacks, threads and queue workers, which run later or elsewhere. It may be called any
    number of times, also at once; what it binds stays inside the call. A coroutine function gets
    the fields of this moment, a plain function all context variables.

    Raises:
        TypeError: It is a generator function, whose work is done where it is iterated.
    """
    refuse_generators(function)
    if iscoroutinefunction(function):
        return cast("Callable[P, R]", _wrap_async(function))
    context, fields = copy_context(), bound_fields.get()

    @wraps(function)
    def in_context(*args: P.args, **kwargs: P.kwargs) -> R:
        # A context can be entered once at a time; a copy costs nothing.
        try:
            return context.copy().run(function, *args, **kwargs)
        except BaseException as error:
            mark(error, fields, {})
            raise

    return in_context


class ContextExecutor(ThreadPoolExecutor):
    """A ``ThreadPoolExecutor`` whose tasks run in the context of the code that submits them.

    It serves as the default executor of an event loop, too.
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Schedule ``fn(*args, **kwargs)`` in a copy of the caller's context."""
        run = cast("Callable[..., R]", copy_context().run)
        return super().submit(run, fn, *args, **kwargs)


def _wrap_async(function: Callable[..., Any]) -> Callable[..., Any]:
    fields, flags = bound_fields.get(), trace_flags.get()

    @wraps(function)
    async def in_context(*args: Any, **kwargs: Any) -> Any:
        with fresh(fields), flagged(flags):
            return await function(*args, **kwargs)

    return in_context
