"""The columnar parser agrees with the plain one on every line that it speaks for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.parsers.vectorised import VectorisedParser

from logkit.schema import FIELDS_BY_NAME

DECLARED = (
    "timestamp",
    "level",
    "event",
    "message",
    "logger",
    "status_code",
    "duration_ms",
    "seq",
    "user_id",
)
EXTRAS = ("extra", "note")

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ['say "hi"', "a\\b", "line\nbreak", "nan", ",}", "caf\u00e9", "\U0001f600", "x" * 70]
    ),
    st.sampled_from(["rate_limited", "info", "WARNING", "Error", "12", "true", "null", ""]),
    st.sampled_from(["Shard ID 1 has connected", "We", "Can't", "Wednesday is fine"]),
    st.sampled_from(["discord.http", "discord", "discordant", "bot.api"]),
)
TIMES = (
    "2026-03-19T14:32:01Z",
    "2026-03-19T14:32:01.5Z",
    "2026-03-19T14:32:01.123456Z",
    "2026-03-19T14:32:01.123456789Z",
    "2026-03-19T14:32:01.Z",
    "2026-03-19T14:32:01,5Z",
    "2026-03-19T14:32:01z",
    "2026-03-19T14:32:01+02:00",
    "2026-03-19T14:32:01.25-0530",
    "2026-03-19T14:32:01+02",
    "2026-03-19T14:32:01+24:00",
    "2026-03-19T14:32:01-00:00",
    "2026-03-19T14:32Z",
    "2026-03-19T14Z",
    "2026-03-19 14:32:01Z",
    "2026-03-19 14:32:01",
    "2026-03-19Z",
    "2026-03-19",
    "20260319T143201Z",
    "2026-W12-4T14:32:01Z",
    "2026-02-30T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-12-31T23:59:59.999999Z",
    "2026-03-19T23:59:60Z",
    "2026-03-19T24:00:00Z",
    "2026-3-19T14:32:01Z",
    " 2026-03-19T14:32:01Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "1582-10-10T00:00:00Z",
    "1900-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "12026-03-19T14:32:01Z",
    "1773930721",
    "",
)
SMALL_NUMBERS = (
    *("0", "-0", "7", "429", "429.0", "429.5", "1e2", "1E+2", "-1", "0.1", "23.740", "1e-7"),
    *("-0.0", "0.001", "-0.001", "1e5", "100000.0", "999999999", "1000000000"),
)
HARD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "5e-324",
    "0.30000000000000004",
    "123456789012345.12345678901234567",
    "2147483648",
    "-2147483648",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "123456789012345678901234567890",
)
times = st.sampled_from(TIMES)
numbers = st.sampled_from(SMALL_NUMBERS + HARD_NUMBERS)
raw_values = st.one_of(
    texts.map(json.dumps),
    texts.map(lambda text: json.dumps(text, ensure_ascii=False)),
    times.map(json.dumps),
    numbers,
    st.sampled_from(["true", "false", "null", "[]", "{}", '{"a": [1, 2]}', "[1,]", '{"a":NaN}']),
    st.sampled_from([r'"\ud83d"', r'"\u0000"', r'"\/"', r'"\u00e9"', '{"a":1,"a":2}', '"\t"']),
)
keys = st.sampled_from((*DECLARED, *EXTRAS, "unknown", "msg", "status"))
pairs = st.lists(st.tuples(keys, raw_values), max_size=6)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,", ":"), (",", ": ")])
endings = st.sampled_from(["}", "}", "}", " }", ",}", ", }", "", "}x", "}\r"])


suitable = {
    "timestamp": times.map(json.dumps),
    "level": st.sampled_from(['"info"', '"ERROR"', '"warn"']),
    "event": texts.map(json.dumps),
    "message": texts.map(lambda text: json.dumps(text, ensure_ascii=False)),
    "logger": texts.map(json.dumps),
    "status_code": st.integers(-5, 600).map(str),
    "duration_ms": st.floats(0, 1e9).map(repr) | st.integers(0, 10**6).map(str),
    "seq": st.integers(0, 2**70).map(str),
    "extra": numbers | texts.map(json.dumps),
}
proper_lines = st.fixed_dictionaries({}, optional=suitable).map(
    lambda pairs: ("{" + ",".join(f'"{k}":{v}' for k, v in pairs.items()) + "}").encode(
        "utf-8", "replace"
    )
)
no_objects = st.sampled_from([b"", b" ", b"[1, 2]", b"[]", b"5", b"null", b'"text"', b"Traceback:"])


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Draw one line: mostly JSON objects, with all that goes wrong in real ones."""
    comma, colon = draw(separators)
    body = comma.join(f'"{key}"{colon}{value}' for key, value in draw(pairs))
    return ("{" + body + draw(endings)).encode("utf-8", "surrogatepass").replace(b"\n", b" ")


