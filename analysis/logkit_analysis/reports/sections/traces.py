"""A few actions of users that it hit, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit_analysis.detect.waterfall import waterfall
from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Section, Text, Trace

if TYPE_CHECKING:
    from logkit_analysis.reports.case import Case

_MOST = 5
_OF_MAIN = 3
_MOST_STEPS = 40


def traces(case: Case) -> Section:
    """Return three to five exemplars: of the main trouble, failed ones, the slowest."""
    found = [one for one in (_trace(case, id_) for id_ in _ids(case)) if one is not None]
    is_hit = case.incident is not None and case.incident.main.kind != "memory"
    title = "Actions that it hit" if is_hit else "The longest actions"
    if not found:
        nothing = Text("The log names no correlation ids of actions in this time.")
        return Section("traces", title, (nothing,))
    return Section("traces", title, tuple(found))


def _ids(case: Case) -> list[str]:
    if case.incident and case.incident.main.kind == "rate_limit_storm":
        refused = {"only_failed": "true", "failed_from": "429", "most": str(_MOST)}
        return [row["correlation_id"] for row in case.ask("actions", case.during, **refused).rows]
    main = case.incident.main.correlation_ids if case.incident else ()
    failed = case.ask("actions", case.during, only_failed="true", most=str(_MOST)).rows
    slowest = case.ask("actions", case.during, most=str(_MOST)).rows
    ids = [*main[:_OF_MAIN]]
    ids += [row["correlation_id"] for rows in (failed[:2], slowest[:2]) for row in rows]
    return list(dict.fromkeys(ids))[:_MOST]


def _trace(case: Case, id_: str) -> Trace | None:
    answer = case.ask("trace", case.window, id=id_)
    steps = waterfall(answer.rows)
    if not steps:
        return None
    last = max(step.offset_ms + (step.row["duration_ms"] or 0) for step in steps)
    services = sorted({step.row["service"] or "" for step in steps})
    begun = case.clock.time(steps[0].row["started_at"])
    length = wording.milliseconds(last)
    kept = tuple(steps[:_MOST_STEPS])
    cut = f", the first {_MOST_STEPS} of {len(steps)} steps" if len(steps) > len(kept) else ""
    where = wording.words(", ".join(filter(None, services)), 120)
    title = f"{begun}, {length}, {wording.counted(len(steps), 'step')} in {where}{cut}"
    return Trace(wording.words(id_, 128), title, kept, (answer.number,))
