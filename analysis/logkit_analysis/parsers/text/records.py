"""Lines of a text log as records: one line that begins each, and the lines that continue it.

Whether a line begins a record is seen from the line alone, or nearly so. A record is therefore
the same however the log is cut into chunks, as long as no cut goes through it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logkit_analysis.parsers.batch import RejectedLine
from logkit_analysis.parsers.loading import Reject, load_json
from logkit_analysis.parsers.unwrap import TIME_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.parsers.text.formats import TextFormat

RECORD_BYTES = 1024 * 1024
"""Lines that would make a record longer than this do not continue it."""

_ANSI = re.compile(r"\x1b\[[0-9;]*m")

Head = tuple["TextFormat", re.Match[str]] | dict[str, Any]
"""What a record's first line was found to be: a format's match, or a JSON object."""


@dataclass(slots=True)
class Line:
    """A line as its program wrote it.

    Attributes:
        start: Offset of its first byte in the stream, with what a transport put before it.
        end: Offset behind its newline.
        text: Its bytes without newline and without what a transport put around it.
        raws: The bytes that stand for it in the stream.
        fields: What the transport says about it.
    """

    start: int
    end: int
    text: bytes
    raws: list[bytes]
    fields: dict[str, Any]


@dataclass(slots=True)
class TextRecord:
    """A record.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last line.
        head: What its first line is; ``None`` if that is not in sight.
        raws: Its lines as they stand in the stream.
        fields: What the transport says about the first line.
        more: The lines that continue the first.
        defect: Why it cannot become an event, or ``None``.
    """

    start: int
    end: int
    head: Head | None
    raws: list[bytes]
    fields: dict[str, Any]
    more: list[str] = field(default_factory=list)
    defect: str | None = None


Outcome = TextRecord | RejectedLine
Sink = Callable[[Outcome], None]


class RecordBuilder:
    """Joins the lines of one channel to records.

    Args:
        formats: What may begin a record, likeliest first.
        fallback: Takes any line that nothing else takes, or ``None``.
    """

    def __init__(self, formats: Sequence[TextFormat], fallback: TextFormat | None) -> None:
        self.open: TextRecord | None = None
        self._formats = [(known, known.pattern.fullmatch) for known in formats]
        self._fallback = fallback
        self._names = ", ".join(known.name for known in formats)

    def feed(self, line: Line, done: Sink) -> None:
        """Take the next line; what is finished by it is given to *done*."""
        text, defect = _decoded(line)
        is_room = self.open is not None and line.end - self.open.start <= RECORD_BYTES
        head = self._head(text, line.text, is_open=is_room)
        if head is None and self.open is not None and is_room:
            self._continue(self.open, line, text, defect, done)
            return
        self.close(done)
        if head is None:
            reason = defect or self._refusal(text, line.text)
            done(RejectedLine(line.start, reason, b"\n".join(line.raws)))
            return
        self.open = TextRecord(line.start, line.end, head, line.raws, line.fields, defect=defect)
        if isinstance(head, dict) or not head[0].is_multiline:
            self.close(done)

    def close(self, done: Sink) -> None:
        """Finish the record that is open, if there is one."""
        if self.open is not None:
            done(self.open)
            self.open = None

    def _continue(
        self,
        record: TextRecord,
        line: Line,
        text: str,
        defect: str | None,
        done: Sink,
    ) -> None:
        record.end = line.end
        if defect and not record.defect:
            # The rest of the record is sound; it must not be lost with one broken line.
            done(RejectedLine(line.start, defect, b"\n".join(line.raws)))
            return
        record.more.append(text)
        record.raws += line.raws

    def _head(self, text: str, line: bytes, *, is_open: bool) -> Head | None:
        if line[:1] == b"{" and (found := json_object(line, needs_time=is_open)) is not None:
            return found
        for known, fullmatch in self._formats:
            if match := fullmatch(text):
                return known, match
        if self._fallback is not None and not is_open and (match := self._fallback_match(text)):
            return self._fallback, match
        return None

    def _refusal(self, text: str, line: bytes) -> str:
        """Return why a line that begins no record is none."""
        if not text.strip():
            return "empty_line"
        if line[:1] == b"{":
            try:
                value = load_json(line)
            except RecursionError:
                return "nested_too_deep"
            if isinstance(value, Reject):
                return value.reason
        return f"no_format: {self._names}"

    def _fallback_match(self, text: str) -> re.Match[str] | None:
        return self._fallback.pattern.fullmatch(text) if self._fallback else None


def plain_text(line: bytes) -> str:
    """Return the text of *line*, as formats are matched with it."""
    text = line.decode("utf-8", "surrogateescape").removesuffix("\r").removeprefix("\ufeff")
    return _ANSI.sub("", text) if "\x1b" in text else text


def _decoded(line: Line) -> tuple[str, str | None]:
    """Return the text of *line*, and what is wrong with it."""
    defect = None
    try:
        text = line.text.decode()
    except UnicodeDecodeError as error:
        text = line.text.decode("utf-8", "surrogateescape")
        defect = f"invalid_utf8: {error.reason} at byte {error.start}"
    if text[-1:] == "\r":
        text = text[:-1]
    if text[:1] == "\ufeff" and line.start == 0:
        text = text[1:]
    return (_ANSI.sub("", text) if "\x1b" in text else text), defect


def json_object(line: bytes, *, needs_time: bool) -> dict[str, Any] | None:
    """Return the JSON object that *line* is.

    Args:
        line: Begins with a brace.
        needs_time: Whether it must have a time, or else it may be part of a message.
    """
    if not line.rstrip().endswith(b"}"):
        return None
    try:
        value = load_json(line)
    except RecursionError:
        return None
    is_event = isinstance(value, dict) and not (needs_time and TIME_KEYS.isdisjoint(value))
    return value if is_event else None
