from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers.chunk_parser import ChunkParser
from logkit_analysis.parsers.text import records, splitting
from logkit_analysis.sources.reader import Chunk, cut_at_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit_analysis.parsers.batch import Batch

WRITTEN_AT = datetime(2026, 3, 20, tzinfo=UTC)

INNER = [
    b"2026-03-19 10:00:00,123 - bot.main - INFO - ready",
    b"2026-03-19 10:00:01,5 - bot.main - ERROR - broken",
    b"Traceback (most recent call last):",
    b'  File "/srv/bot.py", line 7, in run',
    b"ValueError: no",
    b"",
    b"   ",
    b"free text",
    b'{"time":"2026-03-19T10:00:02Z","msg":"json"}',
    b'{"a":1}',
    b'{"a":',
    b"caf\xe9",
    b"2026-03-19 10:00:00,123 - bot.main - INFO - caf\xe9",
    b"\xef\xbb\xbf",
    b"with a return\r",
    b'INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200 OK',
]
TIMES = [b"2026-03-19T10:00:0%d.%dZ" % (second, tenth) for second in range(3) for tenth in (0, 9)]


def _plain(random: Random) -> bytes:
    if random.random() < 0.1:
        return random.randbytes(random.randrange(12)).replace(b"\n", b"")
    return random.choice([*INNER, *INNER[:6]])


def _cri(random: Random) -> bytes:
    tag = b"P" if random.random() < 0.2 else b"F"
    stream = random.choice([b"stdout", b"stderr"])
    return b"%s %s %s %s" % (random.choice(TIMES), stream, tag, _plain(random))


def _syslog(random: Random) -> bytes:
    program = random.choice([b"bot", b"web"])
    return b"Mar 19 10:00:0%d host %s[7]: %s" % (random.randrange(3), program, _plain(random))


def _compose(random: Random) -> bytes:
    return b"%s  | %s" % (random.choice([b"bot-1", b"web-1"]), _plain(random))


STREAMS = {
    "python-dash": _plain,
    "json+uvicorn": _plain,
    "python-dash+uvicorn": _plain,
    "cri:python-dash": _cri,
    "cri:json": _cri,
    "syslog:python-dash": _syslog,
    "docker:python-dash": _compose,
}
PARSERS = {name: ChunkParser(UTC, only_format=name) for name in STREAMS}

any_stream = pytest.mark.parametrize("name", STREAMS)
randoms = st.integers(0, 2**32).map(Random)


def _log(name: str, random: Random) -> list[bytes]:
    """Return the lines of a log, most of which come the way they should."""
    line = STREAMS[name]
    count = random.randrange(40)
    return [_plain(random) if random.random() < 0.03 else line(random) for _ in range(count)]


def _outcome(batches: Iterable[Batch]) -> tuple[list[dict[str, Any]], list[tuple[int, str, bytes]]]:
    """Return all rows and rejects in the order of their offsets."""
    rows, rejects = [], []
    for batch in batches:
        for table in batch.tables:
            rows += [
                {key: value for key, value in row.items() if value is not None}
                for row in table.to_pylist()
            ]
        rejects += [(line.offset, line.reason, line.raw) for line in batch.rejects]
    return sorted(rows, key=lambda row: int(row["source_offset"])), sorted(rejects)


def _chunks(lines: list[bytes], random: Random) -> Iterator[Chunk]:
    start, data = 0, b""
    for line in lines:
        data += line + b"\n"
        if random.random() < 0.4:
            yield Chunk(data, start)
            start, data = start + len(data), b""
    if data:
        yield Chunk(data, start)


def _parse(name: str, chunk: Chunk) -> Batch:
    return PARSERS[name].parse(chunk.data, chunk.start, written_at=WRITTEN_AT)


@pytest.fixture(params=[None, 120, 700], ids=["usual", "short records", "long records"])
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set bounds so narrow that short logs meet them, too."""
    if request.param:
        monkeypatch.setattr(records, "RECORD_BYTES", request.param)
        monkeypatch.setattr(splitting, "RECORD_BYTES", request.param)
        monkeypatch.setattr(splitting, "GAP_BYTES", 60)
        for parser in PARSERS.values():
            monkeypatch.setattr(parser._lines, "max_line_bytes", 70)


@any_stream
@pytest.mark.usefixtures("bounds")
class TestAnyChunks:
    """What holds however a log is cut into chunks."""

    @settings(deadline=None)
    @given(random=randoms)
    def test_the_same_events_however_a_log_is_cut(self, name: str, random: Random) -> None:
        """Chunk borders change nothing: the events, the rejects and their places are the same."""
        lines = _log(name, random)
        whole = Chunk(b"".join(line + b"\n" for line in lines), 0)
        cut = cut_at_records(_chunks(lines, random), lambda data: PARSERS[name].settled(data, name))
        assert _outcome(_parse(name, part) for part in cut) == _outcome([_parse(name, whole)])

    @settings(deadline=None)
    @given(random=randoms)
    def test_every_line_ends_in_exactly_one_place(self, name: str, random: Random) -> None:
        """No line is lost, split or kept twice, whatever it holds."""
        lines = _log(name, random)
        data = b"".join(line + b"\n" for line in lines)
        found: Counter[bytes] = Counter()

        def take(outcome: records.Outcome) -> None:
            if isinstance(outcome, records.TextRecord):
                found.update(outcome.raws)
            else:
                found.update(outcome.raw.split(b"\n"))

        PARSERS[name]._text(name)._splitter.split(data, 0, take)
        assert found == Counter(lines)


@any_stream
@settings(deadline=None)
@given(random=randoms)
def test_what_is_left_out_is_named(name: str, random: Random) -> None:
    """A chunk whose last record may go on is parsed up to it, and says so."""
    data = b"".join(line + b"\n" for line in _log(name, random))
    batch = PARSERS[name].parse(data, 0, is_last=False, written_at=WRITTEN_AT)
    rest = Chunk(data[batch.consumed :], batch.consumed)
    assert _outcome([batch, _parse(name, rest)]) == _outcome([_parse(name, Chunk(data, 0))])
