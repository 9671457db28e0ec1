"""What explains a change comes first, and luck alone explains nothing."""

from __future__ import annotations

import random
from math import log
from typing import Any

import pytest
from logkit_analysis.detect.explain import explain

Request = dict[str, Any]


def rows_of(before: list[Request], after: list[Request]) -> list[dict[str, Any]]:
    """Return the rows of the query `compare` for some requests, counted the slow way."""
    rows = []
    names = sorted({name for one in before + after for name in one} - {"ms", "failed"})
    groups = [("all", "")]
    groups += [(n, v) for n in names for v in sorted({one[n] for one in before + after})]
    for name, value in groups:
        row: dict[str, Any] = {"attribute": name, "value": value}
        for side, requests in (("before", before), ("after", after)):
            own = [one for one in requests if name == "all" or one[name] == value]
            logs = [log(one["ms"]) for one in own if not one["failed"]]
            row |= {
                f"{side}_requests": len(own),
                f"{side}_errors": sum(one["failed"] for one in own),
                f"{side}_limited": 0,
                f"{side}_timed": len(logs),
                f"{side}_log_sum": sum(logs),
                f"{side}_square_sum": sum(one * one for one in logs),
                f"{side}_p50_ms": sorted(one["ms"] for one in own)[len(own) // 2] if own else None,
            }
        rows.append(row)
    return rows


def traffic(rng: random.Random, count: int, **rules: Any) -> list[Request]:
    """Return requests to three endpoints by two versions; *rules* make some slow or failing."""
    found = []
    for _ in range(count):
        endpoint = rng.choices(["/send", "/edit", "/read"], rules.get("mix", [1, 1, 8]))[0]
        slow = rules.get("slow") == endpoint
        failing = rules.get("failing") == endpoint
        found.append(
            {
                "endpoint": endpoint,
                "version": rules.get("version", "1"),
                "user": f"u{rng.randrange(30)}",
                "ms": rng.lognormvariate(5 + slow, 0.4) * (3 if endpoint == "/edit" else 1),
                "failed": rng.random() < (0.3 if failing else 0.01),
            }
        )
    return found


@pytest.mark.parametrize(("rule", "metric"), [("slow", "latency"), ("failing", "error_ratio")])
@pytest.mark.parametrize("version", ["1", "2"], ids=["same_version", "new_version"])
def test_the_guilty_endpoint_comes_first(rule: str, metric: str, version: str) -> None:
    """Not the new version, which serves everything, and though its share did not change."""
    rng = random.Random(5)
    after = traffic(rng, 2000, version=version, **{rule: "/send"})
    first = explain(rows_of(traffic(rng, 2000), after))[0]
    assert (first.metric, first.attribute, first.value) == (metric, "endpoint", "/send")
    assert first.explained > 0.8
    assert first.share_after == pytest.approx(0.1, abs=0.03)
    assert first.p_value < 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_luck_explains_nothing(seed: int) -> None:
    """The same traffic twice gives no explanation, however many values there are."""
    rng = random.Random(seed)
    assert explain(rows_of(traffic(rng, 2000), traffic(rng, 2000))) == []


def test_more_calls_of_a_slow_endpoint_are_no_slowdown() -> None:
    """A shift of the traffic makes the whole slower, and no endpoint worse."""
    rng = random.Random(3)
    after = traffic(rng, 2000, mix=[1, 8, 1])
    found = explain(rows_of(traffic(rng, 2000), after))
    assert [one for one in found if one.attribute == "endpoint"] == []


def test_nothing_to_compare_with_explains_nothing() -> None:
    """Without requests on both sides there is no change."""
    some = traffic(random.Random(1), 100)
    assert explain(rows_of(some, [])) == explain(rows_of([], some)) == explain([]) == []
