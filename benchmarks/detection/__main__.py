"""``python -m benchmarks.detection [--full]``: who finds what got worse in logs with known truth.

Others look at one value a minute of each endpoint, queue and resource; all are scored by the same
rules. Each gets the settings that score best on seeds of their own, of those in `peers.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

from benchmarks.detection.limits import delays, least_changes
from benchmarks.detection.queueing import HELD_OUT
from benchmarks.detection.quiet import QUIET
from benchmarks.detection.scoring import Finding, Score
from benchmarks.detection.store import found_by_logkit
from benchmarks.detection.stories import STORIES
from benchmarks.detection.trials import Trial, open_trial, tuned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.detection.peers import Peer, Setting
    from benchmarks.detection.stories import Story

_TUNING_SEED = 900
_SEEDS = 1
_FULL_SEEDS = 4
_QUICK_TUNING = 4


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--full", action="store_true", help="four seeds, and all logs for tuning")
    parser.add_argument("--ours", action="store_true", help="logkit alone")
    parser.add_argument("--only", default="", help="logs whose name holds this")
    options = parser.parse_args(arguments)
    seeds = range(1, 1 + (_FULL_SEEDS if options.full else _SEEDS))
    known = {name: story for name, story in {**STORIES, **QUIET}.items() if options.only in name}
    settings = _tuned(known, every=1 if options.full else _QUICK_TUNING, alone=options.ours)
    for title, stories in (("simulated", known), ("held out", HELD_OUT)):
        chosen = {name: story for name, story in stories.items() if options.only in name}
        _print_table(title, chosen, seeds, settings)
    _print_limits(settings, rounds=10 if options.full else 3)
    return 0


def _tuned(stories: Mapping[str, Story], *, every: int, alone: bool) -> dict[Peer, Setting]:
    """Return the best settings of each peer on every *every*-th log, with seeds of their own."""
    if alone:
        return {}
    try:
        peers = import_module("benchmarks.detection.peers").PEERS
    except ModuleNotFoundError as error:
        print(f"{error}: logkit alone (pip install --group detectors)", file=sys.stderr)
        return {}
    trials = [
        open_trial(name, stories[name], _TUNING_SEED, read=None) for name in list(stories)[::every]
    ]
    return {peer: tuned(peer, trials) for peer in peers}


def _print_table(
    title: str, stories: Mapping[str, Story], seeds: Sequence[int], settings: Mapping[Peer, Setting]
) -> None:
    scores = {"logkit": Score(), **{peer.name: Score() for peer in settings}}
    spent = 0.0
    for seed in seeds:
        for name, story in stories.items():
            begun = time.process_time()
            trial = open_trial(name, story, seed, read=found_by_logkit)
            spent += time.process_time() - begun
            _count(scores["logkit"], trial, trial.findings)
            for peer, setting in settings.items():
                _count(scores[peer.name], trial, peer.findings(trial.charts, setting))
    count = len(stories) * len(seeds)
    print(f"\n{count} {title} logs ({spent:.0f} s CPU to make and to look at)")
    print(
        f"{'':22}{'precision':>10}{'recall':>8}{'F1':>7}{'onset error s':>16}{'false alarms':>14}\n"
        f"{'':22}{'':>10}{'':>8}{'':>7}{'median / p90':>16}{'a quiet day':>14}"
    )
    for name, score in scores.items():
        print(
            f"{name:22}{score.precision:10.2f}{score.recall:8.2f}{score.f1:7.2f}"
            f"{score.median_error:8.1f} /{score.p90_error:6.0f}{score.alarms_a_day:14.2f}"
        )
    print("logkit is wrong on:", ", ".join(scores["logkit"].wrong) or "none")


def _count(score: Score, trial: Trial, findings: Sequence[Finding]) -> None:
    score.add(f"{trial.name}/{trial.seed}", trial.log.truths, findings, trial.log.hours)


def _print_limits(settings: Mapping[Peer, Setting], rounds: int) -> None:
    print("\nleast slowdown found in 4 of 5 logs or more (30 calls a minute, 40 minutes)")
    for name, factor in least_changes(settings, rounds).items():
        print(f"{name:22}{'none' if factor is None else f'{factor:g} times':>12}")
    found = delays(rounds)
    print(
        f"\ndetection delay, the log cut D minutes after the onset: median {found.median:g} min,"
        f" p90 {found.p90:g} min, never within {found.most:g} min: {found.never} of {found.count}"
    )


if __name__ == "__main__":
    sys.exit(main())
