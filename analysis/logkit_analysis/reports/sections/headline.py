"""What happened in three sentences and a handful of figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Tile, Tiles

if TYPE_CHECKING:
    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.case import Case

Row = dict[str, Any]

BUDGET_DAYS = 30
"""Days that an error budget lasts."""

_CAUSES = {
    "us": "The log points at us",
    "platform": "The log points at the platform",
    "unclear": "The log does not say whose fault it is",
}


@dataclass(frozen=True, slots=True)
class Impact:
    """The figures of an incident.

    Attributes:
        requests: Requests during it, of all services.
        errors: Those that failed.
        rate_limited: Those refused with 429.
        users: Users seen during it.
        affected_users: Those whom a failure reached.
        burn_rate: Error ratio against what the objective allows, of the worst service.
        budget_used: Share of a month's error budget that it took, or ``None``.
        sources: Numbers of the queries behind them.
    """

    requests: int
    errors: int
    rate_limited: int
    users: int
    affected_users: int
    burn_rate: float | None
    budget_used: float | None
    sources: tuple[int, ...]

    @property
    def failed_ratio(self) -> float | None:
        """Failed and refused requests / requests."""
        return (self.errors + self.rate_limited) / self.requests if self.requests else None

    @property
    def user_ratio(self) -> float | None:
        """Users reached by a failure / users."""
        return self.affected_users / self.users if self.users else None


def measure(case: Case) -> Impact:
    """Return the figures of the case's incident, or of its whole time without one."""
    rates = case.ask("error_rate", case.during, bucket_seconds="86400")
    users = case.ask("user_impact", case.during)
    budget = case.ask("error_budget", case.during)
    whole = next(iter(users.rows), {"users": 0, "affected_users": 0})
    burning = [row["burn_rate"] for row in budget.rows if row["burn_rate"] is not None]
    burn = max(burning, default=None)
    length = case.during.until - case.during.since
    return Impact(
        requests=sum(row["requests"] for row in rates.rows),
        errors=sum(row["errors"] for row in rates.rows),
        rate_limited=sum(row["rate_limited"] for row in rates.rows),
        users=whole["users"],
        affected_users=whole["affected_users"],
        burn_rate=burn,
        budget_used=None if burn is None else burn * (length / timedelta(days=BUDGET_DAYS)),
        sources=(rates.number, users.number, budget.number),
    )


def severity(case: Case, impact: Impact) -> tuple[str, str]:
    """Return how bad it was, and by which rule.

    Critical from half of the users or a quarter of the requests on, major from a tenth of the
    users, a twentieth of the requests or a fivefold latency on.
    """
    if case.incident is None:
        return "none", "nothing was found to be broken"
    users, failed = impact.user_ratio or 0.0, impact.failed_ratio or 0.0
    slow = _slowdown(case)
    reasons = [
        f"{wording.ratio(users)} of users met a failure" if users >= 0.1 else "",
        f"{wording.ratio(failed)} of requests failed or were refused" if failed >= 0.05 else "",
        f"calls took {slow:,.0f} times as long" if slow >= 5 else "",
    ]
    reason = "; ".join(filter(None, reasons))
    if users >= 0.5 or failed >= 0.25:
        return "critical", reason
    return ("major", reason) if reason else ("minor", "few users and few requests were touched")


def _slowdown(case: Case) -> float:
    row = case.incident.main_row if case.incident else None
    if row is None or row["metric"] != "latency" or not row["baseline"]:
        return 0.0
    return float(row["degraded"] / row["baseline"])


def title(case: Case) -> str:
    """Return what happened in a few words."""
    incident = case.incident
    if incident is None:
        return "Nothing was found to be broken"
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
            return f"{wording.words(main.service)} ran out of memory"
        case _:
            return f"{wording.words(main.service)}: {main.kind.replace('_', ' ')} rose"


def sentences(case: Case, impact: Impact) -> tuple[str, ...]:
    """Return what happened, whom it touched, and what the log says of the cause."""
    if case.incident is None:
        nothing = (
            f"From {case.clock.whole(case.window.since)} to {case.clock.whole(case.window.until)} "
            "nothing was found to be slow, failing, refused or backed up."
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
    return text


def _also(one: Trouble) -> str:
    subject = wording.words(one.subject or one.service or "", 70)
    return {
        "latency": f"slow calls to {subject}",
        "error_ratio": f"failing calls to {subject}",
        "queue_depth": f"the queue {subject} backed up",
        "rate_limit_storm": f"429s on {subject}",
        "memory": f"memory of {wording.words(one.service)} grew",
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
