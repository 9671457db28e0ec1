"""The bins of the `degradation_start` query, sorted into series of one thing each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from logkit_analysis.results import Table

if TYPE_CHECKING:
    from logkit_analysis.detect.levels import Floats
    from logkit_analysis.results import ResultSet

_COUNTS = ("answered", "errors", "answers", "samples", "slow")
_LEVELS = ("log_mean", "centre", "upper_end")


class Key(NamedTuple):
    """What a series is about; names are ``None`` where the events have none."""

    series: str
    service: str | None
    method: str | None
    endpoint: str | None
    queue: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The bins of one thing in order of time; arrays have one value for each bin.

    Attributes:
        key: What it is about.
        at: Start of the bin, in seconds since 1970.
        first_at: Start of its first call, or its first sample, in the same unit.
        answered: Calls without 429s, or lines.
        errors: Failed calls, or lines at level error.
        answers: Calls that others made to us.
        samples: Successful calls with a duration, or samples of a figure.
        slow: Of those, the ones far beyond what is usual.
        log_mean: Mean of their logarithm; NaN without samples, as are the next two.
        centre: Their median.
        upper_end: Their 95th percentile.
        table: Where the correlation ids are.
        row: Row of the first bin in it.
    """

    key: Key
    at: Floats
    first_at: Floats
    answered: Floats
    errors: Floats
    answers: Floats
    samples: Floats
    slow: Floats
    log_mean: Floats
    centre: Floats
    upper_end: Floats
    table: Table
    row: int

    def ids(self, name: str, start: int, end: int) -> list[str]:
        """Return the correlation ids in the column *name* of bins from *start* up to *end*."""
        values = self.table.values(name, self.row + start, self.row + end)
        return [str(value) for value in values if value is not None]


def read_series(result: ResultSet) -> list[Series]:
    """Return the series of a result, which is ordered by its key and then by time."""
    table = result.rows
    if not isinstance(table, Table) or not len(table):
        return []
    columns = {name: table.numbers(name) for name in (*_COUNTS, *_LEVELS)}
    at, first_at = (
        table.numbers(name).astype("datetime64[us]").astype(np.int64) / 1e6
        for name in ("bin_at", "first_at")
    )
    found = []
    for start, end in pairwise(_bounds(table)):
        names = (table.values(name, start, start + 1)[0] for name in Key._fields)
        part = {name: values[start:end] for name, values in columns.items()}
        found.append(
            Series(Key(*names), at[start:end], first_at[start:end], **part, table=table, row=start)
        )
    return found


def _bounds(table: Table) -> list[int]:
    """Return where series begin, and the end of the last one."""
    is_first = np.zeros(len(table), dtype=bool)
    is_first[0] = True
    for name in Key._fields:
        is_first[1:] |= np.diff(table.codes(name)) != 0
    return [*np.flatnonzero(is_first).tolist(), len(table)]
