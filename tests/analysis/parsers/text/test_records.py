from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.text.tracebacks import find_trace, read_trace

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "2026-03-19 10:00:00,123 - bot - ERROR - failed: here\n"
TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/bot.py", line 7, in run
    raise ValueError(
    ^^^^^^^^^^^^^^^^^
ValueError: no such user"""
CHAINED = f"""\
{TRACEBACK}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/bot.py", line 9, in main
    run()
discord.app_commands.errors.CommandInvokeError: Command 'x' raised: ValueError: no
such user"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/bot.py", line 7, in run
  |     raise ExceptionGroup("two", errors)
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------"""
JAVA = """\
java.io.IOException: Broken pipe
\tat sun.nio.ch.FileDispatcherImpl.write0(Native Method)
Caused by: java.lang.Error: x
\t... 2 more"""


@pytest.mark.parametrize(
    ("trace", "error_type", "error_message"),
    [
        (TRACEBACK, "ValueError", "no such user"),
        (
            CHAINED,
            "discord.app_commands.errors.CommandInvokeError",
            "Command 'x' raised: ValueError: no\nsuch user",
        ),
        (TRACEBACK[: TRACEBACK.index("ValueError:")] + "SystemExit", "SystemExit", None),
        (JAVA, "java.io.IOException", "Broken pipe"),
    ],
    ids=["one", "chained, of two lines", "without text", "Java"],
)  # fmt: skip
def test_a_stack_trace(
    read: Callable[..., Any], trace: str, error_type: str, error_message: str | None
) -> None:
    """The exception raised last names the error; the trace is kept whole, the message too."""
    (event,) = read(HEAD + trace + "\n").events
    assert (event["error_type"], event.get("error_message")) == (error_type, error_message)
    assert (event["message"], event["error_stack"]) == ("failed: here", trace)


def test_an_exception_group() -> None:
    """A group is the error, its parts are in the stack."""
    lines = GROUP.split("\n")
    assert find_trace(lines) == 0
    assert read_trace(lines).error_type == "ExceptionGroup"


def test_a_stack_without_exception(read: Callable[..., Any]) -> None:
    """A stack that no exception ends is a stack alone."""
    stack = "\n".join(TRACEBACK.split("\n")[:2])
    (event,) = read(HEAD + stack + "\n").events
    assert event["error_stack"] == stack
    assert "error_type" not in event


def test_lines_that_are_no_trace_belong_to_the_message(read: Callable[..., Any]) -> None:
    """Free text, blank lines and JSON without a time continue a message, exactly."""
    log = HEAD + "answer:\n\n  {\n" + '{"ok": false}\n' + "\n" + HEAD
    first, second = read(log).events
    assert first["message"] == 'failed: here\nanswer:\n\n  {\n{"ok": false}\n'
    assert second["message"] == "failed: here"


def test_text_before_a_trace_is_message(read: Callable[..., Any]) -> None:
    """What comes before the trace is text, what comes after belongs to the error."""
    (event,) = read(HEAD + "while serving 7\n" + TRACEBACK + "\nsee the wiki\n").events
    assert event["message"] == "failed: here\nwhile serving 7"
    assert event["error_message"] == "no such user\nsee the wiki"
    assert event["error_stack"] == TRACEBACK + "\nsee the wiki"


def test_json_between_text_is_an_event_of_its_own(read: Callable[..., Any]) -> None:
    """A JSON object with a time begins a record, whatever the log's format is."""
    log = HEAD * 20 + '{"time":"2026-03-19T10:00:01Z","msg":"all good"}\n' + TRACEBACK + "\n"
    found = read(log)
    assert found.events[20] == {"timestamp": "2026-03-19T10:00:01Z", "message": "all good"}
    assert [reason for reason, _ in found.rejects] == ["no_format: python-dash"] * 5


def test_what_comes_before_the_first_record(read: Callable[..., Any]) -> None:
    """Lines that continue nothing are quarantined, each whole."""
    found = read("  and then\n\nbanner\n" + HEAD * 20)
    assert found.rejects == [
        ("no_format: python-dash", b"  and then"),
        ("empty_line", b""),
        ("no_format: python-dash", b"banner"),
    ]
    assert len(found.events) == 20


def test_broken_utf8(read: Callable[..., Any]) -> None:
    """A broken line alone is quarantined; with a broken first line, its record is."""
    broken = HEAD.replace("here", "h\ufffdre").encode().replace("\ufffd".encode(), b"\xe9")
    log = HEAD.encode() * 3 + b"  caf\xe9\n  more\n" + broken + b"  text\n"
    found = read(log, only_format="python-dash")
    assert found.events[2]["message"] == "failed: here\n  more"
    reasons = {reason.partition(":")[0] for reason, _ in found.rejects}
    assert reasons == {"invalid_utf8"}
    assert [raw for _, raw in found.rejects] == [b"  caf\xe9", broken + b"  text"]


def test_a_line_that_is_too_long(read: Callable[..., Any]) -> None:
    """It is quarantined whole, and the record around it goes on."""
    lines = HEAD + TRACEBACK.replace("\n", "\n" + "x" * 200 + "\n", 1) + "\n"
    found = read(lines, only_format="python-dash", max_line_bytes=100)
    assert [event["error_type"] for event in found.events] == ["ValueError"]
    assert found.rejects == [("line_too_long: 200 bytes, at most 100 are read", b"x" * 200)]


def test_a_record_without_end(read: Callable[..., Any]) -> None:
    """A record takes a megabyte of lines; what follows is quarantined line by line."""
    line = "x" * 1023 + "\n"
    found = read(HEAD * 3 + line * 2000, only_format="python")
    assert len(found.events[2]["message"]) + len(found.rejects) * len(line) == pytest.approx(
        len("failed: here") + 2000 * len(line)
    )
    assert 1_047_000 < len(found.events[2]["message"]) < 1_049_000


def test_windows_line_ends_and_a_byte_order_mark(read: Callable[..., Any]) -> None:
    """Neither is part of a message."""
    found = read("\ufeff" + HEAD.replace("\n", "\r\n") + "more\r\n")
    assert [event["message"] for event in found.events] == ["failed: here\nmore"]


class TestTransports:
    """Lines of several programs or streams, one among the other."""

    CRI = "2026-03-19T10:00:00.%dZ %s %s %s\n"

    def test_streams_do_not_mix(self, read: Callable[..., Any]) -> None:
        """A record goes on over lines of the other stream."""
        log = "".join(
            self.CRI % (tenth, stream, "F", text)
            for tenth, (stream, text) in enumerate(
                [
                    ("stderr", HEAD.strip()),
                    ("stdout", "tick"),
                    ("stderr", "Traceback (most recent call last):"),
                    ("stdout", "tock"),
                    ("stderr", "ValueError: no"),
                ]
            )
        )
        events = {event["message"]: event for event in read(log, only_format="cri:python").events}
        assert events["failed: here"]["error_message"] == "no"
        assert {"tick", "tock"} < events.keys()

    def test_parts_of_a_line_are_joined(self, read: Callable[..., Any]) -> None:
        """A long line comes in parts; JSON inside is read when it is whole."""
        log = (
            self.CRI % (1, "stdout", "P", '{"time":"2026-03-19T10:00:01Z",')
            + self.CRI % (2, "stderr", "F", "between")
            + self.CRI % (3, "stdout", "P", '"msg":"all')
            + self.CRI % (4, "stdout", "F", ' set"}')
        )
        found = read(log, only_format="cri:json").events
        assert [event["message"] for event in found] == ["all set", "between"]
        assert found[0]["cri.time"] == "2026-03-19T10:00:00.1Z"

    def test_parts_whose_rest_never_comes(self, read: Callable[..., Any]) -> None:
        """They are quarantined together, as they stand."""
        log = self.CRI % (1, "stdout", "P", "a") + self.CRI % (2, "stdout", "P", "b")
        assert read(log, only_format="cri").rejects == [
            ("partial_line: the rest of it never came", log.strip().encode())
        ]

    def test_a_line_of_ten_megabytes(self, read: Callable[..., Any]) -> None:
        """It is put together, but nothing waits for ever for its end."""
        parts = [self.CRI % (1, "stdout", "P", "x" * 16_000)] * 650
        whole = "".join([*parts, self.CRI % (2, "stdout", "F", "")])
        (event,) = read(whole, only_format="cri").events
        assert len(event["message"]) == 650 * 16_000
        begun = "".join(parts[:500]).encode()
        assert ChunkParser(UTC).settled(begun, "cri") == 0
        parser = ChunkParser(UTC, max_line_bytes=1_000_000)
        assert parser.settled(begun, "cri") == len(begun)

    def test_parts_that_make_too_long_a_line(self, read: Callable[..., Any]) -> None:
        """All of them are quarantined, as they stand, and nothing else is."""
        parts = [self.CRI % (1, "stdout", "P", "x" * 40)] * 3
        whole = "".join([*parts, self.CRI % (2, "stdout", "F", "end")])
        after = self.CRI % (3, "stdout", "F", "next")
        found = read(whole + after, only_format="cri", max_line_bytes=100)
        assert [event["message"] for event in found.events] == ["next"]
        assert found.rejects == [
            ("line_too_long: 123 bytes, at most 100 are read", whole.strip().encode())
        ]

    def test_parts_of_docker(self, read: Callable[..., Any]) -> None:
        """Docker marks the last part by its newline."""
        parts = '{"log":"%s","stream":"stdout","time":"2026-03-19T10:00:00Z"}\n'
        found = read(parts % "all " + parts % "set\\n" + parts % "next one\\n").events
        assert [event["message"] for event in found] == ["all set", "next one"]

    def test_records_end_with_time(self, read: Callable[..., Any]) -> None:
        """A line a second later continues nothing."""
        log = (
            self.CRI % (1, "stderr", "F", HEAD.strip())
            + "2026-03-19T10:00:02.0Z stderr F   indented\n"
        )
        found = read(log, only_format="cri:python").events
        assert [event["message"] for event in found] == ["failed: here", "  indented"]

    def test_traceback_in_journald(self, read: Callable[..., Any]) -> None:
        """What a service printed to the journal is one record again."""
        entry = (
            '{"MESSAGE":%s,"__REALTIME_TIMESTAMP":"1773914400123000","_PID":"7",'
            '"SYSLOG_IDENTIFIER":"bot"}\n'
        )
        texts = [HEAD.strip(), *TRACEBACK.split("\n")]
        quoted = ['"' + text.replace('"', '\\"') + '"' for text in texts]
        (event,) = read("".join(entry % text for text in quoted)).events
        assert (event["error_type"], event["service"], event["pid"]) == ("ValueError", "bot", 7)

    def test_a_message_that_is_no_text(self, read: Callable[..., Any]) -> None:
        """The journal writes bytes as numbers."""
        entry = '{"MESSAGE":[104,105],"__REALTIME_TIMESTAMP":"1773914400123000"}\n'
        assert [event["message"] for event in read(entry).events] == ["hi"]
