"""What differs between the time before the incident and the incident itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.detect.explain import explain, merged
from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Head, Section, Table, Text

if TYPE_CHECKING:
    from logkit_analysis.detect.explain import Explanation
    from logkit_analysis.reports.case import Case

_MOST = 10
_METRICS = {
    "latency": "latency (p50)",
    "error_ratio": "failed",
    "rate_limited_ratio": "refused with 429",
}


def what_differs(case: Case) -> Section:
    """Return the values that explain best what got worse."""
    if case.incident is None or case.before.since >= case.before.until:
        reason = "The log holds nothing from before the incident to compare with."
        if case.incident is None:
            reason = "Without an incident there are no two times to compare."
        return Section("differs", "What differs", (Text(reason),))
    before = case.before
    answer = case.ask(
        "compare",
        case.during,
        before_since=before.since.isoformat(),
        before_until=before.until.isoformat(),
    )
    found = merged(explain(answer.rows))
    if not found:
        nothing = "No value of any attribute got significantly worse."
        return Section("differs", "What differs", (Text(nothing),))
    lead = Text(
        f"Compared with {case.clock.time(before.since)} to {case.clock.time(before.until)}. "
        "Explained is the share of what got worse that lies in the value; the first rows hold "
        "more of it than their share of the requests. Changes that luck may have made "
        "(p above 0.01 after Holm's correction) are left out.",
        is_aside=True,
    )
    return Section("differs", "What differs", (lead, _table(found, answer.number)))


def _table(found: list[Explanation], number: int) -> Table:
    heads = (
        Head("Value"),
        Head("Attribute"),
        Head("Measure"),
        Head("Before", True),
        Head("During", True),
        Head("Share of requests", True),
        Head("Explained", True),
        Head("Requests", True),
    )
    rows = tuple(
        (
            wording.words(one.value),
            one.attribute,
            _METRICS.get(one.metric, one.metric),
            _level(one, one.before),
            _level(one, one.after),
            wording.ratio(one.share_after),
            wording.ratio(one.explained),
            wording.count(one.after_requests),
        )
        for one in found[:_MOST]
    )
    more = len(found) - len(rows)
    note = f"{more} more in logkit compare" if more else ""
    return Table("Values that explain the change, best first", heads, rows, (number,), note)


def _level(one: Explanation, value: float | None) -> str:
    return wording.milliseconds(value) if one.metric == "latency" else wording.ratio(value)
