"""A bot and its logrotate do everything at random while somebody watches.

A failure shows its seed and its steps.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.analysis.live.viewer import viewing
from tests.e2e.following import Ledger
from tests.e2e.test_follow_at_random import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.analysis.live.viewer import Viewer

_NUMBER = re.compile(r'"seq":(\d+)')


def seen(viewer: Viewer) -> Counter[int]:
    """Return how often each line was shown, as an event or as a reject."""
    return Counter(
        int(_NUMBER.findall(event.columns["message"])[0])
        if event.reject_reason
        else event.columns["seq"]
        for event in viewer.seen
    )


def seeds() -> list[object]:
    """Return the seeds to run: the one that is asked for, or two, and more for the soak."""
    given = os.environ.get("LOGKIT_TEST_SEED")
    if given:
        return [int(given)]
    return [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(100, 160))]


@pytest.mark.parametrize("seed", seeds())
def test_at_random(tmp_path: Path, seed: int, request: pytest.FixtureRequest) -> None:
    """Whatever happens in whatever order: each line is shown once."""
    rng = random.Random(seed)
    ledger = Ledger()
    done: list[str] = []
    with viewing(tmp_path) as viewer:

        def wait() -> None:
            viewer.until(lambda: seen(viewer).total() >= ledger.written.total())

        writer = Writer(rng, tmp_path, ledger, wait)
        try:
            for _ in range(40):
                done.append(writer.step())
                for _ in range(rng.choice([0, 1, 1, 3])):
                    viewer.look()
            writer.end()
            wait()
            viewer.until_quiet()
            assert seen(viewer) == ledger.written
        except BaseException:
            request.node.add_report_section("call", "steps", f"seed {seed}: {' '.join(done)}")
            raise
        finally:
            writer.close_old()
