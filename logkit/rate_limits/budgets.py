"""Headers -> budgets, one for each thing that a platform counts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from logkit.rate_limits import structured
from logkit.rate_limits.model import Budget
from logkit.rate_limits.quantities import (
    count,
    duration_ms,
    instant_ms,
    moment,
    number,
    whole_ms,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from fractions import Fraction

    from logkit.rate_limits.answer import Answer

BareReset = Literal["epoch_seconds", "seconds_left", "by_magnitude"]
"""How a platform means a bare number in a reset header."""

_EPOCH_MS_FROM = 10**11
_EPOCH_S_FROM = 10**9
_UNITS = ("input_tokens", "output_tokens", "tokens", "requests")

FIELD_FIRST = re.compile(
    r"(?P<prefix>(?:x-)?rate-?limit)-(?P<field>limit|remaining|reset-after|reset|used|observed)"
    r"(?:-(?P<name>.+))?"
)
"""``x-ratelimit-remaining-tokens`` and the like, with and without the name of a budget."""

NAME_FIRST = re.compile(r"anthropic-(?:ratelimit-)?(?P<name>.+)-(?P<field>limit|remaining|reset)")
TWITTER = re.compile(
    r"x-(?:rate-limit|(?P<name>(?:app|user)-limit-24hour))-(?P<field>limit|remaining|reset)"
)


def header_budgets(answer: Answer, pattern: re.Pattern[str], bare: BareReset) -> dict[str, Budget]:
    """Return the budgets in the headers that *pattern* matches, by name.

    The name is empty where the platform has one budget. Where a server sends the same in several
    spellings (``RateLimit-Limit`` and ``X-RateLimit-Limit``), one spelling is read, that of the
    standard first.
    """
    spellings: dict[str, dict[str, dict[str, str]]] = {}
    for header in answer.headers:
        if found := pattern.fullmatch(header):
            named = found.groupdict()
            values = spellings.setdefault(named.get("prefix") or "", {})
            name = (named.get("name") or "").replace("-", "_")
            values.setdefault(name, {})[named["field"]] = _first(answer, header)
    for prefix in sorted(spellings, key=lambda text: text.startswith("x-")):
        budgets = {
            name: budget
            for name, texts in spellings[prefix].items()
            if (budget := _budget(name, texts, answer, bare)) is not None
        }
        if budgets:
            return budgets
    return {}


def standard_budgets(answer: Answer) -> dict[str, Budget]:
    """Return the budgets of the IETF fields, or of the older headers that they replace."""
    policies = structured.items(answer.header("ratelimit-policy"))
    states = structured.items(answer.header("ratelimit"))
    if members := structured.dictionary(states):
        older = _budget("", members, answer, "by_magnitude")
        return {} if older is None else {"": _with_window(older, policies)}
    if states:
        return _named_budgets(states, policies, answer)
    older_budgets = header_budgets(answer, FIELD_FIRST, "by_magnitude")
    limits = structured.items(answer.header("ratelimit-limit"))
    if older_budgets:
        return {n: _with_window(b, [*policies, *limits[1:]]) for n, b in older_budgets.items()}
    return _named_budgets([], policies, answer)


def tightest(budgets: Mapping[str, Budget]) -> Budget | None:
    """Return the exhausted budget (the latest reset if several), else the one with least left."""
    exhausted = [budget for budget in budgets.values() if budget.is_exhausted]
    if exhausted:
        return max(exhausted, key=lambda budget: budget.reset_after_ms or 0)
    return min(budgets.values(), key=lambda budget: budget.share_left, default=None)


def _budget(name: str, texts: Mapping[str, str], answer: Answer, bare: BareReset) -> Budget | None:
    limit, remaining = count(texts.get("limit")), count(texts.get("remaining"))
    if limit == -1:  # unknown to the server itself
        return None
    if limit is not None and limit < 0:
        limit = None
    used = structured.positive(texts.get("used", texts.get("observed")))
    if limit is None and used is not None and remaining is not None and remaining >= 0:
        limit = count(remaining + used)
    if remaining is not None and limit is not None:
        remaining = max(remaining, 0)
    reset_after_ms, reset_at = _reset(texts, answer, bare)
    budget = Budget(limit, remaining, reset_after_ms, reset_at, used)
    return None if budget == Budget() else replace(budget, unit=unit_of(name))


def unit_of(name: str) -> str | None:
    """Return what a budget of that name counts: ``tokens`` for ``tokens_usage_based``."""
    return next((unit for unit in _UNITS if unit in name), name or None)


def _reset(
    texts: Mapping[str, str], answer: Answer, bare: BareReset
) -> tuple[int | None, datetime | None]:
    left_ms = _relative_ms(texts.get("reset-after", ""), "seconds_left")
    at_ms = _absolute_ms(texts.get("reset", ""), bare)
    if left_ms is None:
        left_ms = _relative_ms(texts.get("reset", ""), bare)
    at = None if at_ms is None else moment(at_ms)
    after_ms = whole_ms(left_ms)
    if after_ms is None and at is not None and at_ms is not None:
        after_ms = whole_ms(max(at_ms - answer.sent_ms, at_ms * 0))
    if at_ms is None and after_ms is not None:
        at = moment(answer.received_ms + after_ms)
    elif at_ms is not None and at_ms.denominator != 1:
        # Finer than the milliseconds in which times are told: not the value as it was given.
        at = None
    return after_ms, at


def _relative_ms(text: str, bare: BareReset) -> Fraction | None:
    value = number(text)
    if value is None:
        return duration_ms(text)
    is_left = bare == "seconds_left" or (bare == "by_magnitude" and value < _EPOCH_S_FROM)
    return value * 1_000 if is_left and value >= 0 else None


def _absolute_ms(text: str, bare: BareReset) -> Fraction | None:
    value = number(text)
    if value is None:
        return instant_ms(text)
    if value < 0 or bare == "seconds_left":
        return None
    if bare == "epoch_seconds":
        return value * 1_000
    if value >= _EPOCH_MS_FROM:
        return value
    return value * 1_000 if value >= _EPOCH_S_FROM else None


def _first(answer: Answer, header: str) -> str:
    """Return the first value of a header that may have come twice, or as a list."""
    text = next(iter(answer.headers[header]), "")
    # A date has a comma of its own, after the name of the day.
    return text if text[:1].isalpha() else re.split("[,;]", text)[0].strip()


def _named_budgets(
    states: list[structured.Item], policies: list[structured.Item], answer: Answer
) -> dict[str, Budget]:
    by_name = {policy.value: policy.parameters for policy in policies}
    state_of = {state.value: state.parameters for state in states}
    budgets = {}
    for name in dict.fromkeys([*state_of, *by_name]):
        policy, state = by_name.get(name, {}), state_of.get(name, {})
        # Before names, a policy was called by its quota.
        quota = policy.get("q") or name
        texts = {"limit": quota, "remaining": state.get("r", ""), "reset": state.get("t", "")}
        budget = _budget("", texts, answer, "by_magnitude")
        if budget is not None:
            budgets[name.replace("-", "_")] = replace(
                budget,
                unit=policy.get("qu"),
                policy=None if number(name) is not None else name,
                window_s=structured.positive(policy.get("w")),
            )
    return budgets


def _with_window(budget: Budget, policies: list[structured.Item]) -> Budget:
    return replace(budget, window_s=structured.window_s(policies, budget.limit))
