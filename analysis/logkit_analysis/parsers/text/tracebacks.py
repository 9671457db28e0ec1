"""Stack traces in text: where one begins and which exception it ends with."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TRACEBACK = re.compile(r"[\s+|]*+(?:.* )?[Tt]raceback \(most recent call last\):")
# A foreign trace: "java.io.IOException: Broken pipe", then lines "at package.Class.method".
_FOREIGN = re.compile(
    r"(?:Exception in thread \"[^\"]*\" )?([\w$.]*(?:Exception|Error))(?:: (.*))?$"
)
_FOREIGN_FRAME = re.compile(r"\s+at \S")
_EXCEPTION = re.compile(r"[\s|]*([A-Za-z_][\w.]*)(?::(?: (.*))?)?$")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]*)", line (?P<line>\d+), in (?P<function>.+)')
_EXCEPTION_LINE = re.compile(r"[\w.]*(?:Error|Exception|Warning|Interrupt|Exit|NotFound)\b(?::|$)")
_CHAIN = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A stack trace.

    Attributes:
        error_type: Class of the exception that was raised last, ``None`` for a mere stack.
        error_message: Its text, ``None`` if it has none.
        text: All lines.
    """

    error_type: str | None
    error_message: str | None
    text: str


def looks_like_continuation(line: str) -> bool:
    """Return whether *line* is as lines within a stack trace are, or indented."""
    return line[:1] in (" ", "\t", "") or (
        line in _CHAIN
        or _TRACEBACK.match(line) is not None
        or _EXCEPTION_LINE.match(line) is not None
    )


def find_trace(lines: list[str]) -> int | None:
    """Return the index of the line at which a stack trace begins, ``None`` without one."""
    for index, line in enumerate(lines):
        if "raceback (most recent call last):" in line and _TRACEBACK.match(line):
            return index
        if (
            _FOREIGN.match(line)
            and index + 1 < len(lines)
            and _FOREIGN_FRAME.match(lines[index + 1])
        ):
            return index
    return None


def read_trace(lines: list[str]) -> Trace:
    """Return the stack trace that *lines* hold from the first to the last."""
    text = "\n".join(lines)
    if not _TRACEBACK.match(lines[0]):
        found = _FOREIGN.match(lines[0])
        return Trace(found[1], found[2], text) if found else Trace(None, None, text)
    start = _last_exception(lines)
    found = _EXCEPTION.match(lines[start]) if start is not None else None
    if start is None or found is None:
        return Trace(None, None, text)
    rest = [line for line in lines[start + 1 :] if line not in _CHAIN]
    message = "\n".join([found[2] or "", *rest]).strip("\n")
    return Trace(found[1], message or None, text)


def blocking_frame(text: str) -> str | None:
    """Return the innermost frame of a Python stack as ``file:line function``."""
    frame = None
    for frame in _FRAME.finditer(text):  # noqa: B007 the last one is what is wanted
        pass
    return f"{frame['file']}:{frame['line']} {frame['function'].strip()}" if frame else None


def _last_exception(lines: list[str]) -> int | None:
    """Return the index of the line that names the last exception of a Python traceback.

    Of an exception group it is the group itself, whose parts follow indented.
    """
    is_group = "Exception Group Traceback" in lines[0]
    found, is_inside = None, False
    for index, line in enumerate(lines):
        body = line[4:] if is_group and line.startswith("  | ") else line
        if "raceback (most recent call last):" in line:
            is_inside = True
        elif is_inside and body[:1] not in (" ", "\t", "") and _EXCEPTION.match(body):
            found, is_inside = index, False
            if is_group:
                break
    return found
