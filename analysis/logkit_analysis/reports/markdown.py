"""A document as Markdown for a wiki or an issue: the same words, charts as what they show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.charts.steps import told
from logkit_analysis.reports.document import (
    Block,
    Chart,
    Document,
    Prompts,
    Queries,
    Strips,
    Table,
    Text,
    Tiles,
    Timeline,
    Trace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What Markdown or the HTML in it would take for more than text; wikis link bare addresses.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#@!$&]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


def render_markdown(document: Document) -> str:
    """Return *document* as Markdown; log content in it is text, never markup."""
    lines = [f"# {_text(document.title)}", ""]
    for sentence in document.sentences:
        lines += [_text(sentence), ""]
    facts = (("Severity", f"{document.severity}: {document.severity_reason}"), *document.facts)
    lines += _rows(("", ""), facts)
    for section in document.sections:
        lines += ["", f"## {_text(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    lines.append(f"Times are in {_text(document.zone)}.")
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield f"{_text(block.text)}{_numbers(block.sources)}"
        case Tiles():
            cells = [(tile.label, tile.value, tile.note) for tile in block.tiles]
            yield from _rows(("", "", ""), cells)
            yield from _sources(block.sources)
        case Table():
            yield from _table(block)
        case Chart() | Strips():
            yield f"**{_text(block.title)}**: {_text(block.summary)}{_numbers(block.sources)}"
        case Timeline():
            for one in block.moments:
                yield f"- {one.time} {_text(one.kind)}: {_text(one.text)}"
            yield from _sources(block.sources)
        case Trace():
            yield f"**{_text(block.id)}**: {_text(block.title)}{_numbers(block.sources)}"
            yield ""
            for step in block.steps:
                yield f"- {_text(told(step))}"
        case Prompts():
            yield from _prompts(block)
        case Queries():
            yield from _queries(block)


def _prompts(block: Prompts) -> Iterator[str]:
    for question in block.questions:
        yield from (f"### {question.name}", "", f"*{question.hint}*", "")
        blank = ("…",) * len(question.columns)
        yield from (_rows(question.columns, [blank]) if blank else ("…",))
        yield ""


def _table(block: Table) -> Iterator[str]:
    yield f"**{_text(block.caption)}**{_numbers(block.sources)}"
    yield ""
    alignment = tuple("---:" if head.is_number else "---" for head in block.heads)
    yield _line(tuple(_text(head.name) for head in block.heads))
    yield _line(alignment)
    for row in block.rows:
        yield _line(tuple(_text(cell) for cell in row))
    if block.note:
        yield ""
        yield _text(block.note)


def _queries(block: Queries) -> Iterator[str]:
    for one in block.queries:
        yield f"### SQL {one.number}: {_text(one.title)}"
        yield ""
        yield f"{wording.counted(one.row_count, 'row')}; {_parameters(one.parameters)}"
        yield ""
        if one.name:
            yield f"`logkit query {one.name}`{f'; {_text(one.note)}' if one.note else ''}"
            yield ""
        if one.same_as:
            yield from (f"The statement is that of SQL {one.same_as}.", "")
        else:
            yield from ("```sql", *one.sql.split("\n"), "```", "")


def _parameters(parameters: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} = {_text(value)}" for name, value in parameters)


def _rows(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(heads)
    yield _line(("---",) * len(heads))
    for row in rows:
        yield _line(tuple(_text(cell) for cell in row))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _sources(numbers: tuple[int, ...]) -> Iterator[str]:
    if numbers:
        yield ""
        yield _numbers(numbers).strip()


def _numbers(numbers: tuple[int, ...]) -> str:
    return f" (SQL {', '.join(map(str, numbers))})" if numbers else ""


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
