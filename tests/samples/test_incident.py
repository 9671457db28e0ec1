"""The sample incident is what its truth says, told by counting the files once more."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from logkit_analysis.demo.incident import write_incident

from logkit import schema

if TYPE_CHECKING:
    from logkit_analysis.demo.truth import IncidentTruth

Event = dict[str, Any]

COMMAND = Path(__file__).parents[2] / "samples" / "generate_incident.py"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("incident")


@pytest.fixture(scope="module")
def truth(directory: Path) -> IncidentTruth:
    return write_incident(directory)


@pytest.fixture(scope="module")
def streams(directory: Path, truth: IncidentTruth) -> dict[str, bytes]:
    return {name: _stream(directory / name) for name in truth.files}


@pytest.fixture(scope="module")
def events(streams: dict[str, bytes]) -> list[Event]:
    """All JSON objects, those without a time left out."""
    parsed = (_parse(line) for stream in streams.values() for line in stream.split(b"\n"))
    return [event for event in parsed if isinstance(event, dict) and "timestamp" in event]


@pytest.fixture(scope="module")
def clean(streams: dict[str, bytes], truth: IncidentTruth) -> list[Event]:
    """Events of the lines that are not called dirty."""
    dirty = {(line.file, line.line) for line in truth.dirty_lines}
    return [
        json.loads(line)
        for name, stream in streams.items()
        for number, line in enumerate(stream.split(b"\n")[:-1], start=1)
        if (name, number) not in dirty
    ]


def _stream(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _parse(line: bytes) -> object:
    try:
        return json.loads(line.decode())
    except ValueError:
        return None


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _micros(event: Event) -> int:
    return round(_at(event).timestamp() * 1_000_000)


def test_same_seed_gives_the_same_bytes(
    directory: Path, truth: IncidentTruth, tmp_path: Path
) -> None:
    """Two runs with one seed agree in every file."""
    assert write_incident(tmp_path) == truth
    for name in [*truth.files, "truth.json"]:
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()


def test_the_sample_is_big_enough_to_chew_on_and_small_enough_to_keep(truth: IncidentTruth) -> None:
    """Some ten thousand lines, at most 30 MB on disk."""
    assert 60_000 <= truth.lines <= 120_000
    assert sum(file.bytes for file in truth.files.values()) <= 30_000_000


def test_files_hold_the_lines_that_truth_counts(
    directory: Path, truth: IncidentTruth, streams: dict[str, bytes]
) -> None:
    """Bytes, lines, events and rejects of each file are as stated, and add up."""
    for name, file in truth.files.items():
        lines = streams[name].split(b"\n")[:-1]
        objects = sum(isinstance(_parse(line), dict) for line in lines)
        assert file.bytes == (directory / name).stat().st_size
        assert (file.stream_bytes, file.lines) == (len(streams[name]), len(lines))
        assert (file.events, file.rejects) == (objects, len(lines) - objects)
    assert truth.events == sum(file.events for file in truth.files.values())
    assert sum(truth.rejects.values()) == truth.lines - truth.events


def test_dirty_lines_are_where_truth_points(
    truth: IncidentTruth, streams: dict[str, bytes]
) -> None:
    """File, line number and byte offset lead to each dirty line, and every kind is there."""
    for dirty in truth.dirty_lines:
        line = streams[dirty.file][dirty.offset :].partition(b"\n")[0]
        assert line == streams[dirty.file].split(b"\n")[dirty.line - 1]
        assert isinstance(_parse(line), dict) == dirty.is_event
    assert {dirty.kind for dirty in truth.dirty_lines} == {
        "truncated_json",
        "plain_text",
        "invalid_utf8",
        "not_an_object",
        "blank",
        "number_as_text",
        "fractional_status",
        "text_as_number",
        "no_timestamp",
        "unknown_level",
    }


def test_clean_lines_follow_the_event_schema(clean: list[Event]) -> None:
    """Every tenth line passes the whole JSON Schema, every line its envelope and field names."""
    validator = Draft202012Validator(schema.json_schema())
    errors = [error.message for event in clean[::10] for error in validator.iter_errors(event)]
    assert errors == []
    assert all(event.keys() >= schema.ENVELOPE for event in clean)
    assert {key for event in clean for key in event} - schema.FIELDS_BY_NAME.keys() == {"outcome"}


def test_seq_has_no_holes(clean: list[Event]) -> None:
    """The numbers of each instance follow one another, each one once."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in clean:
        numbers[event["instance"]].append(event["seq"])
    assert len(numbers) == 4
    for seqs in numbers.values():
        assert sorted(seqs) == list(range(min(seqs), max(seqs) + 1))


