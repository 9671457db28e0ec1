"""Asking queries once, and keeping account of what was asked and how much came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logkit_analysis import engine
from logkit_analysis.renderers.values import rfc3339
from logkit_analysis.reports.document import Query
from logkit_analysis.reports.wording import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logkit_analysis.questions import Questions
    from logkit_analysis.time_window import Window

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one query, and the number under which the report accounts for it."""

    rows: list[Row]
    number: int


@dataclass(slots=True)
class Ledger:
    """Our queries on one database; each is run once for the same parameters."""

    questions: Questions
    entries: list[Query] = field(default_factory=list)
    answers: dict[tuple[object, ...], Answer] = field(default_factory=dict)

    def ask(self, name: str, window: Window, **given: str) -> Answer:
        """Return the rows of the query *name* in *window*."""
        key = (name, window, *sorted(given.items()))
        if key not in self.answers:
            self.answers[key] = self._run(name, window, given)
        return self.answers[key]

    def rows(self, name: str, window: Window, **given: str) -> list[Row]:
        """Return the rows alone."""
        return self.ask(name, window, **given).rows

    def note(self, title: str, sql: str, values: Mapping[str, object]) -> Answer:
        """Return the rows of a statement of the report's own."""
        rows = engine.run_sql(self.questions.connection, sql, values).dicts()
        return self._keep("", title, sql, values, rows, "")

    def _run(self, name: str, window: Window, given: dict[str, str]) -> Answer:
        questions = self.questions
        spec = questions.catalog.find(name)
        values = engine.bind(spec, given, window, zone=questions.zone, now=questions.now)
        rows = engine.run_query(questions.connection, spec, values).dicts()
        judged = f"its rows are judged by the detector {spec.detector}" if spec.detector else ""
        return self._keep(name, spec.title, spec.sql, values, rows, judged)

    def _keep(
        self,
        name: str,
        title: str,
        sql: str,
        values: Mapping[str, object],
        rows: list[Row],
        judged: str,
    ) -> Answer:
        bound = tuple((key, _shown(value)) for key, value in values.items())
        number = len(self.entries) + 1
        text = sql.strip()
        first = next((one.number for one in self.entries if one.sql == text), None)
        shown = "" if first else text
        self.entries.append(Query(number, name, title, shown, bound, len(rows), judged, first))
        return Answer(rows, number)


def _shown(value: Any) -> str:
    return rfc3339(value) if hasattr(value, "astimezone") else words(value)
