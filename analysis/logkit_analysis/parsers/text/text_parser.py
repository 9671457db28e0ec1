"""A chunk of a text log as a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.parsers.batch import Batch, RejectedLine, Rows
from logkit_analysis.parsers.json_chunks import FEWEST_LINES
from logkit_analysis.parsers.line_limit import long_lines
from logkit_analysis.parsers.lines import Lines
from logkit_analysis.parsers.text.formats import WHOLE_LINE
from logkit_analysis.parsers.text.reading import RecordReader
from logkit_analysis.parsers.text.records import RecordBuilder
from logkit_analysis.parsers.text.splitting import Splitter, whole_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
    from logkit_analysis.parsers.text.columnar_texts import ColumnReader
    from logkit_analysis.parsers.text.layout import Layout
    from logkit_analysis.parsers.text.records import Outcome, TextRecord
    from logkit_analysis.parsers.text.text_times import TextTimes


class TextParser:
    """Parses chunks of one layout.

    Args:
        layout: What the lines are.
        times: Reads times.
        json_lines: Reads JSON lines.
        columns: Reads usual lines by column, ``None`` if there is nothing for this layout.
    """

    def __init__(
        self,
        layout: Layout,
        times: TextTimes,
        json_lines: JsonLinesParser,
        columns: ColumnReader | None = None,
    ) -> None:
        prefix = layout.transport.prefix if layout.transport else ""
        fallback = WHOLE_LINE if layout.transport else None
        self._splitter = Splitter(
            lambda: RecordBuilder(layout.formats, fallback),
            may_continue=any(known.is_multiline for known in layout.formats),
            transport=layout.transport,
            instant=times,
            max_line_bytes=json_lines.max_line_bytes,
        )
        self._reader = RecordReader(times, json_lines, prefix)
        self._columns = columns
        self._max_line_bytes = json_lines.max_line_bytes

    def settled(self, data: bytes) -> int:
        """Return how many bytes of *data* hold records that no later line can continue."""
        return self._splitter.settled(data)

    def parse(self, data: bytes, start: int) -> Batch:
        """Parse the records of *data*; the last one ends with it."""
        rows = Rows()
        batch = Batch()

        def take(outcome: Outcome) -> None:
            read = outcome if isinstance(outcome, RejectedLine) else self._read(outcome)
            if isinstance(read, RejectedLine):
                batch.rejects.append(read)
            else:
                for offset, record in read:
                    rows.add(record.columns, record.fields, offset)

        if self._columns is not None and self._has_many_usual_lines(data):
            lines = Lines(data, start)
            tables, others = self._columns(lines)
            batch.tables += [table for table in tables if table.num_rows]
            rest = (whole_line(offset, line) for offset, line in lines.each(others))
            self._splitter.split_lines(rest, start, take)
        else:
            self._splitter.split(data, start, take)
        if rows.count:
            batch.tables.append(rows.table())
        return batch

    def _has_many_usual_lines(self, data: bytes) -> bool:
        is_long = any(True for _ in long_lines(data, self._max_line_bytes))
        return data.endswith(b"\n") and data.count(b"\n") >= FEWEST_LINES and not is_long

    def _read(self, record: TextRecord) -> Iterable[tuple[int, Record]] | RejectedLine:
        """Return the events of *record*, each with its offset."""
        reason = record.defect
        if reason is None:
            try:
                return enumerate(self._reader.read(record), record.start)
            except RecursionError:
                reason = "nested_too_deep"
        return RejectedLine(record.start, reason, b"\n".join(record.raws))
