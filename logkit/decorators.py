"""Functions and coroutine functions whose calls run inside a context manager."""

from __future__ import annotations

from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

P = ParamSpec("P")
R = TypeVar("R")


def refuse_generators(function: Callable[..., object]) -> None:
    """Let nobody believe that what surrounds the call surrounds a generator's work.

    Raises:
        TypeError: *function* is a generator function.
    """
    if isgeneratorfunction(function) or isasyncgenfunction(function):
        name = getattr(function, "__qualname__", "it")
        raise TypeError(f"{name} is a generator and does its work after the call: use it inside")


def inside(
    function: Callable[P, R], enter: Callable[[], AbstractContextManager[object]]
) -> Callable[P, R]:
    """Return *function* so that each of its calls runs inside a context that *enter* makes.

    Raises:
        TypeError: It is a generator function.
    """
    refuse_generators(function)
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
