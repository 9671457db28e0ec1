"""Functions and coroutine functions whose calls run inside a context manager."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

P = ParamSpec("P")
R = TypeVar("R")


def inside(
    function: Callable[P, R], enter: Callable[[], AbstractContextManager[object]]
) -> Callable[P, R]:
    """Return *function* so that each of its calls runs inside a context that *enter* makes."""
    if iscoroutinefunction(function):

        @wraps(function)
        async def coroutine_inside(*args: P.args, **kwargs: P.kwargs) -> Any:
            with enter():
                return await function(*args, **kwargs)

        return cast("Callable[P, R]", coroutine_inside)

    @wraps(function)
    def function_inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with enter():
            return function(*args, **kwargs)

    return function_inside
