"""How small a change may be, and how soon it is found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.detection.scoring import Finding, match
from benchmarks.detection.store import found_by_logkit, stored
from benchmarks.detection.stories import STORIES, step
from benchmarks.detection.trials import make_log, open_trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.detection.logs import Log
    from benchmarks.detection.peers import Peer, Setting

_FACTORS = (1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 3.0, 5.0)
_ENOUGH = 0.8
_FIRST_SEED = 500
_MOST_MINUTES = 15
_STORIES = ("step_3x", "step_2x", "step_3_a_minute", "errors_30", "queue", "step_gamma")


def least_changes(settings: Mapping[Peer, Setting], rounds: int) -> dict[str, float | None]:
    """Return the least factor of a slowdown that each detector finds in most logs."""
    found: dict[str, float | None] = dict.fromkeys(["logkit", *(peer.name for peer in settings)])
    for factor in _FACTORS:
        hits = dict.fromkeys(found, 0)
        for seed in range(_FIRST_SEED, _FIRST_SEED + rounds):
            story = partial(step, factor=factor)
            trial = open_trial(f"least_{factor}", story, seed, read=found_by_logkit)
            hits["logkit"] += _is_found(trial.log, trial.findings)
            for peer, setting in settings.items():
                hits[peer.name] += _is_found(trial.log, peer.findings(trial.charts, setting))
        for name, count in hits.items():
            if found[name] is None and count >= _ENOUGH * rounds:
                found[name] = factor
    return found


def _is_found(log: Log, findings: list[Finding]) -> bool:
    return bool(match(log.truths, findings))


@dataclass(frozen=True, slots=True)
class Delays:
    """Minutes after an onset at which it is first found.

    Attributes:
        median: The median, those never found counted as infinite.
        p90: The 90th percentile.
        most: For how many minutes it was tried.
        never: How many were not found by then.
        count: How many there are.
    """

    median: float
    p90: float
    most: float
    never: int
    count: int


def delays(rounds: int) -> Delays:
    """Return how soon logkit finds what began, in logs that end minutes later."""
    minutes = []
    for name in _STORIES:
        for seed in range(_FIRST_SEED, _FIRST_SEED + rounds):
            log = make_log(name, STORIES[name], seed)
            minutes.append(_first_found(log))
    p90 = quantiles(minutes, n=10, method="inclusive")[-1]
    never = sum(one > _MOST_MINUTES for one in minutes)
    return Delays(median(minutes), p90, _MOST_MINUTES, never, len(minutes))


def _first_found(log: Log) -> float:
    onset = log.truths[0].started_at
    with stored(log) as connection:
        for minutes in range(1, _MOST_MINUTES + 1):
            if _is_found(log, found_by_logkit(connection, onset + 60.0 * minutes)):
                return float(minutes)
    return float("inf")
