"""Exceptions that nobody catches: the event that tells why the bot died."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from logkit.origins import fields_of
from logkit.pipeline import pipeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_LOGGER = "logkit.crashes"

_is_watching = False


def watch() -> None:
    """Log ``uncaught_exception`` before the hooks of ``sys`` and ``threading`` do what they did.

    Only the first call does something: a hook that was set since then usually calls ours, and
    setting it again would log each exception twice.
    """
    global _is_watching
    if _is_watching:
        return
    _is_watching = True
    sys.excepthook = _main_hook(sys.excepthook)
    threading.excepthook = _thread_hook(threading.excepthook)


def _main_hook(previous: Callable[..., Any]) -> Callable[..., None]:
    def log_and_go_on(
        error_class: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        try:
            _log(error, threading.current_thread().name)
        finally:
            previous(error_class, error, traceback)

    return log_and_go_on


def _thread_hook(previous: Callable[[Any], Any]) -> Callable[[Any], None]:
    def log_and_go_on(args: threading.ExceptHookArgs) -> None:
        try:
            _log(args.exc_value, args.thread.name if args.thread is not None else None)
        finally:
            previous(args)

    return log_and_go_on


def _log(error: BaseException | None, thread_name: str | None) -> None:
    # A bot that is stopped by hand, or a thread that ends itself, has not crashed.
    if error is None or isinstance(error, KeyboardInterrupt | SystemExit):
        return
    fields = {**fields_of(error), "exc_info": error, "thread_name": thread_name}
    pipeline.emit("critical", _LOGGER, "uncaught_exception", (), {}, fields, None)
