"""A stretch of a text stream as records, whichever way its lines come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logkit_analysis.parsers.batch import RejectedLine
from logkit_analysis.parsers.line_limit import too_long
from logkit_analysis.parsers.text.records import (
    RECORD_BYTES,
    Line,
    Outcome,
    RecordBuilder,
    Sink,
    TextRecord,
    json_object,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logkit_analysis.parsers.text.transports import Envelope, Transport

# A record ends when so much of other channels has come since its last line. Programs write a
# record at once; without a bound, a channel that fell silent would hold back all others.
GAP_BYTES = 64 * 1024
_GAP_US = 1_000_000

# Records of several channels can overlap without end; whoever reads on must get on. A line in
# parts needs room for what is put before each, and for other lines between them.
_LEAST_PENDING_BYTES = 6 * 1024 * 1024
_PENDING_LINES = 2


@dataclass(slots=True)
class _Channel:
    """What is not finished in a channel: a record, or the first parts of a line."""

    builder: RecordBuilder
    end: int
    us: int | None = None
    parts: list[Line] = field(default_factory=list)


class Splitter:
    """Splits stretches of one stream.

    Args:
        builder: Makes the builder of a channel.
        may_continue: Whether any format has records of several lines.
        transport: How the lines come, or ``None``.
        instant: Reads the time of an envelope, in microseconds.
        max_line_bytes: A longer line is rejected whole; the record around it goes on.
    """

    def __init__(
        self,
        builder: Callable[[], RecordBuilder],
        *,
        may_continue: bool,
        transport: Transport | None,
        instant: Callable[[object], int | None],
        max_line_bytes: int,
    ) -> None:
        self._builder = builder
        self._may_continue = may_continue
        self._transport = transport
        self._instant = instant
        self._max_line_bytes = max_line_bytes
        self._most_pending = max(_LEAST_PENDING_BYTES, _PENDING_LINES * max_line_bytes)

    def split(self, data: bytes, start: int, done: Sink) -> None:
        """Give to *done* what the lines of *data* are; its last record ends with it."""
        self.split_lines(_lines(data, start), start, done)

    def split_lines(self, lines: Iterable[Line], start: int, done: Sink) -> None:
        """Give to *done* what *lines* from offset *start* on are; the last ends its record."""
        for channel in self._run(lines, start, done, is_middle=False):
            self._close(channel, done)

    def settled(self, data: bytes) -> int:
        """Return how many bytes of *data* hold records that no later line can continue."""
        if not self._may_continue and self._transport is None:
            return len(data)
        window = 4 * GAP_BYTES
        while True:
            begin = data.rfind(b"\n", 0, max(0, len(data) - window)) + 1
            cut = self._cut(data[begin:], begin)
            if cut is not None:
                return len(data) if cut == 0 and len(data) > self._most_pending else cut
            window *= 4

    def _cut(self, data: bytes, begin: int) -> int | None:
        """Return the last place that cuts no record, ``None`` if it lies before *begin*."""
        done: list[Outcome] = []
        channels = self._run(_lines(data, begin), begin, done.append, is_middle=begin > 0)
        pending = [part.start for channel in channels for part in channel.parts[:1]]
        pending += [c.builder.open.start for c in channels if c.builder.open is not None]
        cut = min([begin + len(data), *pending])
        spans = [item for item in done if isinstance(item, TextRecord)]
        for span in sorted(spans, key=lambda span: span.start, reverse=True):
            if span.start < cut < span.end:
                cut = span.start
        return None if begin > 0 and cut <= begin else cut

    def _run(
        self, lines: Iterable[Line], start: int, done: Sink, *, is_middle: bool
    ) -> list[_Channel]:
        """Split *lines*; return the channels with what they have not finished.

        Args:
            lines: Some lines in order.
            start: Offset of the first byte.
            done: Is given what is finished.
            is_middle: Whether the first lines of a channel may continue what is not in sight.
        """
        if self._transport is None:
            return [self._run_plain(lines, start, done, is_middle=is_middle)]
        channels: dict[object, _Channel] = {}
        seen: set[object] = set()
        for line in self._short(lines, done):
            envelope = self._transport.open(line.text)
            if envelope is None:
                done(_stray(line))
                continue
            us = self._instant(envelope.fields.get("timestamp"))
            self._close_stale(channels, line.start, us, done)
            channel = channels.pop(envelope.channel, None) or _Channel(self._builder(), start)
            if is_middle and envelope.channel not in seen and line.start - start < RECORD_BYTES:
                self._feed_unknown(channel, line, envelope, start, done)
            else:
                self._feed(channel, line, envelope, done)
            seen.add(envelope.channel)
            channel.end, channel.us = line.end, us
            if channel.parts or channel.builder.open is not None:
                channels[envelope.channel] = channel
        return list(channels.values())

    def _run_plain(
        self, lines: Iterable[Line], start: int, done: Sink, *, is_middle: bool
    ) -> _Channel:
        builder = self._builder()
        if is_middle:
            builder.open = TextRecord(start, start, None, [], {})
        for line in self._short(lines, done):
            builder.feed(line, done)
        return _Channel(builder, start)

    def _short(self, lines: Iterable[Line], done: Sink) -> Iterator[Line]:
        """Yield *lines* but those that are too long, which are finished."""
        for line in lines:
            if len(line.text) <= self._max_line_bytes:
                yield line
            else:
                reason = too_long(len(line.text), self._max_line_bytes)
                done(RejectedLine(line.start, reason, line.text))

    def _feed_unknown(
        self,
        channel: _Channel,
        line: Line,
        envelope: Envelope,
        begin: int,
        done: Sink,
    ) -> None:
        """Take a channel's first line in sight, which may be the end of anything before."""
        record = TextRecord(begin, line.end, None, [], {})
        if envelope.is_partial:
            channel.parts = [Line(begin, line.end, envelope.text, [], {})]
        if self._may_continue:
            channel.builder.open = record
        else:
            done(record)

    def _feed(self, channel: _Channel, line: Line, envelope: Envelope, done: Sink) -> None:
        """Give *channel* the line inside *envelope*, or keep it until its other parts come."""
        inner = Line(line.start, line.end, envelope.text, line.raws, envelope.fields)
        if not envelope.is_partial and not channel.parts:
            channel.builder.feed(inner, done)
            return
        channel.parts.append(inner)
        if envelope.is_partial:
            return
        size = sum(len(part.text) for part in channel.parts)
        if size > self._max_line_bytes:
            _reject_parts(channel, too_long(size, self._max_line_bytes), done)
            return
        channel.builder.feed(_joined(channel.parts), done)
        channel.parts = []

    def _close_stale(
        self,
        channels: dict[object, _Channel],
        start: int,
        us: int | None,
        done: Sink,
    ) -> None:
        for key, channel in list(channels.items()):
            is_later = us is not None and channel.us is not None and us - channel.us > _GAP_US
            if is_later or start - channel.end > GAP_BYTES:
                self._close(channels.pop(key), done)

    def _close(self, channel: _Channel, done: Sink) -> None:
        channel.builder.close(done)
        if channel.parts:
            _reject_parts(channel, "partial_line: the rest of it never came", done)


