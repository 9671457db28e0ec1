"""Files into the store: every line once, at its offset, whatever happens between two runs."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record
from logkit_analysis.sources.discovery import PathUnusableError

if TYPE_CHECKING:
    from tests.analysis.conftest import Store


def _lines(first: int, last: int) -> bytes:
    """Return events with ``seq`` from *first* to *last*, both inclusive."""
    return b"".join(
        b'{"timestamp":"2026-03-19T12:00:00Z","level":"info","event":"tick","seq":%d}\n' % seq
        for seq in range(first, last + 1)
    )


def _seqs(store: Store) -> list[int]:
    return [seq for (seq,) in store.rows("select seq from events order by source_id, seq")]


def _assert_positions_are_unique(store: Store) -> None:
    doubled = "select 1 from events group by source_id, source_offset having count(*) > 1"
    assert store.rows(doubled) == []


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of ten events that nobody has read."""
    path = tmp_path / "app.log"
    path.write_bytes(_lines(0, 9))
    return path


# What one line may be. No beginning of it is an object, so that a run may end anywhere in it.
line_texts = st.one_of(
    st.builds(
        lambda value: json.dumps(value).encode(),
        st.dictionaries(
            st.sampled_from(["level", "msg", "status", "a", "fields"]),
            st.integers() | st.text(max_size=5) | st.none() | st.booleans(),
            max_size=3,
        ),
    ),
    st.binary(max_size=10).map(lambda noise: b"x" + noise.replace(b"\n", b"")),
    st.sampled_from([b"", b"\r", b'{"a":1}\r', b"[1]", b'{"a":"\xff"}', b'\xef\xbb\xbf{"b":2}']),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(line_texts, max_size=8), st.lists(st.integers(0, 200), max_size=3))
