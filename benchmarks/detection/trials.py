"""One log, made, stored and looked at."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.charts import Chart, charts
from benchmarks.detection.scoring import Finding, Score
from benchmarks.detection.store import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from benchmarks.detection.logs import Log
    from benchmarks.detection.peers import Peer, Setting
    from benchmarks.detection.stories import Story


@dataclass(frozen=True, slots=True)
class Trial:
    """A log with its truth, what logkit finds in it, and the charts that the peers look at."""

    name: str
    seed: int
    log: Log
    findings: list[Finding]
    charts: list[Chart]


def make_log(name: str, story: Story, seed: int) -> Log:
    """Return the log of a story: the same for the same name and seed."""
    return story(np.random.default_rng([seed, zlib.crc32(name.encode())]))


def open_trial(
    name: str,
    story: Story,
    seed: int,
    *,
    read: Callable[[duckdb.DuckDBPyConnection, float], list[Finding]] | None,
    has_charts: bool = True,
) -> Trial:
    """Return a story's log as it is told by *read*, from a store that is closed again.

    Args:
        name: Name of the story.
        story: Makes the log.
        seed: Seed of its random numbers.
        read: Finds what got worse in the first seconds of the stored log.
        has_charts: Whether the peers' charts are wanted.
    """
    log = make_log(name, story, seed)
    with stored(log) as connection:
        found = [] if read is None else read(connection, log.seconds)
        return Trial(name, seed, log, found, charts(connection) if has_charts else [])


def tuned(peer: Peer, trials: Sequence[Trial]) -> Setting:
    """Return the setting of *peer* with the best F1 over *trials*."""
    scores = {}
    for setting in peer.settings:
        score = Score()
        for trial in trials:
            findings = peer.findings(trial.charts, setting)
            score.add(trial.name, trial.log.truths, findings, trial.log.hours)
        scores[setting] = score.f1
    return max(scores, key=lambda setting: scores[setting])
