"""Which incident a report is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from logkit_analysis.detect.troubles import Trouble
from logkit_analysis.errors import UsageError
from logkit_analysis.reports.incidents import Incident, choose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def incident(
    number: int, *, score: float = 0.0, refused: int = 0, is_open: bool = False
) -> Incident:
    """Return an incident of some minutes: a slow endpoint, or a storm where there is no score."""
    begun = NOON - timedelta(hours=number)
    ended = None if is_open else begun + timedelta(minutes=5)
    kind = "latency" if score else "rate_limit_storm"
    trouble = Trouble(kind, "bot", "/x", begun, ended, "", "unclear", "")
    row = {"metric": "latency", "started_at": begun, "score": score}
    return Incident(number, (trouble,), begun, ended, (row,) if score else (), refused)


LAST, BEFORE = incident(1, score=3.0), incident(2, score=9.0)
OPEN, WORSE = incident(1, score=3.0, is_open=True), incident(2, score=9.0, is_open=True)
DRIZZLE, STORM = incident(1, refused=6), incident(1, refused=400)


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([], None),
        ([LAST, BEFORE], LAST),
        ([OPEN, WORSE], WORSE),
        ([LAST, WORSE], WORSE),
        ([DRIZZLE, BEFORE], BEFORE),
        ([STORM, BEFORE], STORM),
        ([DRIZZLE], DRIZZLE),
    ],
    ids=["none", "last", "worst_open", "open_first", "drizzle", "storm", "drizzle_alone"],
)
def test_the_worst_open_one_or_the_last_is_chosen(
    found: list[Incident], chosen: Incident | None
) -> None:
    """What goes on comes first, the worst of it; a few 429s count only where nothing else does."""
    assert choose(found, None) is chosen


def test_one_can_be_named() -> None:
    """The number counts back from the latest; one that there is not is told."""
    assert choose([LAST, BEFORE], 2) is BEFORE
    with pytest.raises(UsageError, match="2 found"):
        choose([LAST, BEFORE], 3)
