"""An exception as flat event fields: type, message, frames without locals, fingerprint."""

from __future__ import annotations

import os
import sys
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from logkit.encoding import attribute_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType, TracebackType

_MAX_EXCEPTIONS = 12
_HEAD_FRAMES = 10
_TAIL_FRAMES = 40

Frame = tuple["CodeType", int]


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return ``error_type``, ``error_message``, ``error_stack`` and ``error_fingerprint``.

    The stack has one ``file:line function`` per line, outermost call first. The exceptions that
    led to this one follow, each after a line ``caused by Type: message`` (``during Type: message``
    if the code did not say ``from``, ``member Type: message`` for the parts of a group).
    The fingerprint is 16 hex digits over the types and functions of the chain. Line numbers,
    messages, paths and the depth of a recursion are not in it, so it survives a deploy.
    """
    stack: list[str] = []
    identity: dict[str, None] = {}
    for relation, link in _chain(error):
        if relation:
            stack.append(f"{relation} {type_name(link)}: {message_of(link)}")
        frames = list(_frames(link.__traceback__))
        stack += _frame_lines(frames)
        identity[type_name(link)] = None
        identity.update(dict.fromkeys(_function(code) for code, _ in frames))
    text = "\n".join(identity).encode("utf-8", "surrogatepass")
    return {
        "error_type": type_name(error),
        "error_message": message_of(error),
        "error_stack": "\n".join(stack),
        "error_fingerprint": blake2b(text, digest_size=8).hexdigest(),
    }


def exception_of(exc_info: object) -> BaseException | None:
    """Return the exception that an ``exc_info`` argument stands for, or ``None``.

    Takes what logging and structlog take: ``True`` (the exception being handled), an exception,
    or the tuple of ``sys.exc_info()``.
    """
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        error = exc_info[1] if len(exc_info) > 1 else None
        return error if isinstance(error, BaseException) else None
    return sys.exc_info()[1] if is_set(exc_info) else None


def is_set(value: object) -> bool:
    """Return whether *value* counts as true; what cannot say counts as false."""
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - arrays, and whatever else has no truth value
        return False


def stack_of(frame: FrameType | None) -> str:
    """Return the calls that lead to *frame*, outermost first, one ``file:line function`` a line."""
    frames: list[Frame] = []
    while frame is not None:
        frames.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return "\n".join(_frame_lines(frames[::-1]))


def type_name(error: BaseException) -> str:
    """Return the name of the class of *error*, without its module."""
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """Return the text of *error* with its notes, also when its ``__str__`` fails."""
    notes = attribute_of(error, "__notes__")
    if not isinstance(notes, list | tuple):
        return text_of(error)
    return "\n".join(map(text_of, [error, *notes]))


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    seen: set[int] = set()
    waiting: list[tuple[str, BaseException]] = [("", error)]
    while waiting and len(seen) < _MAX_EXCEPTIONS:
        relation, link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield relation, link
        if isinstance(link, BaseExceptionGroup):
            waiting += [("member", member) for member in link.exceptions]
        if link.__cause__ is not None:
            waiting.append(("caused by", link.__cause__))
        elif link.__context__ is not None and not link.__suppress_context__:
            waiting.append(("during", link.__context__))


def _frames(traceback: TracebackType | None) -> Iterator[Frame]:
    while traceback is not None:
        yield traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next


def _frame_lines(frames: list[Frame]) -> list[str]:
    lines = [f"{code.co_filename}:{line} {code.co_qualname}" for code, line in frames]
    left_out = len(lines) - _HEAD_FRAMES - _TAIL_FRAMES
    if left_out > 0:
        lines[_HEAD_FRAMES:-_TAIL_FRAMES] = [f"... {left_out} frames left out"]
    return lines


def _function(code: CodeType) -> str:
    return f"{code.co_filename.rpartition(os.sep)[2]}:{code.co_qualname}"
