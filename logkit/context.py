"""Fields that every event of the current task or thread carries: correlation id and bound fields.

They live in one context variable, so asyncio tasks inherit them and siblings never share them.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from logkit import origins
from logkit.encoding import text_of
from logkit.processors import prepare

if TYPE_CHECKING:
    from types import TracebackType

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

bound_fields: ContextVar[dict[str, Any]] = ContextVar(
    "logkit_bound_fields",
    default={},  # noqa: B039 - the dict is replaced, never changed
)
"""Fields of the current context; whoever reads them must not change the dict."""


def is_correlation_id(text: str) -> bool:
    """Return whether *text* is 1 to 128 characters of ``[A-Za-z0-9._:-]``."""
    return _CORRELATION_ID.fullmatch(text) is not None


def new_correlation_id() -> str:
    """Return a random id of 32 hex digits."""
    return os.urandom(16).hex()


class Scope:
    """Fields that are bound while a ``with`` block runs."""

    __slots__ = ("_bound", "_fields", "_previous", "_token")

    _bound: dict[str, Any]
    _previous: dict[str, Any]
    _token: Token[dict[str, Any]]

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = prepare(fields)

    def _enter(self) -> None:
        self._previous = bound_fields.get()
        self._bound = self._inside(self._previous)
        self._token = bound_fields.set(self._bound)

    def _inside(self, outer: dict[str, Any]) -> dict[str, Any]:
        return {**outer, **self._fields}

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        if error is not None:
            origins.mark(error, self._bound, self._previous)
        try:
            bound_fields.reset(self._token)
        except (ValueError, RuntimeError):
            # Another context closes the block (an async generator finalised by the loop, a task
            # that inherited the fields): undo them only where they are still in force.
            if bound_fields.get() is self._bound:
                bound_fields.set(self._previous)


class fresh(Scope):  # noqa: N801
    """Hide all fields inside the ``with`` block, the correlation id too.

    For work that outlives the action which happens to start it: a task that is created inside
    inherits nothing. ``with logkit.fresh(): asyncio.create_task(poll())``.

    Args:
        fields: What is bound instead.
    """

    __slots__ = ()

    def __init__(self, fields: dict[str, Any] | None = None) -> None:
        super().__init__(fields or {})

    def __enter__(self) -> None:
        self._enter()

    def _inside(self, outer: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return self._fields


class bind(Scope):  # noqa: N801 - a context manager that reads like a verb
    """Add *fields* to every event that is logged inside the ``with`` block.

    A name of the envelope (``level``, ``logger`` ...) is written as ``field_<name>``. Leaving the
    block in another task than it was entered in is safe.
    """

    __slots__ = ()

    def __init__(self, /, **fields: Any) -> None:
        super().__init__(fields)

    def __enter__(self) -> None:
        self._enter()


class correlation(Scope):  # noqa: N801
    """Give every event inside the ``with`` block one correlation id, and return the id.

    Args:
        id: 1 to 128 characters of ``[A-Za-z0-9._:-]``; a number is taken as text. ``None`` makes
            a new id, and so does a value that is not valid: it usually comes from outside, and
            may neither break the bot nor reach the log.
    """

    __slots__ = ("correlation_id",)

    def __init__(self, id: object = None) -> None:  # noqa: A002 - the documented name
        text = "" if id is None else text_of(id)
        self.correlation_id = text if is_correlation_id(text) else new_correlation_id()
        super().__init__({"correlation_id": self.correlation_id})

    def __enter__(self) -> str:
        self._enter()
        return self.correlation_id
