"""Failures that an event loop logs for a task or callback that nobody awaits."""

from __future__ import annotations

import gc
import sys
from contextvars import Context
from typing import Any

from logkit.context import bound_fields

_HANDLER = "default_exception_handler"


def fields_of_culprit() -> dict[str, Any]:
    """Return the fields that are bound in the task or callback whose failure is being logged.

    asyncio logs it from outside, at times when its task is collected; what has failed is known to
    the caller of the logger alone.
    """
    frame = sys._getframe()
    while frame.f_code.co_name != _HANDLER:
        if frame.f_back is None:
            return {}
        frame = frame.f_back
    told = frame.f_locals.get("context")
    for role in ("task", "future", "handle"):
        culprit = told.get(role) if isinstance(told, dict) else None
        # Not by a method of theirs: tasks have one since Python 3.12, callbacks have none.
        held = [] if culprit is None else gc.get_referents(culprit)
        context = next((part for part in held if type(part) is Context), None)
        if context is not None:
            return context.get(bound_fields, {})
    return {}
