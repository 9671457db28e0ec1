from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.text.layout import FormatTable
from logkit_analysis.parsers.text.own import OwnFormatError, own_format

if TYPE_CHECKING:
    from collections.abc import Callable

PATTERN = (
    r"<(?P<timestamp>[^>]*)> (?P<level>\w+) (?P<command>\S+) took (?P<latency_ms>\S+): (?P<msg>.*)"
)
SAMPLE = "<19.03.2026 10:00> warn /play took 12.5: all set"
TABLE = {"pattern": PATTERN, "samples": [SAMPLE], "time_format": "%d.%m.%Y %H:%M"}


def test_named_groups_are_fields(read: Callable[..., Any]) -> None:
    """A group fills the column that it is named after, also by another logger's name for it."""
    own = own_format("mine", TABLE | {"fields": {"service": "music"}}, "./logkit.toml")
    found = read(SAMPLE + "\n  more\n" + SAMPLE + "\n", table=FormatTable([own]))
    assert found.choice.name == "mine"
    assert found.events[0] == {
        "timestamp": "2026-03-19T10:00:00Z",
        "level": "warning",
        "service": "music",
        "command": "/play",
        "duration_ms": 12.5,
        "message": "all set\n  more",
    }


def test_one_line_a_record(read: Callable[..., Any]) -> None:
    """Other lines do not continue a record of a format that has one line."""
    own = own_format("mine", TABLE | {"multiline": False}, "./logkit.toml")
    found = read(SAMPLE + "\n  more\n", table=FormatTable([own]), only_format="mine")
    assert found.rejects == [("no_format: mine", b"  more")]


@pytest.mark.parametrize(
    ("style", "time", "expected"),
    [
        ("%b %d %H:%M", "Mar 19 10:00", "2026-03-19T10:00:00Z"),
        ("%d/%m/%y %H:%M:%S.%f%z", "19/03/26 10:00:00.5+0200", "2026-03-19T08:00:00.500000Z"),
        (None, "2026-03-19 10:00", "2026-03-19T10:00:00Z"),
        (None, "1773914400", "2026-03-19T10:00:00Z"),
        ("%Y", "soon", "soon"),
    ],
    ids=["no year", "with a zone", "any style", "epoch", "no time"],
)
def test_times(read: Callable[..., Any], style: str | None, time: str, expected: str) -> None:
    """Times are read as the format says, or as any that we know; what is none stays."""
    line = f"@{time}@ hello you"
    table = {"pattern": "@(?P<timestamp>.*)@ (?P<message>.*)", "samples": [line]}
    own = own_format("mine", table | ({"time_format": style} if style else {}), "x")
    (event,) = read(line + "\n", table=FormatTable([own])).events
    assert event["timestamp"] == expected


@pytest.mark.parametrize(
    ("name", "table", "complaint"),
    [
        ("mine", TABLE | {"samples": ["other"]}, "does not match its own sample 'other'"),
        ("mine", TABLE | {"pattern": "("}, "no regular expression"),
        ("mine", TABLE | {"pattern": ".*"}, "no named groups"),
        ("mine", {"pattern": PATTERN}, "samples is missing"),
        ("mine", {"samples": [SAMPLE]}, "pattern is missing"),
        ("mine", TABLE | {"sample": "x"}, "unknown key 'sample'"),
        ("mine", TABLE | {"samples": SAMPLE}, "samples should be a list"),
        ("mine", PATTERN, "a table with pattern and samples"),
        ("python", TABLE, "the name is taken"),
        ("a:b", TABLE, "not of letters"),
    ],
    ids=[
        "sample", "no regex", "no groups", "no samples", "no pattern", "unknown key",
        "wrong type", "no table", "taken", "bad name",
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(name: str, table: Any, complaint: str) -> None:
    """The file, the table and what is wrong with it are named."""
    with pytest.raises(OwnFormatError, match=r"^\./logkit\.toml \[formats\.") as caught:
        own_format(name, table, "./logkit.toml")
    assert complaint in str(caught.value)


def test_every_name_is_in_the_docs() -> None:
    """The page names each format and transport."""
    page = (Path(__file__).parents[4] / "docs" / "how-to" / "log-formats.md").read_text()
    assert [name for name in FormatTable().names if f"`{name}`" not in page] == []
