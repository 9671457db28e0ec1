"""Lines of the access logs of Apache and nginx, read by DuckDB column by column.

It speaks only for lines of their usual form (common, combined, and that with nginx's request time
behind), on which it agrees with the format ``access``, and hands back the rest: requests that are
none, escapes, control characters, more fields, and times that do not exist.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from logkit_analysis.parsers.columnar import read_columns

_NAME = r"[!#-\[\]-~]+"  # neither quotes nor backslashes
_DAY = r"[0-3]\d/(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/[12]\d{3}"
_TIME = rf"{_DAY}:([01]\d|2[0-3]):[0-5]\d:[0-5]\d [+-](0\d|1[0-4])[0-5]\d"
_WORD = r"[!#->@-\[\]-~]"  # in a request: neither quotes nor backslashes nor question marks
_REQUEST = rf"[A-Z][A-Z-]* {_WORD}+(\?({_WORD}|\?)*)? HTTP/[0-9.]+"
_QUOTED = r'"[^"\\\x00-\x1f\x7f-\x9f]*"'
_LINE = (
    rf'{_NAME} {_NAME} {_NAME} \[{_TIME}\] "{_REQUEST}" \d{{3}} (-|0|[1-9]\d{{0,17}})'
    rf"( {_QUOTED} {_QUOTED}( \d{{1,9}}\.\d{{3}})?)?\n"
)


def _pair(name: str, text: str) -> str:
    """Return the SQL of a pair of JSON, NULL where *text* is a hyphen, which stands for nothing."""
    return f"""case when {text} <> '-' then '"{name}":"' || {text} || '"' end"""


# The form is checked as a whole, since captures of a regular expression cost ten times as much.
_QUERY = f"""
with

checked as (
    select
        source_offset,
        regexp_full_match(line, '{_LINE}') as is_usual,
        case when is_usual then string_split(rtrim(line, chr(10)), '"') end as parts
    from batch
),

split as (
    select
        source_offset,
        is_usual,
        string_split(parts[1], ' ') as head,
        string_split(parts[2], ' ') as request,
        string_split(parts[3], ' ') as answer,
        parts,
        nullif(parts[7], '') as request_time,
        strpos(request[2], '?') as query_at
    from checked
),

named as (
    select
        source_offset,
        is_usual,
        try_strptime(head[4] || ' ' || head[5], '[%d/%b/%Y:%H:%M:%S %z]') as timestamp,
        request[1] as method,
        case when query_at > 0 then request[2][:query_at - 1] else request[2] end as endpoint,
        cast(answer[2] as integer) as status_code,
        cast(replace(request_time, '.', '') as double) as duration_ms,
        '{{' || concat_ws(
            ',',
            '"client":"' || head[1] || '"',
            {_pair("ident", "head[2]")},
            {_pair("user", "head[3]")},
            case when query_at > 0 then '"query":"' || request[2][query_at + 1:] || '"' end,
            '"protocol":"' || request[3] || '"',
            case when answer[3] <> '-' then '"bytes_sent":' || answer[3] end,
            {_pair("referer", "parts[4]")},
            {_pair("user_agent", "parts[6]")}
        ) || '}}' as fields
    from split
)

select
    source_offset,
    timestamp,
    'request_handled' as event,
    method,
    endpoint,
    status_code,
    duration_ms,
    fields,
    coalesce(is_usual and timestamp is not null, false) as is_ours
from named
"""  # noqa: S608 nothing in it comes from a log


class AccessLines:
    """Parses many lines at once; an instance belongs to one thread."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        self._connection.execute("set timezone = 'UTC'")

    def parse(self, lines: pa.StringArray, offsets: pa.Int64Array) -> tuple[pa.Table, pa.Array]:
        """Parse *lines*, valid UTF-8 each with its newline, found at *offsets*.

        Returns:
            The columns of the lines that it speaks for, and the indexes of all others.
        """
        batch = pa.table({"line": lines, "source_offset": offsets})
        return read_columns(self._connection, batch, _QUERY)
