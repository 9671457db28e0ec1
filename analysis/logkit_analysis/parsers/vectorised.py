"""Lines of our own form, parsed column by column instead of line by line.

DuckDB takes the lines apart into the JSON texts of their values, Arrow makes columns of these.

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
from functools import reduce
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from logkit.schema import FIELDS_BY_NAME
from logkit_analysis.parsers.json_texts import (
    compact_size,
    converted,
    is_as_written,
    is_string,
    value_count,
)
from logkit_analysis.parsers.library_messages import FIRST_WORDS, LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_EVENT_NAME = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
_LONGEST_EVENT_NAME = 64
# What DuckDB takes for numbers and JSON does not, or what a double cannot hold.
_NO_NUMBER = r"(?i)([:,\[]-?(nan|inf)|e[+-]?\d{3})"
# Written by DuckDB, these may be longer than they were in the line: 1e2 is 100.0 there.
_LENGTHENED = r"[:,\[]-?(\d+\.0[,}\]]|0\.00|\d[\d.]*e)"
_TRAILING_COMMA = r",\s*[}\]]"
_CRI_PREFIX = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d) (stdout|stderr) F "


def is_plain_key(key: str) -> bool:
    """Return whether *key* can be asked for: a short ASCII name."""
    return _PLAIN_KEY.fullmatch(key) is not None


class VectorisedParser:
    """Parses many lines at once; an instance belongs to one thread.

    Args:
        keys: The keys to look for, plain and told apart without regard to case; a line with any
            other key is handed back.
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
        batch = pa.table({"line": lines})
        found = self._take_apart(batch, is_careful=is_careful)
        texts = {key: found[f"t{index}"] for index, key in enumerate(self._keys)}
        columns, fits = _columns(texts, found, is_careful=is_careful)
        fits.append(found["is_candidate"])
        if self._form.needs_time:
            fits.append(columns["timestamp"].is_valid() if "timestamp" in columns else False)
        is_ours = self._holds_no_more(batch, texts, found, _all(fits, len(lines)))
        events = pa.table({"source_offset": offsets, **columns, "fields": found["fields"]})
        others = pc.indices_nonzero(pc.invert(is_ours))
        return (events.filter(is_ours) if len(others) else events), others

    def _take_apart(self, batch: pa.Table, *, is_careful: bool) -> dict[str, pa.Array]:
        """Return the JSON texts of each line's values and what else DuckDB says of it."""
        make = _careful_query if is_careful else _plain_query
        try:
            return self._ask(batch, make(self._keys, "{}", self._form))
        except (duckdb.InvalidInputException, UnicodeDecodeError):
            # Some line is no JSON. Asking first whether each is reads all of them twice.
            # (The client fails to decode the message where that cuts a character in two.)
            return self._ask(batch, make(self._keys, _IF_VALID, self._form))

    def _holds_no_more(
        self,
        batch: pa.Table,
        texts: Mapping[str, pa.StringArray],
        found: Mapping[str, pa.Array],
        fits: pa.BooleanArray,
    ) -> pa.BooleanArray:
        """Return which of the lines that fit hold the values found and nothing else."""
        compact = [pc.equal(found["size"], compact_size(texts, len(fits)))]
        compact += [is_as_written(texts[key]) for key in texts if _is_double(key)]
        compact.append(pc.invert(pc.match_substring_regex(found["extras"], _LENGTHENED)))
        is_compact = _all(compact, len(fits))
        doubtful = pc.and_not(fits, is_compact)
        if not doubtful.true_count:
            return fits
        asked = {key: values.filter(doubtful) for key, values in texts.items()}
        told = self._ask(batch.filter(doubtful), _key_query(self._form))
        is_all = pc.equal(told["key_count"], value_count(asked, doubtful.true_count))
        holds = pc.and_not(is_all, told["has_trailing_comma"])
        return pc.replace_with_mask(fits, doubtful, holds)

    def _ask(self, batch: pa.Table, query: str) -> dict[str, pa.Array]:
        """Return the columns of *query*, which reads ``batch`` line by line in order."""
        self._connection.register("batch", batch)
        try:
            result = self._connection.sql(query).to_arrow_table().combine_chunks()
        finally:
            self._connection.unregister("batch")
        # Combining a column alone would copy it even where it is whole.
        return {name: result[name].chunk(0) for name in result.column_names}


