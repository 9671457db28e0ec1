"""Lines of our own form, parsed by DuckDB column by column instead of line by line.

It speaks only for lines on which it provably agrees with `json_lines`, and hands back the rest:

- Every key of the line is one that was asked for. A compact line is exactly as long as its keys
  and values, none of which DuckDB writes longer than it was; any other must have as many keys
  as values were found, and no trailing comma.
  That excludes unknown and repeated keys, nulls, and all that is valid to DuckDB alone.
- Every value has the JSON type of its column; nothing is coerced here.
- No key belongs to another dialect or stands for another name of a column.
- No message is one that a known library wrote, unless the event has a name already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from logkit.schema import FIELDS_BY_NAME, LEVELS, Field
from logkit_analysis.parsers.columnar import read_columns
from logkit_analysis.parsers.library_messages import FIRST_WORDS, LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}$")
_TIMESTAMP = r'"[12]\d{3}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?Z"'
_EVENT_NAME = "[a-z][a-z0-9]*(_[a-z0-9]+)*"
# What DuckDB takes for numbers and JSON does not, or what a double cannot hold.
_NO_NUMBER = r"(?i)([:,\[]-?(nan|inf)|e[+-]?\d{3})"
# Written by DuckDB, these may be longer than they were in the line: 1e2 is 100.0 there.
_LENGTHENED = r"[:,\[]-?(\d+\.0[,}\]]|0\.00|\d[\d.]*e)"
_TRAILING_COMMA = r",\s*[}\]]"
_EXACT_FLOAT = 2**53
_CRI_PREFIX = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d) (stdout|stderr) F "


def is_plain_key(key: str) -> bool:
    """Return whether *key* can be asked for: a short ASCII name."""
    return _PLAIN_KEY.match(key) is not None


class VectorisedParser:
    """Parses many lines at once; an instance belongs to one thread.

    Args:
        keys: The keys to look for; a line with any other key is handed back.
        is_cri: Whether each line has a prefix of Kubernetes' CRI, which is then kept beside what
            else has no column. Parts of a line are handed back, and what has no time of its own.
    """

    def __init__(self, keys: Iterable[str], *, is_cri: bool = False) -> None:
        self._keys = sorted(keys)
        self._form = _CRI if is_cri else _BARE
        self._connection = duckdb.connect(":memory:", config={"threads": 1})

    @property
    def keys(self) -> frozenset[str]:
        """The keys that it looks for."""
        return frozenset(self._keys)

    def parse(
        self, lines: pa.StringArray, offsets: pa.Int64Array, *, is_careful: bool
    ) -> tuple[pa.Table, pa.Array]:
        """Parse *lines*, valid UTF-8 each with its newline, found at *offsets*.

        Args:
            lines: The lines.
            offsets: What goes into ``source_offset``.
            is_careful: Speak also for lines with escapes or nulls, which costs more for each.

        Returns:
            The columns of the lines that it speaks for, and the indexes of all others.
        """
        batch = pa.table({"line": lines, "source_offset": offsets})
        make = _careful_query if is_careful else _plain_query
        try:
            return read_columns(self._connection, batch, make(self._keys, "{}", self._form))
        except (duckdb.InvalidInputException, UnicodeDecodeError):
            # Some line is no JSON. Asking line by line whether it is costs a third more.
            # (The client fails to decode the message where that cuts a character in two.)
            return read_columns(self._connection, batch, make(self._keys, "try({})", self._form))


@dataclass(frozen=True, slots=True)
class _Form:
    """What lines look like.

    Attributes:
        bare: Statement that gives ``line``, the JSON alone, with its offset and ``envelope``.
        fields: The object of what has no column.
        needs_time: Whether a line without a time of its own is not ours.
    """

    bare: str
    fields: str
    needs_time: bool


_BARE = _Form("select line, source_offset, null as envelope from batch", "v_fields", False)
_CRI = _Form(
    f"""
    select
        source_offset,
        strpos(line, '{{') as brace_at,
        left(line, brace_at - 1) as prefix,
        case when regexp_full_match(prefix, '{_CRI_PREFIX}') then substring(line, brace_at) end
            as line,
        '"cri.time":"' || split_part(prefix, ' ', 1)
        || '","stream":"' || split_part(prefix, ' ', 2) || '"}}' as envelope
    from batch
    """,  # noqa: S608 nothing in it comes from a log
    "coalesce(left(v_fields, length(v_fields) - 1) || ',', '{') || envelope",
    True,
)


def _plain_query(keys: list[str], attempt: str, form: _Form) -> str:
    """Return the statement for lines without a backslash or a null.

    Args:
        keys: The keys to look for.
        attempt: Template around what fails on a line that is no JSON.
        form: What the lines look like.
    """
    structure = ", ".join(f'"{key}": "JSON"' for key in keys)
    texts = attempt.format(f"json_transform(line, '{{{structure}}}')")
    taken = [f'texts."{key}"' for key in keys]
    is_candidate = f"{_IS_OBJECT} and not contains(line, '\\')"
    return _query(keys, texts, taken, is_candidate, form, string=_UNQUOTED, null_rule="")


def _careful_query(keys: list[str], attempt: str, form: _Form) -> str:
    """Return the statement for any lines; arguments as for `_plain_query`."""
    paths = ", ".join(f"""'$."{key}"'""" for key in keys)
    texts = attempt.format(f"json_extract(line, [{paths}])")
    taken = [f"texts[{index + 1}]" for index in range(len(keys))]
    string = "json_extract_string({0}, '$')"
    return _query(keys, texts, taken, _IS_OBJECT, form, string=string, null_rule="{0} = 'null' or ")


_IS_OBJECT = "texts is not null and starts_with(line, '{')"
_UNQUOTED = "substring({0}, 2, length({0}) - 2)"


def _query(
    keys: list[str],
    found: str,
    taken: list[str],
    is_candidate: str,
    form: _Form,
    *,
    string: str,
    null_rule: str,
) -> str:
    """Return the statement: a column per declared key, ``fields``, and ``is_ours``."""
    texts = {key: f"t{index}" for index, key in enumerate(keys)}
    declared = [FIELDS_BY_NAME[key] for key in keys if key in FIELDS_BY_NAME]
    extras = [key for key in keys if key not in FIELDS_BY_NAME]
    values = [f"{_value(field, texts[field.name], string)} as v_{field.name}" for field in declared]
    columns = [f"{_column(field.name, texts)} as {field.name}" for field in declared]
    if "message" in texts and "event" not in texts:
        columns.append(f"{_EVENT_OF_MESSAGE} as event")
    is_ours = f"({_has_no_more_than(texts)}) and {_fits(declared, texts, null_rule)}"
    if form.needs_time:
        is_ours += " and v_timestamp is not null" if "timestamp" in texts else " and false"
    # Every name comes from the table of fields or has passed `is_plain_key`.
    return f"""
