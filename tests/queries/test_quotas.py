"""quotas: which budget is used up, what is left of it, and when it is back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from logkit_analysis.time_window import Window

from logkit import rate_limits

from .random_events import (
    Event,
    assert_same_rows,
    events,
    grouped,
    inside,
    on_random_events,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DENIALS = ("rate_limited", "quota_exhausted", "banned")
VECTORS = json.loads(
    (Path(__file__).parents[1] / "logkit/vectors/rate_limit_headers.json").read_text()
)["vectors"]
STATES = ("exhausted", "denied", "low", "ok", "unknown")
NAMES = ("service", "provider", "model", "bucket", "unit")


def kind_of(row: Event) -> str | None:
    """Return why a call was refused, or ``None``."""
    kind = row["rate_limit_kind"] or ("rate_limited" if row["status_code"] == 429 else None)
    return kind if kind in DENIALS else None


def budget_of(row: Event) -> tuple[Any, ...]:
    """Return the names of a budget."""
    who = row["platform"] if row["provider"] is None else row["provider"]
    return row["service"], who, row["model"], row["rate_limit_bucket"], row["rate_limit_unit"]


def after(row: Event, name: str) -> datetime | None:
    """Return the instant that lies a wait after a row, ``None`` without one."""
    wait = row[name]
    return None if wait is None else row["timestamp"] + timedelta(milliseconds=wait)


def wait_of(row: Event) -> datetime | None:
    """Return until when a refusal asks to wait."""
    is_empty = row["rate_limit_remaining"] is not None and row["rate_limit_remaining"] <= 0
    has_wait = row["retry_after_ms"] is not None or not is_empty
    return after(row, "retry_after_ms" if has_wait else "rate_limit_reset_after_ms")


def judged(budget: Sequence[Event], known: Sequence[Event], until: datetime) -> dict[str, Any]:
    """Return what is to be told about one budget, by the rule."""
    told = [row for row in budget if row["rate_limit_remaining"] is not None]
    refused = [row for row in budget if kind_of(row)]
    size = left = told_at = resets_at = None
    if told:
        last = told[-1]
        size, left, told_at = last["rate_limit_limit"], last["rate_limit_remaining"], None
        told_at, resets_at = last["timestamp"], after(last, "rate_limit_reset_after_ms")
        if resets_at is not None and resets_at <= until:
            left, resets_at = size, None
    holds, wait, kind = False, None, None
    if refused:
        at = max(row["timestamp"] for row in refused)
        final = [row for row in refused if row["timestamp"] == at]
        kind = min(filter(None, map(kind_of, final)))
        wait = max(filter(None, map(wait_of, final)), default=None)
        begun = [
            row["timestamp"] - timedelta(milliseconds=row["duration_ms"] or 0)
            for row in known
            if budget_of(row)[:3] == budget_of(final[0])[:3] and (row["status_code"] or 999) < 400
        ]
        holds = (wait is None or wait > until) and not any(one > at for one in begun)
    is_empty = left is not None and left <= 0
    if is_empty or (holds and kind == "quota_exhausted"):
        state = "exhausted"
    elif holds:
        state = "denied"
    elif left is None:
        state = "unknown"
    else:
        state = "low" if size is not None and left < size / 10 else "ok"
    ends = [wait if holds else None, resets_at if is_empty else None]
    return {
        "state": state,
        "limit_size": size,
        "remaining": left,
        "remaining_ratio": left / size if size and left is not None else None,
        "back_at": max(filter(None, ends), default=None),
        "told_at": told_at,
        "denials": len(refused),
        "last_denied_at": refused[-1]["timestamp"] if refused else None,
        "last_kind": kind,
    }


def newest_first(at: datetime | None) -> tuple[bool, float]:
    """Return a key that sorts the newest first and ``None`` last."""
    return at is None, 0.0 if at is None else -at.timestamp()


@on_random_events
@given(rows=events, window=windows)
def test_quotas(store: Any, rows: list[Event], window: Window) -> None:
    """State, remainder and return of each budget follow the rule, for any past moment."""
    store.fill(rows)
    numbered = sorted(inside(rows, window), key=lambda row: row["timestamp"])
    told = [r for r in numbered if r["rate_limit_remaining"] is not None or kind_of(r)]
    expected = [
        {**dict(zip(NAMES, names, strict=True)), **judged(group, numbered, window.until)}
        for names, group in grouped(told, budget_of).items()
    ]
    expected.sort(
        key=lambda row: (
            STATES.index(row["state"]),
            newest_first(row["told_at"]),
            newest_first(row["last_denied_at"]),
            *("" if row[name] is None else "=" + row[name] for name in NAMES),
        )
    )
    assert_same_rows(store.run("quotas", window), expected)


AT = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "state", "unit", "left", "waits_s"),
    [
        pytest.param("openai-success-two-dimensions", "ok", "requests", 60, None, id="whole_again"),
        pytest.param("openai-429-message-wait", "denied", "tokens", 4486, 8.016, id="tokens"),
        pytest.param("openai-quota-exhausted", "exhausted", None, None, None, id="to_be_paid"),
        pytest.param("groq-daily-requests", "exhausted", "tokens", 0, 7.66, id="reset_is_later"),
        pytest.param(
            "anthropic-429-input-tokens", "exhausted", "input_tokens", 0, 23, id="input_tokens"
        ),
        pytest.param("anthropic-success", "ok", "tokens", 60_000, None, id="enough_left"),
        pytest.param("openrouter-nested-ms-epoch", "exhausted", None, 0, 75_600, id="tomorrow"),
        pytest.param("gemini-no-detail", "denied", None, None, None, id="nobody_said_when"),
    ],
)
def test_answers_of_llm_providers(
    store: Any, name: str, state: str, unit: str | None, left: int | None, waits_s: float | None
) -> None:
    """Which budget a real provider's answer speaks of, what is left, and when it is back."""
    (given,) = [vector["input"] for vector in VECTORS if vector["id"] == name]
    parsed = rate_limits.parse(**given)
    fields = {"status_code": given["status"], "provider": parsed.platform, **parsed.fields()}
    store.fill([{"timestamp": AT, "service": "bot", **fields}])
    (row,) = store.run("quotas", Window(AT, AT + timedelta(seconds=2)))
    assert (row["state"], row["unit"], row["remaining"]) == (state, unit, left)
    back_at = None if waits_s is None else AT + timedelta(seconds=waits_s)
    assert row["back_at"] == back_at


def test_anthropic_overload_is_no_budget(store: Any) -> None:
    """Servers that have too much to do say nothing of our budget."""
    fields = {"status_code": 529, "rate_limit_kind": "overloaded", "provider": "anthropic"}
    store.fill([{"timestamp": AT, "service": "bot", **fields}])
    assert store.run("quotas") == []


def test_a_success_after_the_payment_ends_a_used_up_quota(store: Any) -> None:
    """What holds until further notice ends with the next call that succeeds."""
    bot = {"service": "bot", "provider": "openai", "model": "gpt"}
    refused = {"timestamp": AT, "status_code": 429, "rate_limit_kind": "quota_exhausted", **bot}
    begun_before = {
        "timestamp": AT + timedelta(seconds=9),
        "status_code": 200,
        "duration_ms": 10_000.0,
        **bot,
    }
    paid = {"timestamp": AT + timedelta(hours=2), "status_code": 200, "duration_ms": 900.0, **bot}
    store.fill([refused, begun_before, paid])
    states = [
        store.run("quotas", Window(AT, AT + timedelta(hours=hours)))[0]["state"] for hours in (1, 3)
    ]
    assert states == ["exhausted", "unknown"]