def test_deploy_and_restart_change_instance_and_version(
    clean: list[Event], truth: IncidentTruth
) -> None:
    """The old process logs until it stops, the new one from its start on, with its version."""
    for service, down, up, versions in (
        (
            truth.deploy.service,
            truth.deploy.stopped_at,
            truth.deploy.started_at,
            {truth.deploy.old_version, truth.deploy.new_version},
        ),
        (truth.restart.service, truth.restart.crashed_at, truth.restart.started_at, {"2.4.1"}),
    ):
        mine = [event for event in clean if event["service"] == service]
        before = {(e["instance"], e["version"]) for e in mine if _at(e) <= down}
        after = {(e["instance"], e["version"]) for e in mine if _at(e) > down}
        assert len(before) == len(after) == 1
        assert before.isdisjoint(after)
        assert {version for _, version in before | after} == versions
        assert min(_at(e) for e in mine if _at(e) > down) == up


def test_every_command_ends_once_inside_its_correlation(clean: list[Event]) -> None:
    """A received command is handled or fails; its calls carry its correlation and trace ids."""
    received = {e["correlation_id"]: e for e in clean if e["event"] == "message_received"}
    ended = [e for e in clean if e["event"] in ("command_handled", "command_failed")]
    assert Counter(e["correlation_id"] for e in ended) == Counter(received.keys())
    calls = [e for e in clean if "trace_id" in e]
    assert all(e["trace_id"] == received[e["correlation_id"]]["trace_id"] for e in calls)
    assert {e["service"] for e in calls} == {"bot-gateway", "bot-worker"}


def _requests(events: list[Event]) -> list[Event]:
    """Return events that are requests, with status and duration as the columns hold them."""
    found = []
    for event in events:
        status, duration = event.get("status_code"), event.get("duration_ms")
        status = int(status) if status == "429" else status
        status = None if isinstance(status, float) else status
        duration = float(duration) if duration == "184.2" else duration
        duration = None if isinstance(duration, str) else duration
        is_timed = duration is not None and ("endpoint" in event or "command" in event)
        if status is not None or is_timed:
            found.append(event | {"status_code": status, "duration_ms": duration})
    return found


def test_counts_agree_with_a_recount(events: list[Event], truth: IncidentTruth) -> None:
    """Requests, errors, 429s, server errors and uses are what the published rules give."""
    requests = _requests(events)
    statuses = [request["status_code"] for request in requests]
    failed = [r for r in requests if r["status_code"] is None and r["level"] == "error"]
    assert truth.counts.requests == len(requests)
    assert truth.counts.rate_limited == statuses.count(429)
    assert truth.counts.server_errors == sum(s is not None and s >= 500 for s in statuses)
    assert truth.counts.errors == len(failed) + sum(
        s is not None and s >= 400 and s != 429 for s in statuses
    )
    assert sum(c.requests for c in truth.counts_by_service.values()) == len(requests)
    uses = {(e["command"], e["correlation_id"]) for e in events if "command" in e}
    assert truth.uses_by_command == dict(sorted(Counter(command for command, _ in uses).items()))


def test_storms_agree_with_the_plain_rule(events: list[Event], truth: IncidentTruth) -> None:
    """Hits, ends and ignored waits are found by trying every request against every wait."""
    bucket = truth.storms[0].bucket
    bound = [e for e in events if e.get("rate_limit_bucket") == bucket]
    denials = [e for e in bound if e["status_code"] == 429]
    for storm in truth.storms:
        mine = [e for e in denials if storm.started_at <= _at(e) <= storm.ended_at]
        waits = [(_micros(e), _micros(e) + e["retry_after_ms"] * 1_000) for e in mine]
        starts = [_micros(e) - round(e.get("duration_ms", 0) * 1_000) for e in bound]
        during = [e for e in bound if storm.started_at <= _at(e) <= storm.ended_at]
        ends = sorted(_at(e) for e in mine)
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(ends)]
        assert (storm.started_at, storm.ended_at, storm.hits) == (ends[0], ends[-1], len(mine))
        assert max(gaps) <= 120
        assert storm.ignored_retry_after == sum(
            any(begin < start < end for begin, end in waits) for start in starts
        )
        first_tries = sum(e["attempt"] == 0 for e in during)
        assert storm.retry_amplification == len(during) / first_tries
    assert sum(storm.hits for storm in truth.storms) == len(denials)
    assert (truth.storms[1].started_at - truth.storms[0].ended_at).total_seconds() > 120


