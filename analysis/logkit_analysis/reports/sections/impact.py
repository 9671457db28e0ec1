"""Impact: rate, failures and latency over time, and each endpoint before, during and after."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Block, Chart, Head, Section, Series, Table, Text
from logkit_analysis.reports.sections.headline import NO_REQUESTS
from logkit_analysis.reports.sections.over_time import baseline, counts, per_bin, summary, zeros

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logkit_analysis.reports.case import Case, Row
    from logkit_analysis.reports.ledger import Answer

_MOST_ENDPOINTS = 14
_PHASES = ("before", "during", "after")
_LOG_FROM = 20.0


def impact(case: Case) -> Section:
    """Return the charts and the table."""
    whole = case.binned("latency_over_time")
    if not whole.rows:
        return Section("impact", "Impact", (Text(NO_REQUESTS), _lines(case)))
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


def _lines(case: Case) -> Chart:
    """Return how much was logged, all that there is to see where no requests are."""
    answer = case.binned("throughput")
    by_bin: dict[datetime, int] = {}
    for row in answer.rows:
        by_bin[row["bucket_at"]] = by_bin.get(row["bucket_at"], 0) + row["events"]
    rows = [{"bucket_at": at, "lines": lines} for at, lines in by_bin.items()]
    title = f"Lines of log {per_bin(case)}"
    merged = replace(answer, rows=rows)
    return counts(case, merged, "lines", id_="lines", title=title, series=("lines", "main"))


def _subject(case: Case) -> dict[str, str]:
    """Return what the main degradation is about, as parameters of a query."""
    row = case.incident.main_row if case.incident else None
    if row is None or row["endpoint"] is None:
        return {}
    method = json.loads(row["evidence"]).get("method")
    found = {"service": row["service"], "endpoint": row["endpoint"], "method": method}
    return {name: value for name, value in found.items() if value is not None}


def _name(subject: dict[str, str]) -> str:
    return wording.call(subject.get("method"), subject["endpoint"]) if subject else "all requests"


def _rate(case: Case, whole: Answer, part: Answer | None, name: str) -> Chart:
    chart = counts(
        *(case, whole, "requests"),
        id_="rate",
        title=f"Requests {per_bin(case)}",
        series=("all requests", "main"),
    )
    if part is None:
        return chart
    of_part = Series(name, zeros(case.aligned(part.rows, "requests")), "second")
    sources = (*chart.sources, part.number)
    return replace(chart, series=(*chart.series, of_part), sources=sources)


def _failures(case: Case, whole: Answer) -> Chart:
    title = f"Failed requests {per_bin(case)}"
    chart = counts(case, whole, "errors", id_="errors", title=title, series=("failed", "bad"))
    return replace(chart, unit="429s apart")


def _latency(case: Case, answer: Answer, name: str) -> Chart | Text:
    lines = {column: case.aligned(answer.rows, f"{column}_ms") for column in ("p50", "p95", "p99")}
    if not any(value is not None for value in lines["p50"]):
        untold = f"The log tells of no duration of {name}, so there is no latency to show."
        return Text(untold, sources=(answer.number,))
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
        summary="Median " + summary(case, lines["p50"], wording.milliseconds),
        sources=(answer.number,),
    )


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
    phases_seen = {row["phase"] for row in answer.rows}
    shown = tuple(phase for phase in _PHASES if phase in phases_seen)
    operations = [(method, operation) for _, method, operation in by_call]
    rows = tuple(
        (_operation(key, operations), *(_phased(phases, shown, figure) for figure in _FIGURES))
        for key, phases in ordered[:_MOST_ENDPOINTS]
    )
    more = len(ordered) - len(rows)
    note = f"{more} more in logkit query phases" if more > 0 else ""
    caption = f"Each endpoint {' → '.join(shown)}" if len(shown) > 1 else "Each endpoint"
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


def _phased(phases: dict[str, Row], shown: Sequence[str], figure: tuple[str, str]) -> str:
    """Return a figure in each phase; a figure that never was more than 0 once."""
    values = [phases.get(phase, {}).get(figure[1]) for phase in shown]
    if not any(values):
        return wording.MISSING if all(value is None for value in values) else "0"
    return " → ".join(wording.count(value) for value in values)


def _weight(row: Row | None) -> float:
    """Return the time that callers spent or lost: slow, failing and busy endpoints come first."""
    if row is None:
        return 0.0
    return float((row["p95_ms"] or 0.0) * row["requests"])
