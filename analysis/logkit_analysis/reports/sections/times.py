"""Key times: when it began, was noticed, got better and was over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Block, Head, Section, Table, Text

if TYPE_CHECKING:
    from datetime import datetime

    from logkit_analysis.reports.case import Case
    from logkit_analysis.reports.incidents import Incident

_SERVING = ("latency", "error_ratio")
_MOST_OTHERS = 8


def key_times(case: Case) -> Section:
    """Return the section; without an incident it says so."""
    incident = case.incident
    blocks: list[Block] = []
    if incident is None:
        blocks.append(Text("There is no onset: no incident was found."))
    else:
        blocks.append(_table(case, incident))
    if len(case.incidents) > 1:
        blocks.append(_others(case))
    return Section("times", "Key times", tuple(blocks))


def _table(case: Case, incident: Incident) -> Table:
    alert, number = _first_alert(case, incident)
    onset = incident.started_at
    rows = [
        _row(case, "Onset", onset, None, f"{_onset(incident)}{_interval(case)}"),
        _row(case, "First alert", alert, onset, "in the log" if alert else "the log has no alert"),
        _row(case, "Mitigated", _mitigated(incident), onset, _relief(incident)),
        _row(case, "Recovered", incident.ended_at, onset, _end(incident)),
    ]
    sources = (case.ask("degradation_start", case.searched).number, number)
    heads = (Head("What"), Head("When"), Head("After onset", is_number=True), Head("How known"))
    return Table("From onset to recovery", heads, tuple(rows), sources)


def _row(
    case: Case, name: str, at: datetime | None, onset: datetime | None, how: str
) -> tuple[str, ...]:
    if at is None:
        not_yet = "none" if name == "First alert" else "not yet"
        return (name, not_yet, wording.MISSING, how if name == "First alert" else wording.MISSING)
    passed = wording.MISSING if onset is None else wording.duration(max(at - onset, timedelta(0)))
    return (name, case.clock.time(at), passed, how)


def _onset(incident: Incident) -> str:
    firsts = {"rate_limit_storm": "first 429", "memory": "start of the process or of the growth"}
    return firsts.get(incident.main.kind, "first call or sample of the new level")


def _relief(incident: Incident) -> str:
    is_serving = any(one.kind in _SERVING for one in incident.troubles)
    return "no more slow or failing calls" if is_serving else "with the recovery"


def _end(incident: Incident) -> str:
    kinds = {one.kind for one in incident.troubles}
    if kinds == {"rate_limit_storm"}:
        return "last 429"
    is_only_serving = kinds <= set(_SERVING)
    return "the same" if is_only_serving else "queues, refusals and resources back to normal too"


def _interval(case: Case) -> str:
    """Return how far off the onset may be: the bin in which the level changed, on either side."""
    row = case.incident.main_row if case.incident else None
    if row is None:
        return ""
    width = timedelta(seconds=json.loads(row["evidence"])["bin_seconds"])
    since, until = (case.clock.time(row["started_at"] + sign * width) for sign in (-1, 1))
    return f"; the change lies between {since} and {until}"


def _mitigated(incident: Incident) -> datetime | None:
    """Return when the last slow or failing call was over; without such, when all was."""
    serving = [one for one in incident.troubles if one.kind in _SERVING]
    ends = [one.ended_at for one in serving]
    if not ends:
        return incident.ended_at
    return None if None in ends else max(end for end in ends if end is not None)


def _first_alert(case: Case, incident: Incident) -> tuple[datetime | None, int]:
    answer = case.ask("state_changes")
    alerts = [
        row["changed_at"]
        for row in answer.rows
        if row["kind"] == "alert"
        and row["state"] in ("fired", "firing", "opened")
        and row["changed_at"] >= incident.started_at
    ]
    return min(alerts, default=None), answer.number


def _others(case: Case) -> Text:
    named = [
        f"{one.number}: {case.clock.whole(one.started_at)}"
        for one in case.incidents
        if one is not case.incident
    ]
    more = f"; and {len(named) - _MOST_OTHERS} more" if len(named) > _MOST_OTHERS else ""
    listed = "; ".join(named[:_MOST_OTHERS])
    return Text(f"Other incidents found (logkit report --incident N): {listed}{more}.", True)
