"""How bad an incident is called, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from logkit_analysis.reports.figures import Impact, severity

CALM = Impact(
    requests=1000,
    errors=1,
    rate_limited=0,
    users=100,
    affected_users=1,
    burn_rate=1.0,
    budget_used=0.0,
    sources=(),
)


@pytest.mark.parametrize(
    ("impact", "slowdown", "expected"),
    [
        (CALM, 0.0, ("minor", "few users and few requests were touched")),
        (CALM, 5.0, ("major", "calls took 5 times as long")),
        (replace(CALM, affected_users=10), 0.0, ("major", "10.0 % of users met a failure")),
        (
            replace(CALM, errors=20, rate_limited=30),
            0.0,
            ("major", "5.0 % of requests failed or were refused"),
        ),
        (replace(CALM, affected_users=50), 0.0, ("critical", "50.0 % of users met a failure")),
        (
            replace(CALM, rate_limited=249),
            7.2,
            (
                "critical",
                "25.0 % of requests failed or were refused; calls took 7 times as long",
            ),
        ),
        (replace(CALM, requests=0, errors=0, users=0, affected_users=0), 0.0, ("minor", None)),
    ],
    ids=["minor", "slow", "users", "requests", "half_of_users", "quarter_refused", "nothing"],
)
def test_the_rule_is_told(
    impact: Impact, slowdown: float, expected: tuple[str, str | None]
) -> None:
    """The word follows from shares of users and requests and from the latency, and says which."""
    grade, reason = severity(impact, slowdown)
    assert grade == expected[0]
    assert expected[1] in (reason, None)