with

bare as ({form.bare}),

found as (
    select line, source_offset, envelope, {found} as texts
    from bare
),

named as (
    select
        line,
        source_offset,
        envelope,
        {is_candidate} as is_candidate,
        -- As text: from JSON, a cast would turn true into 1 and "12" into 12.
        {_list(f"cast({text} as varchar) as t{index}" for index, text in enumerate(taken))}
    from found
),

typed as (
    select *, {_list([*values, f"{_rest(extras, texts)} as v_fields"])}
    from named
)

select
    {_list(["source_offset", *columns])},
    {form.fields} as fields,
    coalesce(case when is_candidate then {is_ours} end, false) as is_ours
from typed
"""  # noqa: S608


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)


def _value(field: Field, text: str, string: str) -> str:
    """Return the SQL of a value of the JSON *text* in the column's type, NULL if it is none."""
    if field.name == "timestamp":
        bare = (
            f"case when regexp_full_match({text}, '{_TIMESTAMP}') then {_UNQUOTED.format(text)} end"
        )
        return f"try_cast({bare} as timestamptz)"
    if field.name == "level":
        spellings = ((spelled, level) for level in LEVELS for spelled in (level, level.upper()))
        names = " ".join(f"""when '"{spelled}"' then '{level}'""" for spelled, level in spellings)
        return f"case {text} {names} end"
    if field.duckdb == "VARCHAR":
        return string.format(text)
    return f"try_cast({text} as {field.duckdb})"