def is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def plain_value(name: str, value: Any) -> Any:
    """Return a column's value as the plain parser gives it."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000
    return json.loads(value) if name == "fields" else value


def agree(parser: VectorisedParser, many: list[bytes], *, is_careful: bool = False) -> int:
    """Assert that *parser* hands a line back or agrees; return how many it speaks for."""
    text = pa.array([line.decode() + "\n" for line in many])
    indexes = pa.array(range(len(many)), pa.int64())
    table, others = parser.parse(text, indexes, is_careful=is_careful)
    spoken_for = table.column("source_offset").to_pylist()
    assert sorted([*others.to_pylist(), *spoken_for]) == list(range(len(many)))
    for row in table.to_pylist():
        record = JsonLinesParser(UTC).parse(many[row.pop("source_offset")])
        assert isinstance(record, Record)
        found = {name: plain_value(name, value) for name, value in row.items() if value is not None}
        expected = dict(record.columns)
        if record.fields is not None:
            expected["fields"] = json.loads(record.fields)
        assert found == expected
    return len(spoken_for)


@settings(max_examples=60, deadline=None)
@given(st.lists(lines().filter(is_utf8) | proper_lines | no_objects, min_size=1, max_size=120))
@example([b'{"user_id":555, "note":1 }', b'{"level":"info","level":"error"}', b'{"seq":1e2}'])
@example(
    ['{"message":"caf\u00e9","note":"\u4f60"}'.encode(), '{"event":"\u00e9\U0001f600"}'.encode()]
)
@example([b'{"duration_ms":1e16,"abcdefghij":1}', b'{"extra":[1e16,] , "level":"info"}'])
@example(['{"level":"\u0130nfo"}'.encode(), b'{"level":"WARN"}', b'{"level":"CRITICAL"}'])
@example([b'{"status_code":429,"unknown":null}', b'{"event": "a", "unknown": 1}', b"{}", b""])
@pytest.mark.parametrize("is_careful", [False, True], ids=["plain", "careful"])
def test_it_speaks_only_where_it_agrees(is_careful: bool, many: list[bytes]) -> None:
    """A line is either handed back or has the very columns that the plain parser gives it."""
    agree(VectorisedParser((*DECLARED, *EXTRAS)), many, is_careful=is_careful)


@pytest.mark.parametrize("name", ["timestamp", "status_code", "duration_ms", "seq"])
def test_a_value_that_is_alone_in_its_column_means_the_same(name: str) -> None:
    """What a column holds does not depend on what else the chunk has in it."""
    values = [*map(json.dumps, TIMES), *SMALL_NUMBERS, *HARD_NUMBERS, '"12"', "true", "[1]", "{}"]
    parser = VectorisedParser([name])
    usual = f'{{"{name}":%s}}' % ('"2026-03-19T14:32:01Z"' if name == "timestamp" else "7")
    for value in values:
        line = f'{{"{name}":{value}}}'.encode()
        agree(parser, [line])
        assert agree(parser, [usual.encode(), line]) >= 1


def test_it_speaks_for_our_own_events() -> None:
    """Compact and spaced lines of declared keys, extras and escapes are not handed back."""
    event = {
        "timestamp": "2026-03-19T14:32:01.123456Z",
        "level": "error",
        "event": "api_call_failed",
        "message": 'said "no"\n',
        "status_code": 429,
        "duration_ms": 23.5,
        "seq": 7,
        "user_id": "1089822914239648961",
        "extra": {"a": [1, "x"]},
        "note": None,
    }
    own = [
        json.dumps(event, separators=(",", ":")),
        json.dumps(event),
        json.dumps({"level": "info", "extra": 1.5}),
    ]
    parser = VectorisedParser((*DECLARED, *EXTRAS))
    lines = pa.array([f"{line}\n" for line in own])
    table, others = parser.parse(lines, pa.array([0, 1, 2]), is_careful=True)
    assert len(others) == 0
    assert table.num_rows == len(own)
    assert set(table.column_names) <= {*FIELDS_BY_NAME, "fields", "source_offset"}


@pytest.mark.parametrize(
    "line", [{"a": 1}, {"seq": 1}, {"seq": 1, "a": 1}, {"level": "info"}, {"message": "m"}], ids=str
)
def test_any_set_of_keys_can_be_asked_for(line: dict[str, Any]) -> None:
    """Also without a text, a number or any declared key."""
    parser = VectorisedParser(line)
    text = pa.array([f"{json.dumps(line)}\n"])
    table, others = parser.parse(text, pa.array([0]), is_careful=False)
    assert (table.num_rows, len(others)) == (1, 0)