@dataclass(frozen=True, slots=True)
class _Form:
    """What lines look like.

    Attributes:
        bare: Statement that gives ``line``, the JSON alone, and ``envelope``.
        fields: The object of what has no column.
        needs_time: Whether a line without a time of its own is not ours.
    """

    bare: str
    fields: str
    needs_time: bool


_BARE = _Form("select line, null as envelope from batch", "extras", needs_time=False)
_CRI = _Form(
    f"""
    select
        strpos(line, '{{') as brace_at,
        left(line, brace_at - 1) as prefix,
        case when regexp_full_match(prefix, '{_CRI_PREFIX}') then substring(line, brace_at) end
            as line,
        '"cri.time":"' || split_part(prefix, ' ', 1)
        || '","stream":"' || split_part(prefix, ' ', 2) || '"}}' as envelope
    from batch
    """,  # noqa: S608 nothing in it comes from a log
    "coalesce(left(extras, length(extras) - 1) || ',', '{') || envelope",
    needs_time=True,
)


def _plain_query(keys: list[str], attempt: str, form: _Form) -> str:
    """Return the statement for lines without a backslash or a null.

    Args:
        keys: The keys to look for.
        attempt: Template around what fails on a line that is no JSON.
        form: What the lines look like.
    """
    structure = ", ".join(f'"{key}": "JSON"' for key in keys)
    found = attempt.format(f"json_transform(line, '{{{structure}}}')")
    taken = [f'texts."{key}"' for key in keys]
    return _query(keys, found, taken, f"{_IS_OBJECT} and not contains(line, '\\')", form, [])


def _careful_query(keys: list[str], attempt: str, form: _Form) -> str:
    """Return the statement for any lines; arguments as for `_plain_query`."""
    paths = ", ".join(f"""'$."{key}"'""" for key in keys)
    found = attempt.format(f"json_extract(line, [{paths}])")
    taken = [f"texts[{index + 1}]" for index in range(len(keys))]
    strings = [
        f"json_extract_string(t{index}, '$') as s{index}"
        for index, key in enumerate(keys)
        if _is_text(key)
    ]
    return _query(keys, found, taken, _IS_OBJECT, form, strings)


# Far cheaper than `try`, which throws and catches for every line that is none.
_IF_VALID = "case when json_valid(line) then {} end"
_IS_OBJECT = "texts is not null and starts_with(line, '{')"


def _query(
    keys: list[str],
    found: str,
    taken: list[str],
    is_candidate: str,
    form: _Form,
    strings: list[str],
) -> str:
    """Return the statement: the text of the value of each key, ``fields``, and what it needs."""
    extras = [f"t{index}" for index, key in enumerate(keys) if key not in FIELDS_BY_NAME]
    pairs = [f"""'"{keys[int(text[1:])]}":' || {text}""" for text in extras]
    # Every name comes from the table of fields or has passed `is_plain_key`.
    return f"""
with

bare as ({form.bare}),

found as (
    select line, envelope, {found} as texts
    from bare
),

named as (
    select
        envelope,
        strlen(line)::integer as size,
        coalesce({is_candidate}, false) as is_candidate,
        -- As text: from JSON, a cast would turn true into 1 and "12" into 12.
        {_list(f"cast({text} as varchar) as t{index}" for index, text in enumerate(taken))}
    from found
),

rest as (
    select *, {_object(extras, pairs)} as extras
    from named
)

select * exclude (envelope), {form.fields} as fields {"".join(f", {text}" for text in strings)}
from rest
"""  # noqa: S608 as is said above