_EVENT_OF_MESSAGE = (
    f"case when strlen(v_message) <= 64 and regexp_full_match(v_message, '{_EVENT_NAME}') "
    "then v_message end"
)


def _column(name: str, texts: dict[str, str]) -> str:
    if name == "event" and "message" in texts:
        return f"coalesce(v_event, {_EVENT_OF_MESSAGE})"
    return f"v_{name}"


def _rest(extras: list[str], texts: dict[str, str]) -> str:
    """Return the SQL of the object of all undeclared keys, NULL where there are none."""
    if not extras:
        return "cast(null as varchar)"
    pairs = _list(f"""'"{key}":' || {texts[key]}""" for key in extras)
    has_any = " or ".join(f"{texts[key]} is not null" for key in extras)
    return f"case when {has_any} then '{{' || concat_ws(',', {pairs}) || '}}' end"


def _has_no_more_than(texts: dict[str, str]) -> str:
    """Return the SQL that says whether a line holds the values found and nothing else.

    A compact line with its newline has 2 bytes, and for each value the bytes of the value, of
    its key, two quotes, a colon, and a comma or brace.
    """
    lengths = " + ".join(f"coalesce(strlen({t}) + {len(key) + 4}, 0)" for key, t in texts.items())
    count = " + ".join(f"({text} is not null)::integer" for text in texts.values())
    kept = " and ".join(
        [
            f"coalesce(not regexp_matches(v_fields, '{_LENGTHENED}'), true)",
            *(_is_as_written(text) for key, text in texts.items() if _is_double(key)),
        ]
    )
    return f"""case
        when strlen(line) = 2 + {lengths} and {kept} then true
        else len(json_keys(line)) = {count} and not regexp_matches(line, '{_TRAILING_COMMA}')
    end"""


def _is_double(key: str) -> bool:
    return key in FIELDS_BY_NAME and FIELDS_BY_NAME[key].duckdb == "DOUBLE"


def _is_as_written(text: str) -> str:
    """Return the SQL that says whether the number *text* is no longer than it was in the line."""
    tiny = f"starts_with(ltrim({text}, '-'), '0.00')"
    return f"coalesce(not (suffix({text}, '.0') or contains({text}, 'e') or {tiny}), true)"


def _fits(declared: list[Field], texts: dict[str, str], null_rule: str) -> str:
    """Return the SQL that says whether every value has the JSON type of its column."""
    rules = [
        f"({text} is null or {null_rule.format(text)}{_rule(field, texts)})"
        for field in declared
        if (text := texts[field.name])
    ]
    return " and ".join(
        [
            *rules,
            f"(v_fields is null or not regexp_matches(v_fields, '{_NO_NUMBER}'))",
            f"coalesce(not {_is_of_library(texts)}, true)",
        ]
    )


def _is_of_library(texts: dict[str, str]) -> str:
    """Return the SQL that says whether a line may have a meaning in `library_messages`."""
    found = [name for name in ("message", "event") if name in texts]
    if not found:
        return "false"
    texts_found = _list(f"nullif(v_{name}, '')" for name in found)
    text = f"coalesce({texts_found}, '')"
    told = f"split_part({text}, ' ', 1) in ({_literals(FIRST_WORDS)})"
    if "logger" in texts:
        named = f"split_part(v_logger, '.', 1) in ({_literals(LIBRARIES)})"
        told = f"case when v_logger <> '' then {named} else {told} end"
    if "event" not in texts:
        return f"({told})"
    return f"case when contains(coalesce(v_event, ' '), ' ') then {told} else false end"


def _literals(texts: Iterable[str]) -> str:
    return _list("'" + text.replace("'", "''") + "'" for text in sorted(texts))


def _rule(field: Field, texts: dict[str, str]) -> str:
    if field.name in ("timestamp", "level"):
        return f"v_{field.name} is not null"
    if field.duckdb == "VARCHAR":
        return f"starts_with({texts[field.name]}, '\"')"
    if field.duckdb == "DOUBLE":
        return f"abs(v_{field.name}) < {_EXACT_FLOAT}"
    # 429.5 casts to 430 and 1e2 to 100: only what is written as the integer's own digits.
    return f"cast(v_{field.name} as varchar) = {texts[field.name]}"
