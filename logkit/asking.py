"""Calls of a bot's own functions from our threads, with a limit of time."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable


class LoopStoppedError(Exception):
    """The event loop that a coroutine needs does not run."""


def running_loop() -> AbstractEventLoop | None:
    """Return the event loop that the caller runs in, or ``None``."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def ask(function: Callable[[], Any], loop: AbstractEventLoop | None, timeout_s: float) -> Any:
    """Return what *function* returns, or what the awaitable that it returns ends with.

    Args:
        function: Called in this thread.
        loop: Event loop of another thread that runs the awaitable; ``None`` for a new one here.
        timeout_s: Seconds after which an awaitable is cancelled; a plain call is never cut off.

    Raises:
        TimeoutError: The awaitable took too long.
        LoopStoppedError: *loop* does not run.
    """
    value = function()
    if not inspect.isawaitable(value):
        return value
    coroutine = _limited(value, timeout_s)
    if loop is None:
        return asyncio.run(coroutine)
    if not loop.is_running():
        coroutine.close()
        if inspect.iscoroutine(value):
            value.close()
        raise LoopStoppedError("its event loop does not run")
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result(timeout_s)
    except TimeoutError:
        future.cancel()
        raise


async def _limited(awaitable: Any, timeout_s: float) -> Any:
    async with asyncio.timeout(timeout_s):
        return await awaitable
