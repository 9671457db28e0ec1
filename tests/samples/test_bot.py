"""The example bot's log says exactly what the API did to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from jsonschema import Draft202012Validator

from logkit import schema

BOT = str(Path(__file__).parents[2] / "samples" / "bot.py")

Event = dict[str, Any]


def _run_bot(log: Path, *options: str) -> str:
    command = [sys.executable, "-W", "error", BOT, "--seconds", "3", "--log", str(log), *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stderr == ""
    return ran.stdout


def _events(log: Path) -> list[Event]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def told(
    shared_platform_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], dict[str, Any], str]:
    """Return the bot's events, the platform's truth, and what the bot printed."""
    log = tmp_path_factory.mktemp("bot") / "bot.log"
    printed = _run_bot(log, "--api", shared_platform_url)
    with urlopen(f"{shared_platform_url}/__truth") as answer:
        return _events(log), json.load(answer), printed


def test_the_log_holds_every_answer_of_the_api(
    told: tuple[list[Event], dict[str, Any], str],
) -> None:
    """Statuses by route agree, and each 429 with its wait, scope and bucket, never before it."""
    events, truth, printed = told
    calls = [event for event in events if "status_code" in event]
    answers = truth["answers"]
    route = ("method", "endpoint", "status_code")
    assert _count(calls, *route) == _count(answers, *route)

    logged = [call for call in calls if call["status_code"] == 429]
    denied = [answer for answer in answers if answer["status_code"] == 429]
    shared = ("method", "endpoint", "retry_after_ms")
    assert _count(logged, *shared, "rate_limit_scope", "rate_limit_bucket") == _count(
        denied, *shared, "scope", "bucket"
    )
    written = sorted(_at(call["timestamp"]) for call in logged)
    sent = sorted(_at(answer["at"]) for answer in denied)
    assert all(sent_at <= written_at for sent_at, written_at in zip(sent, written, strict=True))
    assert f"{len(answers)} answers" in printed
    assert printed.count("\n") == 1


def _count(rows: list[Event], *names: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[name] for name in names) for row in rows)


def test_a_real_storm_arises(told: tuple[list[Event], dict[str, Any], str]) -> None:
    """At least five 429s of one bucket, and calls that start before their wait is over."""
    edits = [e for e in told[0] if e.get("method") == "PATCH"]
    denials = [e for e in edits if e["status_code"] == 429]
    waits = [(_ms(e), _ms(e) + e["retry_after_ms"]) for e in denials]
    starts = [_ms(e) - e["duration_ms"] for e in edits]
    assert len(denials) >= 5
    assert sum(any(begin < start < end for begin, end in waits) for start in starts) >= 5
    assert max(e["attempt"] for e in edits) >= 2


def _ms(event: Event) -> float:
    return _at(event["timestamp"]).timestamp() * 1_000


def test_the_log_is_a_proper_one(told: tuple[list[Event], dict[str, Any], str]) -> None:
    """Lines follow the schema, seq has no holes, calls belong to the command that made them."""
    events = told[0]
    validator = Draft202012Validator(schema.json_schema())
    assert [error.message for event in events for error in validator.iter_errors(event)] == []
    seqs = [event["seq"] for event in events]
    assert sorted(seqs) == list(range(min(seqs), min(seqs) + len(seqs)))
    names = Counter(event["event"] for event in events)
    assert {"service_started", "queue_sample", "service_stopped"} <= names.keys()
    received = {e["correlation_id"]: e for e in events if e["event"] == "message_received"}
    for call in [event for event in events if "endpoint" in event]:
        assert call["command"] == received[call["correlation_id"]]["command"]
    assert names["command"] + names["command_failed"] == len(received)


def test_the_bot_brings_its_own_platform(tmp_path: Path) -> None:
    """Without an address it starts the fake platform itself, and tells what to try next."""
    printed = _run_bot(tmp_path / "bot.log")
    denied = sum(event.get("status_code") == 429 for event in _events(tmp_path / "bot.log"))
    assert f"PATCH /channels/{{channel_id}}/messages/{{message_id}} {denied}" in printed
    assert "logkit query rate_limit_storms" in printed
