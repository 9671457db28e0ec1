"""One query file: a checked header and a statement become a `QuerySpec`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logkit_analysis.errors import AnalysisError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

Value = str | int | float | bool | None

ENGINE_PARAMETERS = frozenset({"since", "until"})
"""Parameters that every query may use: the engine binds them to the time window."""

PARAMETER_TYPES = frozenset(
    {"integer", "bigint", "double", "varchar", "text", "boolean", "timestamptz"}
)

_TAGS = frozenset(
    {"title", "question", "param", "column", "method", "detector", "plot", "sample", "window"}
)
_HEADER_LINE = re.compile(r"--\s?(.*)")
_TAG = re.compile(r"@(\w+)\s*(.*)")
_PARAM = re.compile(
    r"(?P<name>[a-z_]\w*)\s+(?P<type>\w+)"
    r"(?:\s*=\s*(?P<default>'(?:[^']|'')*'|[^\s']+))?(?:\s+(?P<meaning>.*))?"
)
_WINDOW = re.compile(r"\d+[smhd]")
_COLUMN = re.compile(r"(?P<name>[a-z_]\w*)\s+(?P<meaning>.*)")
# What is no code (strings, quoted names, comments) or a parameter, in this order.
_TOKEN = re.compile(
    r"""
    \b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$
    | "[^"]*" | --[^\n]* | /\*.*?\*/ | \$(?P<parameter>[A-Za-z_]\w*)
    """,
    re.DOTALL | re.VERBOSE,
)
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class QueryHeaderError(AnalysisError):
    """A query file breaks the rules of its header; the message names file and line."""

    exit_code = ExitCode.USAGE

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter.

    Attributes:
        name: As it stands in the SQL, without ``$``.
        type: One of `PARAMETER_TYPES`.
        is_required: Whether it has no default.
        default: The default value where it is not required.
        meaning: Description for people.
    """

    name: str
    type: str
    is_required: bool
    default: Value
    meaning: str


@dataclass(frozen=True, slots=True)
class QuerySpec:
    """A query that can be run.

    Attributes:
        name: The file's name without ``.sql``.
        path: The file.
        title: What it shows, in a few words.
        question: The question that it answers.
        method: How it answers, where that is not plain.
        detector: Module of ``detect`` that turns its rows into findings, or ``None``.
        plot: Column that ``--plot`` draws, or ``None`` for the first number.
        window: Duration before ``until`` that it counts, or ``None`` where it begins at ``since``.
        sample: The seeded sample on which a test runs it, or ``None``.
        parameters: Declared parameters.
        columns: Documented columns of the result: name to unit and meaning.
        sql: The statement, with the header.
        used: The parameters that the statement uses.
    """

    name: str
    path: Path
    title: str
    question: str
    method: str
    detector: str | None
    plot: str | None
    sample: str | None
    window: str | None
    parameters: tuple[Parameter, ...]
    columns: dict[str, str]
    sql: str
    used: frozenset[str]


