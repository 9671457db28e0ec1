"""What happened in order: deploys, restarts, first errors, state changes, troubles, notes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logkit_analysis.reports import wording
from logkit_analysis.reports.document import Block, Moment, Section, Text, Timeline, Tone
from logkit_analysis.time_window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from logkit_analysis.detect.troubles import Trouble
    from logkit_analysis.reports.case import Case, Row

_PERCENT = re.compile(r"(?<=\d)%")
_MOST_FIRST_ERRORS = 8
_LEAST_ERRORS = 3
_MOST_CHANGES = 40
_MOST_TURNS = 40
_WORSE = {"open": "bad", "failed": "bad", "fired": "bad", "firing": "bad"}
_VERBS = {
    "latency": ("got slow", "was fast again"),
    "error_ratio": ("began to fail", "stopped failing"),
    "queue_depth": ("began to back up", "was drained"),
    "rate_limit_storm": ("was refused with 429", "was refused for the last time"),
    "silence": ("fell silent", "wrote again"),
    "memory": ("began to grow", "stopped growing"),
}


def timeline(case: Case) -> Section:
    """Return everything worth a line, in order of time."""
    entries = [
        *_troubles(case),
        *_restarts(case),
        *_first_errors(case),
        *_changes(case),
        *((note.at, "note", wording.words(note.text, 400), "plain") for note in case.notes),
    ]
    shown = sorted(
        (one for one in entries if case.window.since <= one[0] <= case.window.until),
        key=lambda one: (one[0], one[1], one[2]),
    )
    crowd = [one for one in shown if one[1] in ("onset", "recovery")][_MOST_TURNS:]
    shown = [one for one in shown if one not in crowd]
    moments = tuple(
        Moment(at, case.clock.time(at), kind, text, _tone(tone)) for at, kind, text, tone in shown
    )
    if not moments:
        return Section("timeline", "Timeline", (Text("Nothing of note happened in this time."),))
    sources = (
        case.ask("degradation_start", case.searched).number,
        case.storms().number,
        case.ask("restarts").number,
        case.ask("top_errors", _since_ever(case)).number,
        case.ask("state_changes").number,
    )
    outside = len(case.notes) - sum(kind == "note" for _, kind, *_ in shown)
    blocks: list[Block] = [Timeline(moments, sources)]
    if outside:
        told = f"{wording.counted(outside, 'note')} outside the time of this report left out."
        blocks.append(Text(told, is_aside=True))
    if crowd:
        told = f"{len(crowd):,} later onsets and recoveries left out; logkit triage lists them all."
        blocks.append(Text(told, is_aside=True))
    return Section("timeline", "Timeline", tuple(blocks))


Entry = tuple["datetime", str, str, str]


def _tone(name: str) -> Tone:
    tones: dict[str, Tone] = {"good": "good", "warn": "warn", "bad": "bad"}
    return tones.get(name, "plain")


def _troubles(case: Case) -> Iterator[Entry]:
    acute = (one for incident in case.incidents for one in incident.troubles)
    for one in dict.fromkeys((*acute, *case.leaks)):
        begun, over = _VERBS.get(one.kind, ("rose", "was back to normal"))
        yield one.started_at, "onset", f"{_subject(one)} {begun} ({_figures(case, one)})", "bad"
        if one.ended_at is not None:
            yield one.ended_at, "recovery", f"{_subject(one)} {over}", "good"


def _figures(case: Case, one: Trouble) -> str:
    figures = _PERCENT.sub(" %", one.figures.replace("->", "→"))
    if one.exhausts_at is None:
        return figures
    return f"{figures}, full at {case.clock.minute(one.exhausts_at)}"


def _subject(one: Trouble) -> str:
    what = one.subject or f"every call of {one.service or 'all services'}"
    if one.kind == "queue_depth":
        what = f"queue {what}"
    elif one.kind == "silence":
        what = one.service or "the log"
    elif one.kind == "memory":
        what = f"the memory of {one.service}"
    elif one.kind in ("cpu_percent", "open_connections"):
        what = f"{one.kind.replace('_', ' ')} of {one.service}"
    return wording.words(what, 100)


def _restarts(case: Case) -> Iterator[Entry]:
    for row in case.ask("restarts").rows:
        service, version = wording.words(row["service"], 60), wording.words(row["version"], 40)
        away = f"away for {row['down_seconds']:.0f} s"
        if row["reason"] == "deploy":
            before = wording.words(row["previous_version"], 40)
            yield row["started_at"], "deploy", f"{service} {before} → {version}, {away}", "plain"
        elif row["reason"] == "crash":
            yield row["ended_at"], "crash", f"{service} {version} ended without a word", "bad"
            yield row["started_at"], "restart", f"{service} {version} is back, {away}", "plain"
        else:
            yield row["started_at"], "restart", f"{service} {version}, {away}", "plain"


def _since_ever(case: Case) -> Window:
    return Window(case.stored.oldest, case.window.until)


def _first_errors(case: Case) -> Iterator[Entry]:
    """Yield the errors never seen before in the log that came again, the most frequent ones."""
    rows = [
        row
        for row in case.ask("top_errors", _since_ever(case)).rows
        if row["first_seen_at"] >= case.window.since and row["errors"] >= _LEAST_ERRORS
    ]
    told: dict[str, list[Row]] = {}
    for row in rows:
        told.setdefault(_error(row), []).append(row)
    for text, same in list(told.items())[:_MOST_FIRST_ERRORS]:
        first = min(row["first_seen_at"] for row in same)
        often = f"{wording.counted(sum(row['errors'] for row in same), 'time')} in all"
        yield first, "first error", f"{text} ({often})", "warn"


def _error(row: Row) -> str:
    """Return what failed and what it said, unless that is only the event's name again."""
    what = [row["event"], row["endpoint"], row["status_code"], row["error_type"]]
    parts = [" ".join(wording.words(part, 80) for part in what if part is not None)]
    if row["last_message"] not in (None, row["event"]):
        parts.append(wording.words(row["last_message"], 120))
    return ": ".join(filter(None, parts))


def _changes(case: Case) -> Iterator[Entry]:
    for row in case.ask("state_changes").rows[:_MOST_CHANGES]:
        text = f"{row['name'] or row['kind']}: {row['state']}"
        tone = _WORSE.get(row["state"], "plain")
        yield row["changed_at"], row["kind"], wording.words(text), tone
