"""What DuckDB says about a wrong statement, in words for the person who typed it."""

from __future__ import annotations

import re

_MOST_CHARACTERS = 300
_MOST_SHAPES = 3

_KIND = re.compile(r"^[A-Z][A-Za-z ]*? Error: ")
_NO_COLUMN = re.compile(r'there is no column (".*?");')
_SHAPES = re.compile(r"\s*Candidate (?:functions|macros):\n\t(.*)", re.DOTALL)
_NEAREST = r'((?:"[^"]*")(?:, "[^"]*"){0,2}).*'

# DuckDB's sentence -> ours; one that is not here stays as it is. Advice to change a setting
# cannot be followed, since settings are locked.
_SENTENCES = {
    r'Referenced column (".*") not found in FROM clause!\nCandidate bindings: '
    + _NEAREST: r"there is no column \1; similar are \2",
    r"Referenced column (\".*\") was not found because the FROM clause is missing": (
        r"there is no column \1: the statement has no FROM"
    ),
    r'Referenced table (".*") not found!\nCandidate tables: '
    + _NEAREST: r"there is no table \1 in FROM; similar are \2",
    r"Table with name (.*?) does not exist!.*": (
        r"there is no table \1; there are events, quarantine, sources and ingest_runs"
    ),
    r"[\w ]*Function with name (.*?) does not exist!\nDid you mean (.*)": (
        r"there is no function \1; did you mean \2"
    ),
    r"Ambiguous reference to column name (.*) \(use: (.*)\)": (
        r"several tables have a column \1; write \2"
    ),
    r"No function matches the given name and argument types '(.*)'\..*": (r"there is no \1"),
    r'column (".*") must appear in the GROUP BY clause .*': (
        r"\1 is neither in GROUP BY nor in an aggregate; any_value(\1) takes one of its values"
    ),
    r"Macro (\w+)\(\) does not support the supplied arguments\..*": r"wrong arguments for \1",
    r"(Could not convert .*)": r"\1; try_cast gives NULL instead",
    r"(Division by zero in expression .*)\. Use TRY.*": r"\1; nullif(divisor, 0) gives NULL",
    r"(More than one row returned by a subquery).*": (
        r"\1 that stands for one value; limit 1 or an aggregate gives one"
    ),
    r'Cannot execute statement of type "(\w+)".*': r"\1 is off: the database is only read",
    r'Cannot access \w+ "(.*)" - file system operations are disabled by configuration': (
        r"SQL opens no other files: \1; logkit ingest reads logs"
    ),
    r'Cannot change configuration option "(.*)" - the configuration has been locked': (
        r"settings are locked: \1"
    ),
    r"(?:could not allocate|failed to allocate) .*? \((.*?) used\).*": (
        r"out of memory (\1 used); ask for a shorter time window or fewer rows"
    ),
}
_PLAIN = tuple((re.compile(theirs, re.DOTALL), ours) for theirs, ours in _SENTENCES.items())

_WORDS = {"INT32": "INTEGER", "INT64": "BIGINT", "_LITERAL": "", " WITH TIME ZONE": "TZ"}
_INTERNAL = re.compile(r"\b(?:INT32|INT64)\b|_LITERAL\b| WITH TIME ZONE\b")


def plain_words(text: str) -> str:
    """Return DuckDB's error *text* as one line, and the line of SQL where it names one.

    The kind of error, internal types and long lists of candidates are left out; a hint that can
    be followed stays. What is longer than a few lines, such as a value that is no number, is cut.
    """
    head, has_place, place = text.strip().rpartition("\n\nLINE ")
    said = _plain(_KIND.sub("", head if has_place else place, count=1))
    if not has_place:
        return said
    line = place.splitlines()[0].strip()
    name = _NO_COLUMN.match(said)
    if name and name[1] in line:
        said += f"; a text stands in single quotes: '{name[1][1:-1]}'"
    return f"{said}\nLINE {line}"


def _plain(said: str) -> str:
    shapes = _SHAPES.search(said)
    for theirs, ours in _PLAIN:
        if match := theirs.fullmatch(said):
            said = match.expand(ours)
            break
    if shapes:
        few = shapes[1].split("\n\t")
        is_short = len(few) <= _MOST_SHAPES
        said += f"; it takes {' or '.join(few)}" if is_short else "; try a cast of an argument"
    line = _INTERNAL.sub(lambda word: _WORDS[word[0]], " ".join(said.split())).rstrip("!")
    if len(line) <= _MOST_CHARACTERS:
        return line
    return f"{line[: _MOST_CHARACTERS - 100]} ... {line[-100:]}"