def whole_line(start: int, raw: bytes) -> Line:
    """Return the line that *raw* at offset *start* is as it stands."""
    return Line(start, start + len(raw) + 1, raw, [raw], {})


def _lines(data: bytes, start: int) -> Iterator[Line]:
    """Yield the lines of *data*; an empty rest behind the last newline is none."""
    for raw in data.removesuffix(b"\n").split(b"\n") if data else ():
        end = start + len(raw) + 1
        yield whole_line(start, raw)
        start = end


def _joined(parts: list[Line]) -> Line:
    """Return the line of which *parts* are the parts, in order."""
    text = b"".join(part.text for part in parts)
    raws = [raw for part in parts for raw in part.raws]
    return Line(parts[0].start, parts[-1].end, text, raws, parts[0].fields)


def _reject_parts(channel: _Channel, reason: str, done: Sink) -> None:
    whole = _joined(channel.parts)
    done(TextRecord(whole.start, whole.end, None, whole.raws, {}, defect=reason))
    channel.parts = []


def _stray(line: Line) -> Outcome:
    """Return what a line is that did not come the way of the others."""
    value = json_object(line.text, needs_time=False) if line.text.startswith(b"{") else None
    if value is not None:
        return TextRecord(line.start, line.end, value, line.raws, {})
    reason = "no_format: not as its neighbours come" if line.text.strip() else "empty_line"
    return RejectedLine(line.start, reason, line.text)