@example([b'{"a":1}\r', b'{"a":2}'], [7, 8])
@example([b'{"a":1}', b'{"a":2}'], [7, 8])
def test_every_line_ends_in_exactly_one_table(lines: list[bytes], cuts: list[int]) -> None:
    """However the file grows between runs: right offset, right meaning, rejects whole."""
    from tests.analysis.conftest import Store

    data = b"".join(line + b"\n" for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        store, log = Store(Path(folder) / "a.duckdb"), Path(folder) / "app.log"
        for end in [*sorted(cuts), len(data)]:
            log.write_bytes(data[:end])
            store.ingest(log)
        events = store.rows("select source_offset, level, message, status_code, fields from events")
        rejects = store.rows("select source_offset, raw from quarantine")

    expected_events, expected_rejects = _read_plainly(lines)
    assert sorted(rejects) == expected_rejects
    assert {row[0]: _event(*row[1:]) for row in events} == expected_events
    assert len(events) == len(expected_events)


def _event(level: str | None, message: str | None, status: int | None, fields: str | None) -> Any:
    return level, message, status, json.loads(fields or "{}")


def _read_plainly(lines: list[bytes]) -> tuple[dict[int, Any], list[tuple[int, bytes]]]:
    """Return events and rejects by offset, the slow and obvious way."""
    events: dict[int, Any] = {}
    rejects: list[tuple[int, bytes]] = []
    offset = 0
    for line in lines:
        outcome = JsonLinesParser(UTC).parse(line)
        if isinstance(outcome, Record):
            columns = (outcome.columns.get(name) for name in ("level", "message", "status_code"))
            events[offset] = (*columns, json.loads(outcome.fields or b"{}"))
        else:
            rejects.append((offset, line))
        offset += len(line) + 1
    return events, rejects


def test_a_second_run_reads_nothing(store: Store, log: Path) -> None:
    """Nor does a third, nor one of the same file by another name."""
    (log.parent / "link.log").symlink_to(log)
    assert store.ingest(log).rows == 10
    for path in (log, log, log.parent, log.parent / "link.log"):
        report = store.ingest(path)
        assert (report.rows, report.rejects.total(), report.bytes) == (0, 0, 0)
    assert _seqs(store) == [*range(10)]


def test_a_grown_file_gives_what_is_new(store: Store, log: Path) -> None:
    """Offsets go on where they stopped."""
    store.ingest(log)
    with log.open("ab") as file:
        file.write(_lines(10, 14))
    assert store.ingest(log).rows == 5
    assert _seqs(store) == [*range(15)]
    line_bytes = len(_lines(0, 0))
    offsets = store.rows("select source_offset from events order by seq")
    assert [offset for (offset,) in offsets[:10]] == [n * line_bytes for n in range(10)]
    assert store.rows("select distinct source_file, source_id from events") == [(str(log), 1)]


@pytest.mark.parametrize("count", [3, 100], ids=["a short file", "a file longer than its head"])
def test_a_renamed_file_is_not_read_again(store: Store, log: Path, count: int) -> None:
    """Rotation by rename and create: the tail of the old file and the whole of the new one."""
    log.write_bytes(_lines(0, count - 1))
    store.ingest(log)
    with log.open("ab") as file:
        file.write(_lines(count, count))
    log.rename(log.with_name("app.log.1"))
    log.write_bytes(_lines(count + 1, count + 2))
    assert store.ingest(log.parent).rows == 3
    assert store.ingest(log.parent).rows == 0
    assert sorted(_seqs(store)) == [*range(count + 3)]


@pytest.mark.parametrize("count", [2, 10, 500], ids=["shorter", "of the same size", "longer"])
def test_a_truncated_and_rewritten_file_is_a_new_stream(
    store: Store, log: Path, count: int
) -> None:
    """Also where it has grown past the old size before anybody looked."""
    store.ingest(log)
    log.write_bytes(_lines(1000, 999 + count))
    assert store.ingest(log).rows == count
    assert store.ingest(log).rows == 0
    assert _seqs(store) == [*range(10), *range(1000, 1000 + count)]
    assert store.rows("select count(distinct source_id) from events") == [(2,)]
    _assert_positions_are_unique(store)


def test_a_banner_proves_nothing(store: Store, log: Path) -> None:
    """A file rewritten with the same first kilobytes is still told from the old one."""
    banner = _lines(0, 40)
    log.write_bytes(banner + _lines(100, 140))
    store.ingest(log)
    log.write_bytes(banner + _lines(200, 300))
    assert store.ingest(log).rows == 41 + 101


def test_an_unfinished_line_waits_for_its_end(store: Store, log: Path) -> None:
    """It is neither an event nor a reject until its newline is there."""
    whole = _lines(10, 10)
    with log.open("ab") as file:
        file.write(whole[:30])
    report = store.ingest(log)
    assert (report.rows, report.rejects.total(), report.unfinished) == (10, 0, [str(log)])
    assert store.ingest(log).rows == 0
    with log.open("ab") as file:
        file.write(whole[30:])
    assert store.ingest(log).rows == 1
    assert _seqs(store) == [*range(11)]
    assert store.rows("select count(*) from quarantine") == [(0,)]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_an_object_at_the_end_needs_no_newline(store: Store, log: Path, newline: bytes) -> None:
    """It is taken once, and its late newline is no empty line."""
    log.write_bytes(_lines(0, 1)[:-1])
    assert store.ingest(log).rows == 2
    assert store.ingest(log).rows == 0
    with log.open("ab") as file:
        file.write(newline + _lines(2, 3))
    assert store.ingest(log).rows == 2
    assert store.ingest(log).rows == 0
    assert _seqs(store) == [0, 1, 2, 3]
    assert store.rows("select count(*) from quarantine") == [(0,)]


@pytest.mark.parametrize("unread", [0, 3])
def test_a_rotated_and_compressed_file_gives_its_tail_alone(
    store: Store, log: Path, unread: int
) -> None:
    """What was read before it was compressed is not read again."""
    log.write_bytes(_lines(0, 99))
    store.ingest(log)
    packed = log.with_name("app.log.1.gz")
    packed.write_bytes(gzip.compress(_lines(0, 99 + unread)))
    log.unlink()
    assert store.ingest(log.parent).rows == unread
    assert store.ingest(log.parent).rows == 0
    assert _seqs(store) == [*range(100 + unread)]


def test_half_a_gz_gives_its_lines_now_and_the_rest_later(store: Store, tmp_path: Path) -> None:
    """The damage is reported; once the file is whole, only the rest is new."""
    lines = [
        b'{"seq":%d,"noise":"%s"}\n' % (seq, os.urandom(30).hex().encode()) for seq in range(5000)
    ]
    packed, path = gzip.compress(b"".join(lines)), tmp_path / "app.log.gz"
    path.write_bytes(packed[: len(packed) // 2])
    first = store.ingest(path)
    assert 1000 < first.rows < 4000
    assert [name for name, _ in first.damaged] == [str(path)]
    path.write_bytes(packed)
    second = store.ingest(path)
    assert (first.rows + second.rows, second.damaged) == (5000, [])
    assert _seqs(store) == [*range(5000)]


def test_a_damaged_file_does_not_stop_the_others(store: Store, log: Path) -> None:
    """They are read, and the damage is named."""
    bad = log.with_name("a.log.gz")
    bad.write_bytes(gzip.compress(b"x")[:12])
    report = store.ingest(log.parent)
    assert (report.rows, report.files, len(report.damaged)) == (10, 2, 1)


def test_lines_of_any_length_are_kept_whole(store: Store, tmp_path: Path) -> None:
    """Ten megabytes in one event, and in one reject."""
    log = tmp_path / "long.log"
    long = b"x" * 10_000_000
    log.write_bytes(b'{"message":"%s","seq":1}\n' % long + long + b"\n" + _lines(2, 2))
    report = store.ingest(log)
    assert (report.rows, report.rejects) == (2, {"invalid_json": 1})
    assert store.rows("select strlen(message) from events where seq = 1") == [(10_000_000,)]
    assert store.rows("select octet_length(raw), source_offset from quarantine") == [
        (10_000_000, 10_000_000 + len(b'{"message":"","seq":1}\n'))
    ]


def test_a_file_name_may_be_anything(store: Store, tmp_path: Path) -> None:
    """No UTF-8, a newline, a quote: it is read once, and has a name for people."""
    for name in (b"a\xff.log", b"b\n.log", b"c'\"%s$1.log"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(_lines(0, 0))
    assert store.ingest(tmp_path).rows == 3
    assert store.ingest(tmp_path).rows == 0
    names = [Path(name).name for (name,) in store.rows("select distinct source_file from events")]
    assert sorted(names) == ["a\\xff.log", "b\n.log", "c'\"%s$1.log"]


def test_keys_named_like_the_store_s_columns_stay_in_the_fields(store: Store, log: Path) -> None:
    """The store's own columns are the store's."""
    line = {"source_id": 7, "source_offset": 1, "source_file": "x", "ingested_at": "y", "fields": 1}
    log.write_text(json.dumps(line) + "\n")
    store.ingest(log)
    rows = store.rows("select source_id, source_offset, source_file, fields from events")
    assert [(*row[:3], json.loads(row[3])) for row in rows] == [(1, 0, str(log), line)]


def test_many_lines_mean_what_each_of_them_means(store: Store, tmp_path: Path) -> None:
    """A long file is read as its lines one by one, dirty ones and other dialects among them."""
    own = [line for seq in range(4000) for line in _lines(seq, seq).splitlines()]
    odd = [
        b'{"level":30,"time":1773921600250,"pid":7,"hostname":"h","msg":"pino_line"}',
        b'{"timestamp":"2026-03-19T12:00:00","level":"WARN","status_code":"429","x":1e400}',
        b'{"seq":9223372036854775808,"event":"big","a":123456789012345678901234567890}',
        b'{"seq":1,"seq":2,"note":"twice"}',
        b'{"message":"nul \\u0000 and \\ud800","level":"error"}',
        b'{"duration_ms":NaN,"event":"nan"}',
        b'{"event":"cut',
        b"\xff\xfe",
        b"",
        b"[]",
    ]
    for place, line in enumerate(odd * 5):
        own.insert(place * 79, line)
    log = tmp_path / "mixed.log"
    log.write_bytes(b"\n".join(own) + b"\n")

    report = store.ingest(log)

    parsed = [JsonLinesParser(UTC).parse(line) for line in own]
    records = [outcome for outcome in parsed if isinstance(outcome, Record)]
    assert report.rows == len(records)
    assert report.rejects.total() == len(own) - len(records)
    columns = ("level", "event", "message", "status_code", "seq", "duration_ms")
    rows = store.rows(
        f"select epoch_us(timestamp), {', '.join(columns)}, fields from events "
        "order by source_offset"
    )
    names = ("timestamp", *columns)
    assert [(*row[:-1], json.loads(row[-1] or "{}")) for row in rows] == [
        (*map(record.columns.get, names), json.loads(record.fields or b"{}")) for record in records
    ]


def test_a_time_without_zone_is_in_the_zone_asked_for(store: Store, log: Path) -> None:
    """It is stored as an instant."""
    log.write_bytes(b'{"asctime":"2026-03-19 12:00:00,5","name":"x"}\n')
    store.ingest(log, zone=ZoneInfo("Europe/Berlin"))
    assert store.rows("select epoch_ms(timestamp) from events") == [(1_773_918_000_500,)]


def test_the_run_is_on_record(store: Store, log: Path) -> None:
    """When, how many files, rows and rejects; and what was consumed of which file."""
    with log.open("ab") as file:
        file.write(b"dirt\n")
    store.ingest(log)
    store.ingest(log)
    runs = store.rows(
        'select files, "rows", rejects, ended_at >= started_at from ingest_runs order by run_id'
    )
    assert runs == [(1, 10, 1, True), (1, 0, 0, True)]
    assert store.rows(
        "select path, start_offset, end_offset from sources join source_intervals using (source_id)"
    ) == [(str(log), 0, log.stat().st_size)]


def test_a_missing_path_leaves_nothing_behind(store: Store, log: Path) -> None:
    """Neither the other files are read nor is a database made."""
    with pytest.raises(PathUnusableError):
        store.ingest(log, log.with_name("missing.log"))
    assert list(log.parent.iterdir()) == [log]


@pytest.mark.needs_shared("reallogs/expected.json")
def test_a_real_service_s_log_agrees_with_independent_facts(store: Store, shared: Path) -> None:
    """Lines, levels, span, percentiles, requests and errors of a real LLM service."""
    name = "atticus_2025-09-27.jsonl"
    facts = json.loads((shared / "reallogs" / "expected.json").read_text())["files"][name]
    report = store.ingest(shared / "reallogs" / name)

    assert (report.rows, report.rejects.total()) == (facts["records"], 0)
    assert store.ingest(shared / "reallogs" / name).rows == 0
    levels = store.rows("select upper(level), count(*) from events group by all")
    assert dict(levels) == facts["levels"]
    (span,) = store.rows(
        "select strftime(min(timestamp), '%xT%X.%gZ'), strftime(max(timestamp), '%xT%X.%gZ') "
        "from events"
    )
    assert span == (facts["first_ts_utc"], facts["last_ts_utc"])
    events = dict(store.rows("select message, count(*) from events group by all"))
    assert facts["events_top"].items() <= events.items()
    _assert_latencies(store, facts["request_complete"])
    assert _by_design_rule(store) == facts["by_design_rule"]
    ids = "select count(distinct correlation_id), count(distinct trace_id) from events"
    assert store.rows(ids) == [(facts["distinct_request_ids"], facts["distinct_trace_ids"])]


def _assert_latencies(store: Store, facts: dict[str, Any]) -> None:
    latencies = facts["latency_ms"]
    shares = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
    quantiles = ", ".join(f"quantile_cont(duration_ms, {share})" for share in shares.values())
    (row,) = store.rows(
        f"select count(*), min(duration_ms), max(duration_ms), avg(duration_ms), {quantiles} "
        "from events where event = 'request_complete'"
    )
    assert row[0] == latencies["count"]
    assert row[1:4] == pytest.approx([latencies[name] for name in ("min", "max", "mean")])
    assert row[4:] == pytest.approx([latencies[f"{name}_linear"] for name in shares])
    statuses = store.rows(
        "select status_code::varchar, count(*) from events "
        "where event = 'request_complete' group by all"
    )
    assert dict(statuses) == facts["status_counts"]


def _by_design_rule(store: Store) -> dict[str, int]:
    names = ("requests", "errors", "server_errors", "rate_limited")
    (row,) = store.rows(
        "select count(*), "
        "count_if(status_code >= 400 and status_code <> 429 "
        "or status_code is null and level in ('error', 'critical')), "
        "count_if(status_code >= 500), count_if(status_code = 429) from events "
        "where status_code is not null "
        "or duration_ms is not null and coalesce(endpoint, command) is not null"
    )
    return dict(zip(names, row, strict=True))


def test_a_stream_is_known_from_any_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    """Where a file lies is told by its absolute path; rows carry the path as it was written."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bot.log").write_bytes(_lines(0, 0))
        monkeypatch.chdir(tmp_path / name)
        store.ingest(Path("bot.log"))
    counted = store.rows("select source_file, count(*) from events group by source_file")
    assert counted == [("bot.log", 2)]
