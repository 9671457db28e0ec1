"""The queries that can be named: ours, and the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError, ExitCode
from logkit_analysis.query_file import QueryHeaderError, QuerySpec, read_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class QueryNotFoundError(AnalysisError):
    """No query file has the name that was asked for."""

    exit_code = ExitCode.USAGE

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else "logkit query lists them"
        super().__init__(f"no query named {name!r}; {hint}")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The queries that can be named.

    Attributes:
        queries: Query by name.
        problems: One line for each file that is no valid query.
    """

    queries: dict[str, QuerySpec]
    problems: dict[str, QueryHeaderError]

    def find(self, name: str) -> QuerySpec:
        """Return the query *name*.

        Raises:
            QueryHeaderError: Its file is broken.
            QueryNotFoundError: There is none of that name.
        """
        if name in self.queries:
            return self.queries[name]
        if name in self.problems:
            raise self.problems[name]
        raise QueryNotFoundError(name, self.queries)


def load_catalog(directories: Iterable[Path]) -> Catalog:
    """Read the queries of *directories*: ``.sql`` files with a title; the first of a name wins."""
    queries: dict[str, QuerySpec] = {}
    problems: dict[str, QueryHeaderError] = {}
    for path in _files(directories):
        name = path.stem
        if name in queries or name in problems:
            continue
        try:
            spec = read_query(path)
        except QueryHeaderError as error:
            problems[name] = error
            continue
        if spec is not None:
            queries[name] = spec
    return Catalog(dict(sorted(queries.items())), problems)


def _files(directories: Iterable[Path]) -> Iterator[Path]:
    for directory in directories:
        yield from sorted(directory.glob("*.sql"))
