"""A chunk of a log of any format as a batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logkit_analysis.parsers.json_chunks import JsonChunkParser
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.parsers.line_limit import MAX_LINE_BYTES
from logkit_analysis.parsers.text.columnar_texts import ColumnarTexts
from logkit_analysis.parsers.text.detection import choose
from logkit_analysis.parsers.text.layout import JSON, FormatTable, UnknownFormatError
from logkit_analysis.parsers.text.text_parser import TextParser
from logkit_analysis.parsers.text.text_times import TextTimes

if TYPE_CHECKING:
    from datetime import tzinfo

    from logkit_analysis.parsers.batch import Batch, RejectedLine
    from logkit_analysis.parsers.choice import Choice

# So many rejected lines, and such a share of all, may be a format that came in later.
_FEWEST_REJECTS = 3
_REJECTED_SHARE = 0.05

# A line without newline is as long as it will get when nobody has written for a minute.
_IDLE_S = 60.0

_NO_FORMAT = "no_format: neither JSON nor a text format that we know"


class ChunkParser:
    """Parses chunks, from several threads if need be.

    Args:
        zone: Zone of times that name none.
        table: The formats there are, by default ours.
        only_format: Name of the format of every log; ``None`` to decide by content.
        max_line_bytes: A longer line is rejected whole.

    Attributes:
        max_line_bytes: The same.

    Raises:
        UnknownFormatError: *only_format* is no name of a format.
    """

    def __init__(
        self,
        zone: tzinfo,
        *,
        table: FormatTable | None = None,
        only_format: str | None = None,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        self._zone = zone
        self._table = table or FormatTable()
        self._only_format = only_format
        self.max_line_bytes = max_line_bytes
        self._lines = JsonLinesParser(zone, max_line_bytes)
        self._json = JsonChunkParser(self._lines)
        self._columnar = ColumnarTexts()
        if only_format is not None:
            self._table.layout(only_format)

    def is_event(self, line: bytes) -> bool:
        """Return whether *line* alone is an event."""
        return isinstance(self._lines.parse(line), Record)

    def choose(self, data: bytes) -> Choice:
        """Return the format of the lines of *data*."""
        return choose(data, self._table)

    def settled(self, data: bytes, format_name: str | None) -> int:
        """Return how many bytes of *data* hold records that no later line can continue."""
        name = self._known(format_name) or self.choose(data).name
        return len(data) if name in (None, JSON) else self._text(name).settled(data)

    def parse(
        self,
        data: bytes,
        start: int,
        *,
        format_name: str | None = None,
        is_last: bool = True,
        written_at: datetime | None = None,
    ) -> Batch:
        """Parse the lines of *data*, whose first byte has offset *start*.

        Args:
            data: Some lines of a stream, from the start of a record.
            start: Offset of the first byte in the stream.
            format_name: Format of the stream's lines, if it is known.
            is_last: Whether the last record ends with *data*. Otherwise later lines may continue
                it: it is left out, and `Batch.consumed` says where it begins.
            written_at: When the last of the lines was written, for times without a year; by
                default now.
        """
        name = self._known(format_name)
        choice = None if name else self.choose(data)
        if choice is not None:
            name = choice.name
        if not is_last:
            data = data[: self.settled(data, name)]
        batch = self._parse_as(name, data, start, written_at)
        batch.choice = choice
        if self._only_format is None and self._has_many_rejects(batch, data):
            batch = self._parse_again(batch, name, data, start, written_at)
        batch.consumed = len(data)
        return batch

    def _known(self, format_name: str | None) -> str | None:
        """Return the name to go by, ``None`` if that is to be decided (anew)."""
        name = self._only_format or format_name
        try:
            if name is not None:
                self._table.layout(name)
        except UnknownFormatError:
            # A format of the user's own that is no longer there.
            return None
        return name

    def _parse_as(
        self, name: str | None, data: bytes, start: int, written_at: datetime | None = None
    ) -> Batch:
        if name == JSON or (name is not None and name.startswith(f"{JSON}+") and _is_json(data)):
            return self._json.parse(data, start)
        if name is None:
            batch = self._json.parse(data, start)
            batch.rejects = [_told_plainly(line) for line in batch.rejects]
            return batch
        return self._text(name, written_at).parse(data, start)

    def _text(self, name: str, written_at: datetime | None = None) -> TextParser:
        times = TextTimes(self._zone, written_at or datetime.now(UTC))
        layout = self._table.layout(name)
        return TextParser(layout, times, self._lines, self._columnar.reader(layout))

    def _has_many_rejects(self, batch: Batch, data: bytes) -> bool:
        count = len(batch.rejects)
        return count >= _FEWEST_REJECTS and count >= data.count(b"\n") * _REJECTED_SHARE

    def _parse_again(
        self, batch: Batch, name: str | None, data: bytes, start: int, written_at: datetime | None
    ) -> Batch:
        """Return *batch* with its rejects read in the format that they are found to have."""
        found = self.choose(b"\n".join(line.raw for line in batch.rejects))
        if found.name is None:
            return batch
        wider = self._table.union(name, found.name, is_replaced=not batch.row_count)
        if wider is None or wider == name:
            return batch
        batch = self._parse_as(wider, data, start, written_at)
        batch.choice = replace(found, name=wider)
        return batch


def _is_json(data: bytes) -> bool:
    """Return whether every line is meant as an object: these are read ten times as fast alone."""
    return data.startswith(b"{") and data.count(b"\n{") == data.count(b"\n") - data.endswith(b"\n")


def _told_plainly(line: RejectedLine) -> RejectedLine:
    """Return *line* without a complaint about its JSON, which it was never meant to be."""
    is_text = line.reason.startswith("invalid_json") and not line.raw.lstrip().startswith(b"{")
    return replace(line, reason=_NO_FORMAT) if is_text else line


class StreamParser:
    """Parses the chunks of one stream; the first of known format decides for all.

    Args:
        parser: Of all streams.
        format_name: What the stream was found to be before, if it was.
        written_at: When the stream was last written.
    """

    def __init__(
        self, parser: ChunkParser, format_name: str | None, written_at: datetime | None
    ) -> None:
        self._parser = parser
        self._name = format_name
        self._written_at = written_at
        self._choice: Choice | None = None

    def settled(self, data: bytes) -> int:
        """Return how many bytes of *data* hold records that no later line can continue."""
        if self._name is None:
            self._choice = self._parser.choose(data)
            self._name = self._choice.name
        return self._parser.settled(data, self._name)

    def is_whole(self, record: bytes, idle_s: float) -> bool:
        """Return whether the last *record* of a file is whole.

        Args:
            record: The last bytes of the file.
            idle_s: For how many seconds the file has not been written. It tells of a line of
                text without newline; of JSON, its closing brace does.
        """
        if record.endswith(b"\n") or self._parser.is_event(record):
            return True
        return self._name not in (None, JSON) and idle_s >= _IDLE_S

    def parse(self, data: bytes, start: int) -> Batch:
        """Parse the records of *data*, whose first byte has offset *start*."""
        choice, self._choice = self._choice, None
        batch = self._parser.parse(data, start, format_name=self._name, written_at=self._written_at)
        if batch.choice is None:
            batch.choice = choice
        elif batch.choice.name is not None:
            self._name = batch.choice.name
        return batch