def _object(texts: list[str], pairs: list[str]) -> str:
    """Return the SQL of the object of *pairs*, NULL where none of the *texts* is there."""
    if not texts:
        return "cast(null as varchar)"
    has_any = " or ".join(f"{text} is not null" for text in texts)
    return f"case when {has_any} then '{{' || concat_ws(',', {_list(pairs)}) || '}}' end"


def _key_query(form: _Form) -> str:
    return f"""
select
    len(json_keys(line))::integer as key_count,
    regexp_matches(line, '{_TRAILING_COMMA}') as has_trailing_comma
from ({form.bare})
"""  # noqa: S608 nothing in it comes from a log


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)


def _is_double(key: str) -> bool:
    return key in FIELDS_BY_NAME and FIELDS_BY_NAME[key].duckdb == "DOUBLE"


def _is_text(key: str) -> bool:
    field = FIELDS_BY_NAME.get(key)
    return field is not None and field.duckdb == "VARCHAR" and key != "level"


def _columns(
    texts: Mapping[str, pa.StringArray], found: Mapping[str, pa.Array], *, is_careful: bool
) -> tuple[dict[str, pa.Array], list[pa.BooleanArray]]:
    """Return the columns of declared keys, and for each rule the rows that keep it."""
    columns: dict[str, pa.Array] = {}
    fits = [pc.invert(pc.match_substring_regex(found["extras"], _NO_NUMBER))]
    for index, (key, values) in enumerate(texts.items()):
        if key not in FIELDS_BY_NAME:
            continue
        if is_careful:
            values = pc.if_else(pc.equal(values, "null"), None, values)
        if is_careful and _is_text(key):
            columns[key], suits = found[f"s{index}"], is_string(values)
        else:
            columns[key], suits = converted(FIELDS_BY_NAME[key], values)
        fits.append(suits)
    if "message" in columns or "event" in columns:
        fits.append(_is_of_no_library(columns))
    if "message" in columns:
        columns["event"] = _events(columns)
    return columns, fits


def _all(rules: Iterable[pa.BooleanArray], count: int) -> pa.BooleanArray:
    """Return which rows keep all *rules*; null says that a rule has nothing against a row."""
    kept = pa.repeat(pa.scalar(True), count)
    return reduce(pc.and_, (pc.fill_null(rule, True) for rule in rules), kept)


def _events(columns: Mapping[str, pa.Array]) -> pa.StringArray:
    """Return the events' names; a message that is one stands in where there is none."""
    message = columns["message"]
    is_short = pc.less_equal(pc.binary_length(message), _LONGEST_EVENT_NAME)
    is_name = pc.and_(is_short, pc.match_substring_regex(message, _EVENT_NAME))
    named = pc.if_else(is_name, message, None)
    return pc.coalesce(columns["event"], named) if "event" in columns else named


def _is_of_no_library(columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
    """Return which rows are sure to have no meaning in `library_messages`."""
    if "event" not in columns:
        return pc.invert(_reads_like_one(columns))
    is_named = pc.fill_null(pc.invert(pc.match_substring(columns["event"], " ")), False)
    if is_named.true_count == len(is_named):
        return is_named
    return pc.or_(is_named, pc.invert(_reads_like_one(columns)))


def _reads_like_one(columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
    """Return which rows have the logger or the first word of a library's message."""
    written = [columns[name] for name in ("message", "event") if name in columns]
    text = pc.coalesce(*(pc.if_else(pc.equal(words, ""), None, words) for words in written), "")
    begins = pc.match_substring_regex(text, _FIRST_WORD)
    if "logger" not in columns:
        return begins
    logger = columns["logger"]
    has_logger = pc.fill_null(pc.not_equal(logger, ""), False)
    return pc.if_else(has_logger, pc.match_substring_regex(logger, _LIBRARY), begins)


def _any_of(words: Iterable[str], end: str) -> str:
    return f"^({'|'.join(map(re.escape, sorted(words)))})({end}|$)"


_FIRST_WORD = _any_of(FIRST_WORDS, " ")
_LIBRARY = _any_of(LIBRARIES, r"\.")
