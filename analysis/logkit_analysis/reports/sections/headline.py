"""What happened in three sentences and a handful of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Tile, Tiles
from logkit_analysis.reports.figures import BUDGET_DAYS

if TYPE_CHECKING:
    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.case import Case
    from logkit_analysis.reports.figures import Impact

_CAUSES = {
    "us": "The log points at us",
    "platform": "The log points at the platform",
    "unclear": "The log does not say whose fault it is",
}


def title(case: Case) -> str:
    """Return what happened in a few words."""
    incident = case.incident
    if incident is None:
        return "No incident was found"
    main = incident.main
    subject = wording.words(main.subject or main.service or "the bot", 90)
    match main.kind:
        case "latency":
            return f"{subject} answered slowly"
        case "error_ratio":
            return f"{subject} failed"
        case "queue_depth":
            return f"The queue {subject} backed up"
        case "rate_limit_storm":
            return f"Calls to {subject} were refused"
        case "memory":
            return f"The memory of {wording.words(main.service)} grows"
        case _:
            return f"{wording.words(main.service)}: {main.kind.replace('_', ' ')} rose"


def sentences(case: Case, impact: Impact) -> tuple[str, ...]:
    """Return what happened, whom it touched, and what the log says of the cause."""
    if case.incident is None:
        nothing = (
            f"From {case.clock.whole(case.window.since)} to {case.clock.whole(case.window.until)} "
            "nothing got worse: no calls became slow, failing or refused, no queue backed up."
        )
        return (nothing, _touched(impact))
    return (_happened(case), _touched(impact), _cause(case))


def _happened(case: Case) -> str:
    incident = case.incident
    assert incident is not None
    main = incident.main
    where = wording.words(main.subject or "every call", 90)
    service = f" ({wording.words(main.service, 60)})" if main.service else ""
    row = incident.main_row
    if row is None:
        return f"{_span(case)}, {where}{service}: {main.figures}."
    before, during = (wording.level(row["metric"], row[side]) for side in ("baseline", "degraded"))
    change = _MEASURES[row["metric"]].format(where=f"{where}{service}")
    return f"{_span(case)}, {change} {during} instead of {before}."


_MEASURES = {
    "latency": "the typical call of {where} took",
    "error_ratio": "the share of failed calls of {where} was",
    "queue_depth": "the depth of the queue {where} was",
    "cpu_percent": "the CPU use of {where} was",
    "open_connections": "the open connections of {where} were",
}


def _span(case: Case) -> str:
    incident = case.incident
    assert incident is not None
    start = case.clock.whole(incident.started_at)
    if incident.ended_at is None:
        return f"Since {start}, and still at the end of the log"
    length = wording.duration(incident.ended_at - incident.started_at)
    return f"From {start} for {length}"


def _touched(impact: Impact) -> str:
    parts = [f"{impact.errors:,} of {wording.counted(impact.requests, 'request')} failed"]
    if impact.rate_limited:
        parts.append(f"{impact.rate_limited:,} more were refused with 429")
    text = " and ".join(parts)
    if impact.users:
        text += f"; a failure reached {impact.affected_users:,} of {impact.users:,} users"
    return f"{text}."


def _cause(case: Case) -> str:
    incident = case.incident
    assert incident is not None
    main = incident.main
    text = f"{_CAUSES[main.cause]}: {main.because}."
    others = [one for one in incident.troubles if one is not main]
    if others:
        named = list(dict.fromkeys(_also(one) for one in others))
        text += f" Along with it: {', '.join(named[:4])}."
    leaks = [one for one in case.leaks if one != main]
    if leaks:
        text += f" And {_also(leaks[0])}: {leaks[0].figures}."
    return text


def _also(one: Trouble) -> str:
    subject = wording.words(one.subject or one.service or "", 70)
    return {
        "latency": f"slow calls to {subject}",
        "error_ratio": f"failing calls to {subject}",
        "queue_depth": f"the queue {subject} backed up",
        "rate_limit_storm": f"429s on {subject}",
        "memory": f"the memory of {wording.words(one.service)} grows",
    }.get(one.kind, f"{one.kind.replace('_', ' ')} of {wording.words(one.service)} rose")


def tiles(case: Case, impact: Impact) -> Tiles:
    """Return the figures to be seen from afar."""
    during = case.during
    is_open = case.incident is not None and case.incident.is_open
    failed = impact.failed_ratio
    return Tiles(
        (
            Tile(
                "Duration",
                wording.duration(during.until - during.since),
                "still going on" if is_open else "from onset to recovery",
                "bad" if is_open else "plain",
            ),
            Tile(
                "Failed requests",
                wording.count(impact.errors),
                f"of {impact.requests:,}; 429s apart",
                "bad" if impact.errors else "good",
            ),
            Tile(
                "Refused with 429",
                wording.count(impact.rate_limited),
                f"failed or refused: {wording.ratio(failed)}",
                "warn" if impact.rate_limited else "good",
            ),
            Tile(
                "Users touched",
                wording.count(impact.affected_users) if impact.users else wording.MISSING,
                f"of {impact.users:,}: {wording.ratio(impact.user_ratio)}"
                if impact.users
                else "the log names no users",
            ),
            Tile(
                "Error budget used",
                wording.ratio(impact.budget_used),
                f"of {BUDGET_DAYS} days at 99.9 %"
                + (f"; burn rate {impact.burn_rate:,.1f}" if impact.burn_rate is not None else ""),
            ),
        ),
        impact.sources,
    )


def data(case: Case, impact: Impact) -> dict[str, Any]:
    """Return the same figures as values."""
    incident = case.incident
    return {
        "window": {"since": case.window.since, "until": case.window.until},
        "incident": None
        if incident is None
        else {"started_at": incident.started_at, "ended_at": incident.ended_at},
        "requests": impact.requests,
        "errors": impact.errors,
        "rate_limited": impact.rate_limited,
        "users": impact.users,
        "affected_users": impact.affected_users,
        "burn_rate": impact.burn_rate,
        "budget_used_ratio": impact.budget_used,
    }