def test_the_blip_is_obeyed_and_no_storm(events: list[Event], truth: IncidentTruth) -> None:
    """Fewer than five 429s, each retried after its wait, none of them in a storm."""
    assert truth.blip.endpoint not in {storm.endpoint for storm in truth.storms}
    calls = [e for e in events if e.get("endpoint") == truth.blip.endpoint]
    denials = [e for e in calls if e.get("status_code") == 429]
    assert len(denials) == truth.blip.hits < 5
    assert min(_at(e) for e in denials) == truth.blip.started_at
    for denial in denials:
        retry = next(
            e
            for e in calls
            if e["correlation_id"] == denial["correlation_id"] and e["attempt"] == 1
        )
        waited_us = _micros(retry) - retry["duration_ms"] * 1_000 - _micros(denial)
        assert waited_us > denial["retry_after_ms"] * 1_000


def test_one_endpoint_alone_is_degraded_between_onset_and_recovery(
    clean: list[Event], truth: IncidentTruth
) -> None:
    """Medians by endpoint: the named one rises manifold and falls back, all others stay."""
    slow = truth.degradation
    durations: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
    for event in clean:
        if "endpoint" in event and event.get("status_code") != 429:
            is_inside = slow.started_at <= _at(event) < slow.ended_at
            durations[event["method"], event["endpoint"], is_inside].append(event["duration_ms"])
    for method, endpoint, is_inside in list(durations):
        if not is_inside:
            continue
        inside, outside = (median(durations[method, endpoint, side]) for side in (True, False))
        if (method, endpoint) == (slow.method, slow.endpoint):
            assert (inside, outside) == (slow.degraded_p50_ms, slow.baseline_p50_ms)
            assert inside == pytest.approx(slow.degraded_median_ms, rel=0.1)
            assert outside == pytest.approx(slow.baseline_median_ms, rel=0.05)
        else:
            assert inside == pytest.approx(outside, rel=0.25)


def test_the_leak_grows_as_constructed(clean: list[Event], truth: IncidentTruth) -> None:
    """A straight line through the samples since the deploy has the slope, base and end stated."""
    leak = truth.leak
    samples = [
        ((_at(e) - leak.started_at).total_seconds() / 3_600, e["rss_bytes"])
        for e in clean
        if "rss_bytes" in e and e["service"] == leak.service
    ]
    slope, base = linear_regression(*zip(*[s for s in samples if s[0] > 0], strict=True))
    assert slope == pytest.approx(leak.slope_bytes_per_hour, rel=0.02)
    assert base == pytest.approx(leak.base_bytes, rel=0.02)
    flat, _ = linear_regression(*zip(*[s for s in samples if s[0] < 0], strict=True))
    assert abs(flat) < leak.slope_bytes_per_hour / 50
    hours = (leak.exhausts_at - leak.started_at).total_seconds() / 3_600
    assert base + slope * hours == pytest.approx(leak.limit_bytes, rel=0.02)


def test_the_queue_backs_up_because_of_the_degradation_and_drains(
    clean: list[Event], truth: IncidentTruth
) -> None:
    """Deep samples lie in the stated window alone, which follows the degradation."""
    backup = truth.queue_backup
    samples = [e for e in clean if "queue_depth" in e]
    deep = [e for e in samples if e["queue_depth"] > backup.threshold_depth]
    deepest = max(samples, key=lambda e: e["queue_depth"])
    assert min(_at(e) for e in deep) == backup.started_at > truth.degradation.started_at
    assert max(_at(e) for e in deep) == backup.ended_at > truth.degradation.ended_at
    assert (_at(deepest), deepest["queue_depth"]) == (backup.peak_at, backup.peak_depth)
    assert samples[-1]["queue_depth"] < 5


def test_an_incident_may_start_at_any_time(tmp_path: Path) -> None:
    """The whole story moves with its start."""
    start = datetime(2025, 11, 2, 4, 30, tzinfo=UTC)
    moved = write_incident(tmp_path, start=start)
    assert moved.window.since == start
    assert start < moved.degradation.started_at < moved.window.until


def test_the_command_writes_files_and_truth(
    directory: Path, truth: IncidentTruth, tmp_path: Path
) -> None:
    """``generate_incident.py`` writes what truth.json lists; another seed, other bytes."""
    ran = subprocess.run(
        [sys.executable, str(COMMAND), "--output", tmp_path / "new", "--seed", "3"],
        capture_output=True,
        text=True,
        check=True,
    )
    written = json.loads((tmp_path / "new" / "truth.json").read_bytes())
    assert written["seed"] == 3
    assert {path.name for path in (tmp_path / "new").iterdir()} == {*written["files"], "truth.json"}
    assert str(written["lines"]) in ran.stdout
    assert ran.stderr == ""
    for name in [*truth.files, "truth.json"]:
        assert (tmp_path / "new" / name).read_bytes() != (directory / name).read_bytes()
