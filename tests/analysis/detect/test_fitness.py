"""Whether a stream is fit follows from the share of its lines that lack something."""

from __future__ import annotations

from typing import Any

import pytest
from logkit_analysis.detect.fitness import judge

WHOLE = {
    "service": "bot",
    "lines": 1000,
    "no_level": 0,
    "no_event": 0,
    "no_instance": 0,
    "requests": 500,
    "no_duration": 0,
    "no_correlation_id": 0,
    "failures": 10,
    "no_error_type": 0,
    "events": 20,
    "endpoints": 20,
    "raw_endpoints": 0,
}


def verdicts(rejected: int = 0, **rows: Any) -> list[tuple[str, str]]:
    """Return the verdict on each check that found something."""
    fields = [WHOLE | rows.get("fields", {})]
    found = judge(fields, rows.get("quality", []), rows.get("secrets", []), rejected)
    assert all(one.detail and one.remedy for one in found)
    return [(one.check, one.verdict) for one in found]


def quality(check: str, count: int) -> list[dict[str, Any]]:
    """Return a row of `data_quality`."""
    return [{"check": check, "service": "bot", "instance": "i", "count": count, "detail": "bad"}]


def test_a_whole_stream_has_no_finding() -> None:
    """Silence means that all is there; no stream, no finding."""
    assert verdicts() == []
    assert judge([], [], [], 0) == []


@pytest.mark.parametrize(
    ("column", "warned", "unfit"),
    [
        pytest.param("no_level", 50, 51, id="level"),
        pytest.param("no_event", 51, 501, id="event"),
        pytest.param("no_duration", 101, 451, id="duration"),
        pytest.param("no_correlation_id", 101, 451, id="correlation_id"),
        pytest.param("raw_endpoints", 6, 51, id="raw_endpoints"),
    ],
)
def test_a_missing_field_is_judged_by_its_share(column: str, warned: int, unfit: int) -> None:
    """A few are a warning, too many make the stream unfit."""
    assert verdicts(fields={column: warned}) == [(column, "warning")]
    assert verdicts(fields={column: unfit}) == [(column, "unfit")]


@pytest.mark.parametrize("column", ["no_instance", "no_error_type"])
def test_what_only_limits_the_answers_is_a_warning(column: str) -> None:
    """Without it some answers are missing, and none is wrong."""
    of = WHOLE["lines" if column == "no_instance" else "failures"]
    assert verdicts(fields={column: of}) == [(column, "warning")]


@pytest.mark.parametrize(
    ("check", "warned", "unfit"),
    [
        ("seq_holes", 10, 11),
        ("duplicates", 10, 11),
        ("clock_skew", 1, 2),
        ("missing_timestamp", 9, 99),
    ],
)
def test_holes_copies_and_clocks(check: str, warned: int, unfit: int) -> None:
    """What data_quality finds is weighed against the lines of the service."""
    assert verdicts(quality=quality(check, warned)) == [(check, "warning")]
    assert verdicts(quality=quality(check, unfit)) == [(check, "unfit")]


def test_gaps_warn_and_restarts_are_no_finding() -> None:
    """A bot may be restarted."""
    assert verdicts(quality=quality("gap", 99)) == [("gap", "warning")]
    assert verdicts(quality=quality("restart", 99)) == []


def test_one_secret_is_too_much() -> None:
    """The place is told, in which it is to be found."""
    secret = {
        "service": "bot",
        "kind": "slack_token",
        "field": "message",
        "event": "e",
        "lines": 1,
        "last_file": "bot.log",
        "last_offset": 77,
    }
    (found,) = judge([WHOLE], [], [secret], 0)
    assert (found.verdict, found.count) == ("unfit", 1)
    assert "bot.log at byte 77" in found.detail


def test_too_many_names_and_no_service() -> None:
    """Values in names and nameless lines make groups useless."""
    assert verdicts(fields={"events": 501}) == [("many_events", "unfit")]
    assert verdicts(fields={"endpoints": 501}) == [("many_endpoints", "unfit")]
    assert verdicts(fields={"service": None}) == [("no_service", "unfit")]


def test_rejected_lines() -> None:
    """One in a hundred is the limit."""
    assert verdicts(rejected=10) == [("rejected", "warning")]
    assert verdicts(rejected=11) == [("rejected", "unfit")]
