"""What happened in three sentences and a handful of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Tile, Tiles, Tone
from logkit_analysis.reports.figures import BUDGET_DAYS, SERIOUS_RATIO

if TYPE_CHECKING:
    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.case import Case, Row
    from logkit_analysis.reports.figures import Impact

_CAUSES = {
    "us": "The log points at us",
    "platform": "The log points at the platform",
    "unclear": "The log does not say whose fault it is",
}


def is_bad_throughout(impact: Impact) -> bool:
    """Return whether so many requests fail that no change for the worse is no good news."""
    return (impact.failed_ratio or 0.0) >= SERIOUS_RATIO


def title(case: Case, impact: Impact) -> str:
    """Return what happened in a few words."""
    incident = case.incident
    if not case.has_events:
        return "The log is silent in this time"
    if incident is None and is_bad_throughout(impact):
        return f"No incident was found, yet {wording.ratio(impact.failed_ratio)} of requests failed"
    if incident is None:
        return "No incident was found"
    main = incident.main
    subject = wording.words(main.subject or main.service or "the bot", 90)
    match main.kind:
        case "latency":
            return f"{subject} answered slowly"
        case "error_ratio":
            return f"{subject} failed"
        case "silence":
            return f"{subject} was silent"
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
    if not case.has_events:
        return _silent(case)
    if case.incident is None:
        return _quiet(case, impact)
    return (_happened(case), touched(impact), _cause(case))


def _silent(case: Case) -> tuple[str, ...]:
    since, until = (case.clock.whole(at) for at in (case.window.since, case.window.until))
    oldest, newest = (case.clock.whole(at) for at in (case.stored.oldest, case.stored.newest))
    return (
        f"The database holds no events from {since} to {until}.",
        "So this report cannot say whether anything was broken: no logs are not no errors.",
        f"There are events from {oldest} to {newest}.",
    )


def _quiet(case: Case, impact: Impact) -> tuple[str, ...]:
    since, until = (case.clock.whole(at) for at in (case.window.since, case.window.until))
    time = f"At {since}" if since == until else f"From {since} to {until}"
    nothing = f"{time} nothing got worse"
    if not impact.requests:
        errors = sum(row["errors"] for row in case.ask("top_errors").rows)
        told = f"{wording.counted(errors, 'event') if errors else 'no events'} at level error"
        return (f"{nothing} of what the log measures.", NO_REQUESTS, f"It holds {told} or worse.")
    nothing += ": no calls became slow, failing or refused, no queue backed up."
    if is_bad_throughout(impact):
        steady = "No start was found: it was as bad from the first event on, or came and went."
        return (nothing, touched(impact), steady)
    if impact.requests < _FEW:
        few = "So few requests tell little: a change shows only against what was before it."
        return (nothing, touched(impact), few)
    return (nothing, touched(impact))


def _happened(case: Case) -> str:
    incident = case.incident
    assert incident is not None
    main = incident.main
    where = _where(main)
    row = incident.main_row
    if row is not None:
        before, during = (wording.level(row["metric"], row[one]) for one in _SIDES)
        change = _MEASURES[row["metric"]].format(where=where)
        return f"{_span(case)}, {change} {during} instead of {before}{_times(row)}."
    if main.kind == "rate_limit_storm":
        refused = wording.counted(incident.refused, "call")
        whose = f"{refused} to {where}" if len(incident.troubles) == 1 else refused
        told = f"{_span(case)}, {whose} met the answer 429, too many requests"
        return f"{told}." if len(incident.troubles) == 1 else f"{told}, most of them to {where}."
    if main.kind == "silence":
        return f"{_span(case)}, {where} wrote nothing."
    return f"{_span(case)}, {growth(case, main)}."


def growth(case: Case, leak: Trouble) -> str:
    """Return how fast memory grows, and when it will be full at that pace."""
    text = f"the memory of {wording.service(leak.service)} grows by {leak.figures.lstrip('+')}"
    if leak.exhausts_at is None:
        return text
    return f"{text} and is full at {case.clock.minute(leak.exhausts_at)} if that goes on"


_SIDES = ("baseline", "degraded")
_FEW = 50
_WORTH_TELLING = 2


def _where(main: Trouble) -> str:
    """Return what a trouble is about, with its service."""
    service = wording.words(main.service, 60) if main.service else "all services"
    return service if main.subject is None else f"{wording.words(main.subject, 90)} ({service})"


def _times(row: Row) -> str:
    """Return how many times as long calls took, where that is worth telling."""
    ratio = row["degraded"] / row["baseline"] if row["baseline"] else 0.0
    is_told = row["metric"] == "latency" and ratio >= _WORTH_TELLING
    return f", {ratio:,.0f} times as long" if is_told else ""


_MEASURES = {
    "latency": "the typical call of {where} took",
    "error_ratio": "the share of failed calls of {where} was",
    "error_lines": "the share of lines at level error of {where} was",
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


def touched(impact: Impact) -> str:
    """Return how many requests failed or were refused, and how many users that reached."""
    errors, refused = impact.errors, impact.rate_limited
    requests = wording.counted(impact.requests, "request")
    if not impact.requests:
        return NO_REQUESTS
    if not errors and not refused:
        one = "The only request did not fail."
        return one if impact.requests == 1 else f"None of the {requests} failed."
    if not errors:
        text = f"{refused:,} of {requests} were refused with 429; none failed otherwise"
    else:
        also = f", and {refused:,} more were refused with 429" if refused else ""
        text = f"{errors:,} of {requests} failed{also}"
    if impact.affected_users:
        text += f"; a failure reached {impact.affected_users:,} of {impact.users:,} users"
    return f"{text}."


NO_REQUESTS = (
    "The log tells of no requests in this time (no event has a status, or a duration with an "
    "endpoint or a command), so nobody can tell from it whether calls failed or were slow."
)


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
        text += f" And {growth(case, leaks[0])}."
    return text


def _also(one: Trouble) -> str:
    subject = wording.words(one.subject or one.service or "", 70)
    return {
        "latency": f"slow calls to {subject}",
        "error_ratio": f"failing calls to {subject}",
        "queue_depth": f"the queue {subject} backed up",
        "rate_limit_storm": f"429s on {subject}",
        "silence": f"{subject} was silent",
        "memory": f"the memory of {wording.words(one.service)} grows",
    }.get(one.kind, f"{one.kind.replace('_', ' ')} of {wording.words(one.service)} rose")


def tiles(case: Case, impact: Impact) -> Tiles:
    """Return the figures to be seen from afar."""
    share = f"failed or refused: {wording.ratio(impact.failed_ratio)}"
    return Tiles(
        (
            _length(case),
            Tile(
                "Failed requests",
                wording.count(impact.errors if impact.requests else None),
                f"of {impact.requests:,}; 429s apart" if impact.requests else _UNTOLD,
                _tone(impact, impact.errors, "bad"),
            ),
            Tile(
                "Refused with 429",
                wording.count(impact.rate_limited if impact.requests else None),
                share if impact.requests else _UNTOLD,
                _tone(impact, impact.rate_limited, "warn"),
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


_UNTOLD = "the log tells of no requests"


def _tone(impact: Impact, count: int, worse: Tone) -> Tone:
    if not impact.requests:
        return "plain"
    return worse if count else "good"


def _length(case: Case) -> Tile:
    during = wording.duration(case.during.until - case.during.since)
    if case.incident is None:
        return Tile("Time looked at", during, "no incident in it")
    if case.incident.is_open:
        return Tile("Duration", during, "still going on", "bad")
    return Tile("Duration", during, "from onset to recovery")


def data(case: Case, impact: Impact) -> dict[str, Any]:
    """Return the same figures as values."""
    incident = case.incident
    return {
        "window": {"since": case.window.since, "until": case.window.until},
        "incident": None
        if incident is None
        else {"started_at": incident.started_at, "ended_at": incident.ended_at},
        "events": sum(row["events"] for row in case.binned("throughput").rows),
        "requests": impact.requests,
        "errors": impact.errors,
        "rate_limited": impact.rate_limited,
        "users": impact.users,
        "affected_users": impact.affected_users,
        "burn_rate": impact.burn_rate,
        "budget_used_ratio": impact.budget_used,
    }
