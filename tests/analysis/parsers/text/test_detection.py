from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.text.formats import FORMATS
from logkit_analysis.parsers.text.layout import UnknownFormatError
from logkit_analysis.parsers.text.transports import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON = "2026-03-19 10:00:00,123 - bot.main - INFO - all set\n"
UVICORN = 'INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200 OK\n'
ACCESS = '127.0.0.1 - - [19/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12\n'
LOGFMT = 'level=info msg="all set" ts=2026-03-19T10:00:00Z\n'
JSON = '{"timestamp":"2026-03-19T10:00:00Z","message":"all set"}\n'
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: x\n'
SYSLOG = "Mar 19 10:00:00 host bot[7]: %s"
CRI = "2026-03-19T10:00:00.123456789Z stdout F "


def _name(log: str) -> str | None:
    return ChunkParser(UTC).choose(log.encode()).name


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (JSON * 20, "json"),
        (PYTHON * 20, "python-dash"),
        ((PYTHON + TRACE) * 20, "python-dash"),
        ("starting\n\n" + PYTHON * 20, "python-dash"),
        (UVICORN * 4 + PYTHON * 20, "python-dash+uvicorn"),
        (JSON * 20 + UVICORN * 5, "json+uvicorn"),
        (JSON * 20 + UVICORN * 2, "json"),
        (JSON * 200 + UVICORN * 5, "json"),
        (JSON * 20 + TRACE * 3, "json"),
        ("2026-03-19 10:00:00,1 [INFO] bot: a\n" * 9, "discord"),
        ("2026-03-19 10:00:00,1 [INFO] step 7: a\n" * 9, "python-bracket"),
        ((CRI + PYTHON) * 20, "cri:python-dash"),
        ((CRI + JSON) * 20, "cri:json"),
        ((CRI + "text\n") * 20, "cri"),
        (SYSLOG % PYTHON + SYSLOG % "x\n", "syslog:python-dash"),
        ("Mar 19 10:00:00 host cron[7]: x\n" * 20, "syslog"),
        ("2026-03-19T10:00:00Z INFO bot.main: ready\n" * 9, "python-spaced"),
        ("2026-03-19T10:00:00Z host bot.main[7]: ready\n" * 9, "syslog"),
        ("2026-03-19T10:00:00.123456789Z " + PYTHON, "docker:python-dash"),
        (JSON + PYTHON, "json+python-dash"),
        (JSON + PYTHON + UVICORN + LOGFMT + ACCESS, "json+python-dash+uvicorn+access+logfmt"),
        (JSON * 4 + "INFO: no\n", "json"),
        ("0|bot  | ready\n1|work | " + JSON + "0|bot  | " + PYTHON, "pm2:json+python-dash"),
        ("0|bot  | 2026-03-19T10:00:00: ready\n" * 2, "pm2"),
        ("2026-03-19T10:00:00: " + JSON, "pm2:json"),
        ("2026-03-19T10:00:00: ready\n", "timed"),
        ("19.03.2026 10:00:00 INFO ready\n", "python-plain"),
        ("19/Mar/2026 10:00:00,123 - bot.main - INFO - ready\n", "python-dash"),
        ("03/04/2026 10:00:00 INFO ready\n", None),
        ("", None),
        ("\n\n", None),
        ("what is this\n" * 20, None),
        ("a=1 and b=2, so c\n" * 20, None),
        (PYTHON + "what is this\n" * 20, None),
    ],
)  # fmt: skip
def test_a_log_is_told_by_its_content(log: str, expected: str | None) -> None:
    """The format is found among dirt, beside others and inside transports, or none is."""
    assert _name(log) == expected


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_samples_are_told(known: Any) -> None:
    """Many lines like a format's first sample are of that format."""
    assert _name((known.samples[0] + "\n") * 9) in (
        known.name,
        "discord",
        "python-name-first",
    )


