"""Do query files hold their promises? Each is read, bound and run on an empty store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from logkit_analysis import engine
from logkit_analysis.errors import AnalysisError
from logkit_analysis.query_file import read_query
from logkit_analysis.store.database import empty_store
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import duckdb

    from logkit_analysis.query_file import QuerySpec

_WINDOW = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))
# A parameter without a default gets a value of its type: what matters is that the text runs.
_EXAMPLES = {"boolean": "true", "timestamptz": "2000-01-01T12:00:00Z"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one file.

    Attributes:
        path: The file.
        problems: What is wrong with it, one line each; none if it is sound.
        is_query: Whether it has a title; without one it is only a script.
    """

    path: Path
    problems: tuple[str, ...]
    is_query: bool = True


def check_files(paths: Iterable[Path], *, reserved: frozenset[str]) -> list[Verdict]:
    """Return a verdict on each of *paths*.

    Args:
        paths: The query files.
        reserved: Names of other queries, which would win over a file of the same name.
    """
    with empty_store() as connection:
        return [_verdict(connection, path, reserved) for path in paths]


def _verdict(
    connection: duckdb.DuckDBPyConnection, path: Path, reserved: frozenset[str]
) -> Verdict:
    try:
        spec = read_query(path)
    except AnalysisError as error:
        return Verdict(path, (str(error),))
    if spec is None:
        return Verdict(path, (), is_query=False)
    problems = list(_problems(connection, spec))
    if path.stem in reserved:
        problems.append(f"the query {path.stem} of logkit hides it; rename it or use --queries")
    return Verdict(path, tuple(problems))


def _problems(connection: duckdb.DuckDBPyConnection, spec: QuerySpec) -> Iterable[str]:
    given = {
        one.name: _EXAMPLES.get(one.type, "1")
        for one in spec.parameters
        if one.is_required and one.name not in {"since", "until"}
    }
    try:
        values = engine.bind(spec, given, _WINDOW, zone=ZoneInfo("UTC"), now=_WINDOW.until)
        columns = engine.run_query(connection, spec, values).columns
    except AnalysisError as error:
        yield " ".join(str(error).split())
        return
    names = [column.name for column in columns]
    documented = list(spec.columns)
    if documented and documented != names:
        yield f"its columns are {', '.join(names)}, its header says {', '.join(documented)}"
    if any(column.name == spec.plot and not column.is_number for column in columns):
        yield f"its column {spec.plot}, which @plot names, is no number"