def read_query(path: Path) -> QuerySpec | None:
    """Return the query in *path*, or ``None`` when the file has no ``-- @title``.

    Raises:
        QueryHeaderError: The header or its parameters break a rule.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryHeaderError(path, 1, f"cannot be read: {error}") from error
    tags = list(_tags(text))
    if not any(tag == "title" for _, tag, _ in tags):
        return None
    return _spec(path, text, tags)


def _tags(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, tag, rest); a comment line without a tag continues the tag before it."""
    current: tuple[int, str, str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER_LINE.fullmatch(line)
        if header is None:
            if line.strip():
                break
            continue
        tag = _TAG.fullmatch(header[1].strip())
        if tag is None and current is not None:
            current = (current[0], current[1], f"{current[2]} {header[1].strip()}".strip())
        elif tag is not None:
            if current is not None:
                yield current
            current = (number, tag[1], tag[2].strip())
    if current is not None:
        yield current


def _spec(path: Path, text: str, tags: list[tuple[int, str, str]]) -> QuerySpec:
    single: dict[str, str] = {}
    parameters: list[tuple[int, Parameter]] = []
    columns: dict[str, str] = {}
    for line, tag, rest in tags:
        if tag not in _TAGS:
            raise QueryHeaderError(path, line, f"unknown tag @{tag}")
        if tag == "param":
            parameters.append((line, _parameter(path, line, rest)))
        elif tag == "column":
            name, meaning = _column(path, line, rest)
            if name in columns:
                raise QueryHeaderError(path, line, f"column {name} is documented twice")
            columns[name] = meaning
        elif tag in single:
            raise QueryHeaderError(path, line, f"@{tag} stands twice")
        else:
            single[tag] = rest
    used = _check_parameters(path, text, parameters)
    return QuerySpec(
        name=path.stem,
        path=path,
        title=single["title"],
        question=single.get("question", ""),
        method=single.get("method", ""),
        detector=single.get("detector"),
        plot=_plotted(path, tags, columns),
        window=_own_window(path, tags, used),
        sample=_first_word(single.get("sample")),
        parameters=tuple(parameter for _, parameter in parameters),
        columns=columns,
        sql=text,
        used=frozenset(used),
    )


def _own_window(path: Path, tags: list[tuple[int, str, str]], used: Container[str]) -> str | None:
    for line, tag, rest in tags:
        if tag == "window":
            if not _WINDOW.fullmatch(rest):
                raise QueryHeaderError(path, line, "write: @window DURATION, e.g. 10m")
            if "since" in used:
                raise QueryHeaderError(path, line, "a query with @window does not use $since")
            return rest
    return None


def _plotted(path: Path, tags: list[tuple[int, str, str]], columns: Container[str]) -> str | None:
    for line, tag, rest in tags:
        if tag == "plot":
            if rest not in columns:
                raise QueryHeaderError(path, line, f"@plot {rest}: no @column of this name")
            return rest
    return None


def _first_word(text: str | None) -> str | None:
    return text.split()[0] if text else None


def _parameter(path: Path, line: int, text: str) -> Parameter:
    match = _PARAM.fullmatch(text)
    if match is None:
        raise QueryHeaderError(path, line, "write: @param NAME TYPE [= LITERAL]  description")
    name, kind, literal = match["name"], match["type"].lower(), match["default"]
    if kind not in PARAMETER_TYPES:
        known = ", ".join(sorted(PARAMETER_TYPES))
        raise QueryHeaderError(path, line, f"parameter {name} has type {kind}; known: {known}")
    if name in ENGINE_PARAMETERS and (kind != "timestamptz" or literal is not None):
        raise QueryHeaderError(path, line, f"{name} comes from the engine: timestamptz, no default")
    try:
        default = None if literal is None else _literal(literal, kind)
    except ValueError as error:
        problem = f"default of {name} is no {kind} literal: {literal}"
        raise QueryHeaderError(path, line, problem) from error
    return Parameter(name, kind, literal is None, default, match["meaning"] or "")


def _literal(text: str, kind: str) -> Value:
    if text.lower() == "null":
        return None
    if text.startswith("'"):
        return convert(text[1:-1].replace("''", "'"), kind)
    if kind in {"varchar", "text", "timestamptz"}:
        raise ValueError(text)
    return convert(text, kind)


def convert(text: str, kind: str) -> Value:
    """Return *text* as a value of the parameter type *kind*; a time stays text.

    Raises:
        ValueError: It is none.
    """
    if kind in {"integer", "bigint"}:
        if not _INTEGER.fullmatch(text):
            raise ValueError(text)
        return _in_range(int(text), 31 if kind == "integer" else 63)
    if kind == "double":
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        return float(text)
    if kind == "boolean":
        return _boolean(text)
    return text


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _in_range(number: int, bits: int) -> int:
    if not -(1 << bits) <= number < 1 << bits:
        raise ValueError(number)
    return number


def _column(path: Path, line: int, text: str) -> tuple[str, str]:
    match = _COLUMN.fullmatch(text)
    if match is None:
        raise QueryHeaderError(path, line, "write: @column NAME  unit and meaning")
    return match["name"], match["meaning"]


def _check_parameters(
    path: Path, text: str, parameters: list[tuple[int, Parameter]]
) -> dict[str, int]:
    used = _used_parameters(text)
    declared: set[str] = set()
    for line, parameter in parameters:
        if parameter.name in declared:
            raise QueryHeaderError(path, line, f"parameter {parameter.name} is declared twice")
        if parameter.name not in used:
            raise QueryHeaderError(path, line, f"parameter {parameter.name} is not used")
        declared.add(parameter.name)
    for name, line in used.items():
        if name not in declared | ENGINE_PARAMETERS:
            raise QueryHeaderError(path, line, f"parameter ${name} is used but not declared")
    return used


def _used_parameters(text: str) -> dict[str, int]:
    """Return the parameters that the SQL uses, each with the line of its first use."""
    used: dict[str, int] = {}
    for match in _TOKEN.finditer(text):
        if match["parameter"] is not None:
            used.setdefault(match["parameter"], text.count("\n", 0, match.start()) + 1)
    return used
