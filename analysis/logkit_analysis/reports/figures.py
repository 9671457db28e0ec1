"""The figures of an incident: whom it touched, and how bad that was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording

if TYPE_CHECKING:
    from logkit_analysis.reports.case import Case

BUDGET_DAYS = 30
"""Days that an error budget lasts."""

SERIOUS_RATIO = 0.05
"""Share of requests that fail or are refused from which an incident is major."""


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


def severity(impact: Impact, slowdown: float) -> tuple[str, str]:
    """Return how bad an incident was, and by which rule.

    Critical from half of the users or a quarter of the requests on, major from a tenth of the
    users, a twentieth of the requests or a fivefold latency on.

    Args:
        impact: Its figures.
        slowdown: How many times as long calls took; 0 where they were not slow.
    """
    users, failed = impact.user_ratio or 0.0, impact.failed_ratio or 0.0
    reasons = [
        f"{wording.ratio(users)} of users met a failure" if users >= 0.1 else "",
        f"{wording.ratio(failed)} of requests failed or were refused"
        if failed >= SERIOUS_RATIO
        else "",
        f"calls took {slowdown:,.0f} times as long" if slowdown >= 5 else "",
    ]
    reason = "; ".join(filter(None, reasons))
    if users >= 0.5 or failed >= 0.25:
        return "critical", reason
    return ("major", reason) if reason else ("minor", "few users and few requests were touched")


def slowdown(case: Case) -> float:
    """Return how many times as long the calls of the main degradation took; 0 for another kind."""
    row = case.incident.main_row if case.incident else None
    if row is None or row["metric"] != "latency" or not row["baseline"]:
        return 0.0
    return float(row["degraded"] / row["baseline"])
