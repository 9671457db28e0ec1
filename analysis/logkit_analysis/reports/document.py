"""A report as one value: sections of blocks whose numbers are already words.

Both renderers write the same words, so that the HTML and the Markdown of a report cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from logkit_analysis.detect.waterfall import Step

Tone = Literal["plain", "good", "warn", "bad"]
Style = Literal["main", "second", "third", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; *is_aside* makes it smaller: how a figure was made, or why there is none."""

    text: str
    is_aside: bool = False
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure to be seen from afar, and what it is measured against."""

    label: str
    value: str
    note: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures side by side, and the numbers of the queries that they come from."""

    tiles: tuple[Tile, ...]
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; numbers stand to the right."""

    name: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words under a caption; the first column names the row."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    sources: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant to be seen in every chart; an *is_quiet* one is fainter than the others."""

    at: datetime
    label: str
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Two instants and the state between them."""

    since: datetime
    until: datetime
    label: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Axis:
    """What all charts of a report share: the time they span, and the incident in it."""

    since: datetime
    until: datetime
    bin_seconds: int
    marks: tuple[Mark, ...] = ()
    incident: Stretch | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        name: For the legend and the head of its column in the data.
        values: A value for each bin of the axis; ``None`` where nothing was measured.
        style: How it is drawn.
        is_area: Whether the ground under it is filled, as for counts.
    """

    name: str
    values: tuple[float | None, ...]
    style: Style = "main"
    is_area: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Series over the time of the report.

    Attributes:
        id: Name in links and of the downloaded file.
        title: What it shows.
        unit: Unit of every value.
        axis: The time axis, the same for all charts.
        series: The lines; the last is drawn on top.
        band: Where the values lay before the incident: lower and upper end.
        limit: Value that must not be reached, or ``None``.
        is_log: Whether equal steps are equal ratios.
        summary: What a reader sees in it, for those who cannot see it.
        sources: Numbers of the queries that it comes from.
    """

    id: str
    title: str
    unit: str
    axis: Axis
    series: tuple[Series, ...]
    band: tuple[float, float] | None = None
    limit: float | None = None
    is_log: bool = False
    summary: str = ""
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Strips:
    """States over the time of the report, a line for each thing that has one."""

    id: str
    title: str
    axis: Axis
    lines: tuple[tuple[str, tuple[Stretch, ...]], ...]
    summary: str
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of a timeline: when, of what kind, and what happened."""

    at: datetime
    time: str
    kind: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened, in order."""

    moments: tuple[Moment, ...]
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """One action step by step.

    Attributes:
        id: Its correlation id.
        title: What it was, when and how long.
        steps: The steps in order of their start.
        sources: Number of the query that it comes from.
    """

    id: str
    title: str
    steps: tuple[Step, ...]
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What only people can answer; *columns* where the answer is a table."""

    name: str
    hint: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompts:
    """Questions with room for their answers."""

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a number rests on: the statement, what was bound to it, and what came out.

    Where an earlier query has the same statement, *same_as* is its number and *sql* is empty.
    """

    number: int
    name: str
    title: str
    sql: str
    parameters: tuple[tuple[str, str], ...]
    row_count: int
    note: str = ""
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Queries:
    """Every query that was asked."""

    queries: tuple[Query, ...]


Block = Text | Tiles | Table | Chart | Strips | Timeline | Trace | Prompts | Queries


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report under its own heading."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        title: What happened, in a few words.
        severity: How bad it was: critical, major, minor or none; unknown without events.
        severity_reason: What that was judged by.
        sentences: What happened, for somebody with ten seconds.
        facts: Name and value of what identifies the report: window, services, versions, data.
        sections: The parts, in order.
        zone: Name of the zone of every time.
        day: Date of the incident.
        data: The figures as values, for programs.
    """

    title: str
    severity: str
    severity_reason: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    zone: str
    day: str = ""
    data: dict[str, Any] = field(default_factory=dict)