@pytest.mark.parametrize("known", TRANSPORTS, ids=lambda known: known.name)
def test_samples_of_transports_are_told(known: Any) -> None:
    """Many lines like a transport's first sample came by it."""
    name = _name((known.samples[0].decode() + "\n") * 9)
    assert name
    assert name.partition(":")[0] == known.name


def test_the_middle_of_a_log_counts() -> None:
    """A format that comes in later is found, too."""
    log = PYTHON * 20_000 + UVICORN * 20_000
    assert _name(log) == "python-dash+uvicorn"


def test_a_log_of_long_stack_traces_is_told() -> None:
    """Hundreds of frames to each line that begins a record are no sign of another format."""
    frames = "".join(f"\tat org.example.Deep.call{n}(Deep.java:{n})\n" for n in range(300))
    log = "".join(
        f"2026-03-19 12:00:{n:02},000 - bot - ERROR - failed\n"
        f"java.lang.StackOverflowError: null\n{frames}"
        for n in range(10)
    )
    assert ChunkParser(UTC).choose(log.encode()).name == "python-dash"


def test_how_sure(read: Callable[..., Any]) -> None:
    """It is said how many of the lines that should begin a record do."""
    choice = read((PYTHON + TRACE) * 3 + "free text\n").choice
    assert (choice.match_count, choice.line_count) == (3, 4)
    assert choice.described() == "read as python-dash (75% sure: 3 of 4 sampled lines)"


def test_text_that_came_into_a_json_log(read: Callable[..., Any]) -> None:
    """Where many lines are rejected, their format is looked for and added."""
    found = read(JSON * 500 + UVICORN * 60)
    assert found.choice.name == "json+uvicorn"
    assert (len(found.events), found.rejects) == (560, [])


def test_a_wrong_guess_loses_nothing(read: Callable[..., Any]) -> None:
    """Lines of another format than was asked for are quarantined, whole."""
    found = read(PYTHON * 2 + JSON, only_format="apache")
    assert [event["message"] for event in found.events] == ["all set"]
    assert found.rejects == [("no_format: access", PYTHON.strip().encode())] * 2


def test_text_of_no_known_format_is_not_called_broken_json(read: Callable[..., Any]) -> None:
    """The reason says what is true of the line; what begins as an object is broken JSON."""
    reasons = [reason for reason, _ in read('what is this\n17 apples\n{"a":\n').rejects]
    none = "no_format: neither JSON nor a text format that we know"
    assert reasons[:2] == [none, none]
    assert reasons[2].startswith("invalid_json")


def test_a_stretch_of_json_in_a_mixed_log_is_read_as_json() -> None:
    """It is read as fast as a log of JSON alone, and what is broken in it is broken JSON."""
    chunk = (JSON * 3 + '{"broken\n' + JSON).encode()
    batch = ChunkParser(UTC).parse(chunk, 0, format_name="json+python-dash")
    assert batch.row_count == 4
    assert [line.reason.partition(":")[0] for line in batch.rejects] == ["invalid_json"]


def test_a_line_by_pm2(read: Callable[..., Any]) -> None:
    """The process is the service; its time counts where the line has none."""
    found = read("0|bot  | 2026-03-19T10:00:00: ready\n1|worker | " + JSON)
    assert [event["service"] for event in found.events] == ["bot", "worker"]
    assert [event["message"] for event in found.events] == ["ready", "all set"]
    assert len({event["timestamp"] for event in found.events}) == 1


def test_an_unknown_name() -> None:
    """A name that nothing has is named, with the nearest that is."""
    with pytest.raises(UnknownFormatError, match="'pyton'; did you mean 'python'"):
        ChunkParser(UTC, only_format="pyton")


def test_a_format_that_is_gone_is_looked_for_again() -> None:
    """A stream whose own format left the settings is told by its content again."""
    batch = ChunkParser(UTC).parse(PYTHON.encode() * 3, 0, format_name="mine")
    assert batch.choice is not None
    assert batch.choice.name == "python-dash"
