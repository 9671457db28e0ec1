"""Doubtful JSON is an event with its exact values, or a reject with a reason; never both."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.parsers.loading import Reject

Read = Callable[[bytes | str | dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b'{"a":18446744073709551615}', {"a": 2**64 - 1}),
        (b'{"a":18446744073709551616}', {"a": 2**64}),
        (b'{"a":-9223372036854775808}', {"a": -(2**63)}),
        (b'{"a":-9223372036854775809}', {"a": -(2**63) - 1}),
        (b'{"a":[123456789012345678901234567890]}', {"a": [123456789012345678901234567890]}),
        (b'{"a":' + b"9" * 5000 + b"}", {"a": "9" * 5000}),
        (b'{"a":"123456789012345678901234567890"}', {"a": "123456789012345678901234567890"}),
        (b'{"a":NaN,"b":Infinity,"c":-Infinity}', {"a": "NaN", "b": "Infinity", "c": "-Infinity"}),
        (b'{"a":1e400,"b":-1e400}', {"a": "1e400", "b": "-1e400"}),
        (b'{"a":1e308}', {"a": 1e308}),
        (b'{"a":"x\\ud800y"}', {"a": "x\\ud800y"}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"\\udfff":["\\ud800"]}', {"\\udfff": ["\\ud800"]}),
        (b'{"a":"\\u0000"}', {"a": "\0"}),
        (b'{"":1," ":2,"a.b":3,"\\"":4}', {"": 1, " ": 2, "a.b": 3, '"': 4}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":1}\r', {"a": 1}),
        (b' \t{"a":1} ', {"a": 1}),
        (b"{}", {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_doubtful_object_keeps_its_values(line: bytes, fields: Any, read: Read) -> None:
    """Integers of any size are exact; what JSON cannot carry becomes its text."""
    assert read(line) == ({}, fields)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty_line"),
        (b"\r", "empty_line"),
        (b" \t", "empty_line"),
        (b"[1,2]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"17", "not_an_object"),
        (b"null", "not_an_object"),
        (b"NaN", "not_an_object"),
        (b'{"a":1', "invalid_json: "),
        (b'{"a":1,}', "invalid_json: "),
        (b'{"a":1}{"b":2}', "invalid_json: "),
        (b"{'a':1}", "invalid_json: "),
        (b'{"a":01}', "invalid_json: "),
        (b'{"a":"\t"}', "invalid_json: "),
        (b"Traceback (most recent call last):", "invalid_json: "),
        (b'{"a":"\xff"}', "invalid_utf8: invalid start byte at byte 6"),
        (b'{"a":"\xed\xa0\x80"}', "invalid_utf8: "),
        (b"\x00\x00\x00", "invalid_json: "),
        (b"[" * 100_000, "nested_too_deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested_too_deep"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_object_says_why(line: bytes, reason: str) -> None:
    """The reason begins with its kind, and tells the place where there is one."""
    outcome = JsonLinesParser(UTC).parse(line)
    assert isinstance(outcome, Reject)
    assert outcome.reason.startswith(reason)


def _nested(depth: int, core: str) -> dict[str, bytes]:
    deep_list = "[" * depth + core + "]" * depth
    deep_object = '{"a":' * depth + core + "}" * depth
    docker = json.dumps({"log": f'{{"a":{deep_list}}}', "stream": "out", "time": 1})
    return {
        "list": f'{{"a":{deep_list}}}'.encode(),
        "object": f'{{"a":{deep_object}}}'.encode(),
        "message": f'{{"message":{deep_list}}}'.encode(),
        "ECS root": f'{{"@timestamp":1,"error":{deep_object}}}'.encode(),
        "pino root": f'{{"level":30,"time":1,"msg":"m","err":{deep_object}}}'.encode(),
        "loguru record": f'{{"text":"","record":{{"extra":{deep_object}}}}}'.encode(),
        "docker": docker.encode(),
    }


@pytest.mark.parametrize("core", ["1", r'"\ud800"', "1e400"], ids=["plain", "surrogate", "huge"])
@pytest.mark.parametrize("depth", [10, 253, 254, 255, 480, 900, 1000, 1024, 3000])
def test_no_depth_breaks_the_parser_or_the_store(depth: int, core: str) -> None:
    """Each is an event whose fields DuckDB takes as JSON, or a reject that says what it is."""
    for where, line in _nested(depth, core).items():
        outcome = JsonLinesParser(UTC).parse(line)
        if isinstance(outcome, Reject):
            assert depth > 250, where
            assert outcome.reason == "nested_too_deep"
        elif outcome.fields is not None:
            assert _is_json_to_duckdb(outcome.fields), where


def _is_json_to_duckdb(fields: bytes) -> bool:
    # The cast is what the store's column does; it raises on what is no JSON to DuckDB.
    rows = duckdb.execute("select cast($1 as json) is not null", [fields.decode()]).fetchall()
    return bool(rows[0][0])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(exclude_categories=())),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
known_keys = st.sampled_from(
    [
        *("timestamp", "@timestamp", "time", "ts", "asctime", "level", "levelno", "name", "msg"),
        *("log", "stream", "record", "text", "err", "error", "event", "duration", "elapsed"),
        *("retry_after", "retry_after_ms", "status", "pid", "hostname", "user_id", "fields"),
    ]
)


@given(st.dictionaries(known_keys | st.text(), json_values))
def test_any_object_is_an_event_that_the_store_takes(value: dict[str, Any]) -> None:
    """Whatever a key holds, the parser gives columns of the right types and valid JSON."""
    line = json.dumps(value).encode()
    outcome = JsonLinesParser(UTC).parse(line)
    assert isinstance(outcome, Record)
    if outcome.fields is not None:
        assert _is_json_to_duckdb(outcome.fields)
    for column in outcome.columns.values():
        assert isinstance(column, str | int | float)
        assert column not in (float("inf"), float("-inf"))
        assert column == column, "NaN"


@given(st.binary(max_size=300))
def test_any_bytes_become_a_record_or_a_reject(line: bytes) -> None:
    """No input makes the parser raise."""
    assert isinstance(JsonLinesParser(UTC).parse(line), Record | Reject)


@given(st.dictionaries(known_keys | st.text(), json_values), st.integers(0, 60), st.binary())
def test_a_broken_object_becomes_a_record_or_a_reject(
    value: dict[str, Any], place: int, noise: bytes
) -> None:
    """Nor does an object that was damaged on the way."""
    line = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    damaged = line[:place] + noise + line[place + len(noise) :]
    assert isinstance(JsonLinesParser(UTC).parse(damaged), Record | Reject)


MANY_DIGITS = "9" * 5_000
CLOSED = f"Websocket closed with {MANY_DIGITS}, cannot reconnect."
JOURNALD = {"__REALTIME_TIMESTAMP": "1773914400000000", "MESSAGE": "ready"}
DOCKER = {"log": "ready\n", "stream": "stdout", "time": "2026-03-19T10:00:00.1Z"}


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({**JOURNALD, "MESSAGE": [72.0, 105]}),
        json.dumps({**JOURNALD, "_PID": [7], "SYSLOG_IDENTIFIER": {"a": 1}}),
        json.dumps({**DOCKER, "level": ["info"], "stream": {"a": 1}}),
        f"Mar 19 10:00:00 host bot[{MANY_DIGITS}]: ready",
        f"<165>1 2026-03-19T10:00:00.123Z host bot {MANY_DIGITS} - - ready",
        f"2026-03-19 10:00:00 [INFO] discord.gateway: {CLOSED}",
    ],
    ids=["journald_bytes", "journald_channel", "docker_level", "syslog", "syslog_5424", "discord"],
)
def test_a_log_of_odd_values_is_read_to_its_end(line: str) -> None:
    """A value of an unexpected type or length is kept as it is, and every line is an event."""
    batch = ChunkParser(UTC).parse(f"{line}\n".encode() * 3, 0)
    assert (batch.row_count, batch.rejects) == (3, [])
