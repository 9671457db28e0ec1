"""Impact: rate, failures and latency over time, and each endpoint before, during and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Block, Chart, Head, Section, Series, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.reports.case import Case, Row
    from logkit_analysis.reports.ledger import Answer

_MOST_ENDPOINTS = 14
_PHASES = ("before", "during", "after")
_LOG_FROM = 20.0
_BAND = (0.05, 0.95)


def impact(case: Case) -> Section:
    """Return the charts and the table."""
    whole = case.binned("latency_over_time")
    subject = _subject(case)
    of_subject = case.binned("latency_over_time", **subject) if subject else whole
    name = _name(subject)
    blocks: list[Block] = [
        _rate(case, whole, of_subject if subject else None, name),
        _failures(case, whole),
        _latency(case, of_subject, name),
        _endpoints(case),
    ]
    return Section("impact", "Impact", tuple(blocks))


def _subject(case: Case) -> dict[str, str]:
    """Return what the main degradation is about, as parameters of a query."""
    import json

    row = case.incident.main_row if case.incident else None
    if row is None or row["endpoint"] is None:
        return {}
    method = json.loads(row["evidence"]).get("method")
    found = {"service": row["service"], "endpoint": row["endpoint"], "method": method}
    return {name: value for name, value in found.items() if value is not None}


def _name(subject: dict[str, str]) -> str:
    return wording.call(subject.get("method"), subject["endpoint"]) if subject else "all requests"


def per_bin(case: Case) -> str:
    """Return the width of a bin as it is spoken of: "per minute"."""
    seconds = case.axis.bin_seconds
    units = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next(one for one in units if seconds % one[0] == 0)
    count = seconds // size
    return f"per {unit}" if count == 1 else f"per {count} {unit}s"


def _rate(case: Case, whole: Answer, part: Answer | None, name: str) -> Chart:
    values = _zeros(case.aligned(whole.rows, "requests"))
    series = [Series("all requests", values, "main", is_area=True)]
    sources = [whole.number]
    if part is not None:
        series.append(Series(name, _zeros(case.aligned(part.rows, "requests")), "second"))
        sources.append(part.number)
    return Chart(
        id="rate",
        title=f"Requests {per_bin(case)}",
        unit="",
        axis=case.axis,
        series=tuple(series),
        band=baseline(case, values),
        summary=summary(case, values, wording.count),
        sources=tuple(sources),
    )


def _failures(case: Case, whole: Answer) -> Chart:
    values = _zeros(case.aligned(whole.rows, "errors"))
    return Chart(
        id="errors",
        title=f"Failed requests {per_bin(case)}",
        unit="429s apart",
        axis=case.axis,
        series=(Series("failed", values, "bad", is_area=True),),
        band=baseline(case, values),
        summary=summary(case, values, wording.count),
        sources=(whole.number,),
    )


def _latency(case: Case, answer: Answer, name: str) -> Chart:
    lines = {column: case.aligned(answer.rows, f"{column}_ms") for column in ("p50", "p95", "p99")}
    p50 = [value for value in lines["p50"] if value]
    p99 = [value for value in lines["p99"] if value]
    is_log = bool(p50) and max(p99) / min(p50) >= _LOG_FROM
    return Chart(
        id="latency",
        title=f"Latency of {name}",
        unit="ms, on a logarithmic scale" if is_log else "ms",
        axis=case.axis,
        series=(
            Series("p99", lines["p99"], "third"),
            Series("p95", lines["p95"], "second"),
            Series("p50", lines["p50"], "main"),
        ),
        band=baseline(case, lines["p50"]),
        is_log=is_log,
        summary="Median: " + summary(case, lines["p50"], wording.milliseconds),
        sources=(answer.number,),
    )


def _zeros(values: Sequence[float | None]) -> tuple[float | None, ...]:
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
    if len(before) < 5:
        return None
    low, high = (before[round(share * (len(before) - 1))] for share in _BAND)
    return (low, high)


def summary(case: Case, values: Sequence[float | None], shown: object) -> str:
    """Return what a chart shows in words: the baseline, and the peak with its time."""
    assert callable(shown)
    measured = [
        (value, at) for at, value in zip(case.bins(), values, strict=True) if value is not None
    ]
    if not measured:
        return "nothing was measured."
    peak, at = max(measured, key=lambda one: one[0])
    text = f"at most {shown(peak)}, at {case.clock.bin(at, case.axis.bin_seconds)}"
    band = baseline(case, values)
    if band is not None:
        low, high = (shown(value) for value in band)
        usual = low if low == high else f"{low} to {high}"
        text = f"{usual} before the onset; {text}"
    return f"{text}."


def _endpoints(case: Case) -> Table:
    during = case.during
    answer = case.ask(
        "phases", started_at=during.since.isoformat(), ended_at=during.until.isoformat()
    )
    by_call: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in answer.rows:
        key = (row["service"] or "", row["method"] or "", row["operation"] or "")
        by_call.setdefault(key, {})[row["phase"]] = row
    ordered = sorted(by_call.items(), key=lambda one: (-_weight(one[1].get("during")), one[0]))
    heads = (
        Head("Endpoint or command"),
        *(Head(name, is_number=True) for name, *_ in _FIGURES),
    )
    operations = [(method, operation) for _, method, operation in by_call]
    rows = tuple(
        (_operation(key, operations), *(_phased(phases, figure) for figure in _FIGURES))
        for key, phases in ordered[:_MOST_ENDPOINTS]
    )
    more = len(ordered) - len(rows)
    note = f"{more} more in logkit query phases" if more > 0 else ""
    caption = "Each endpoint before → during → after"
    return Table(caption, heads, rows, (answer.number,), note)


_FIGURES: tuple[tuple[str, str], ...] = (
    ("Requests", "requests"),
    ("Failed", "errors"),
    ("429", "rate_limited"),
    ("p50, ms", "p50_ms"),
    ("p95, ms", "p95_ms"),
)


def _operation(key: tuple[str, str, str], operations: Sequence[tuple[str, str]]) -> str:
    """Return what was called, with the service where several call it."""
    service, method, operation = key
    name = wording.call(method, operation)
    is_shared = operations.count((method, operation)) > 1
    return f"{name} ({wording.words(service, 60)})" if is_shared else name


def _phased(phases: dict[str, Row], figure: tuple[str, str]) -> str:
    """Return a figure before, during and after; a figure that never was more than 0 once."""
    values = [phases.get(phase, {}).get(figure[1]) for phase in _PHASES]
    if not any(values):
        return wording.MISSING if all(value is None for value in values) else "0"
    return " → ".join(wording.count(value) for value in values)


def _weight(row: Row | None) -> float:
    """Return the time that callers spent or lost: slow, failing and busy endpoints come first."""
    if row is None:
        return 0.0
    return float((row["p95_ms"] or 0.0) * row["requests"])
