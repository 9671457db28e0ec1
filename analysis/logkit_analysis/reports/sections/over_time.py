"""What charts over time have in common: the words about them, and what was normal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Chart, Series, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logkit_analysis.reports.case import Case
    from logkit_analysis.reports.ledger import Answer

_BAND = (0.05, 0.95)
_LEAST_BINS = 5


def per_bin(case: Case) -> str:
    """Return the width of a bin as it is spoken of: "per minute"."""
    seconds = case.axis.bin_seconds
    units = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next(one for one in units if seconds % one[0] == 0)
    count = seconds // size
    return f"per {unit}" if count == 1 else f"per {count} {unit}s"


def counts(
    case: Case,
    answer: Answer,
    column: str,
    *,
    id_: str,
    title: str,
    series: tuple[str, Style],
) -> Chart:
    """Return the chart of a count; *series* is its name and style."""
    values = zeros(case.aligned(answer.rows, column))
    name, style = series
    return Chart(
        id=id_,
        title=title,
        unit="",
        axis=case.axis,
        series=(Series(name, values, style, is_area=True),),
        band=baseline(case, values),
        summary=capitalised(summary(case, values, wording.count)),
        sources=(answer.number,),
    )


def capitalised(text: str) -> str:
    """Return *text* as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def zeros(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return counts: a bin without a row had none."""
    return tuple(0 if value is None else value for value in values)


def baseline(case: Case, values: Sequence[float | None]) -> tuple[float, float] | None:
    """Return between which levels 90 of 100 bins before the incident lay."""
    if case.incident is None:
        return None
    before = sorted(
        value
        for at, value in zip(case.bins(), values, strict=True)
        if value is not None and at < case.before.until
    )
    if len(before) < _LEAST_BINS:
        return None
    low, high = (before[round(share * (len(before) - 1))] for share in _BAND)
    return (low, high)


def summary(case: Case, values: Sequence[float | None], shown: Callable[[Any], str]) -> str:
    """Return what a chart shows in words: the baseline, and the peak with its time."""
    measured = [
        (value, at) for at, value in zip(case.bins(), values, strict=True) if value is not None
    ]
    if not measured:
        return "nothing was measured."
    peak, at = max(measured, key=lambda one: one[0])
    if not peak:
        return "none."
    text = f"at most {shown(peak)}, at {case.clock.bin(at, case.axis.bin_seconds)}"
    band = baseline(case, values)
    if band is not None:
        low, high = (shown(value) for value in band)
        usual = low if low == high else f"{low} to {high}"
        text = f"{usual} before the onset; {text}"
    return f"{text}."
