"""Whatever an answer holds, it gives usable numbers and raises nothing."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkit import rate_limits
from logkit.rate_limits import RateLimit
from logkit.testing import violations

GENERIC = "api.example.com"


class Raises:
    """What goes wrong whatever is done with it."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "arguments",
    [
        {"headers": Raises()},
        {"headers": 5},
        {"headers": [1, 2]},
        {"headers": {1: 2, b"x": None, None: Raises()}},
        {"host": Raises()},
        {"body": Raises()},
        {"body": {"error": Raises(), "retry_after": Raises()}},
        {"status": "teapot"},
        {"received_at": Raises()},
        {"received_at": datetime.max.replace(tzinfo=UTC)},
        {"received_at": 1e300},
        {"received_at": "yesterday"},
    ],
)
def test_nothing_raises(arguments: dict[str, Any]) -> None:
    """Whatever a library hands over, the answer is a RateLimit."""
    given: dict[str, Any] = {"host": GENERIC, "status": 429, "headers": {"retry-after": "5"}}
    assert isinstance(rate_limits.parse(**{**given, **arguments}), RateLimit)


HOSTS = st.sampled_from(
    [
        None,
        GENERIC,
        "discord.com",
        "api.github.com",
        "gitlab.com",
        "api.openai.com",
        "api.anthropic.com",
        "openrouter.ai",
        "oauth.reddit.com",
        "api.x.com",
        "api.twitch.tv",
        "generativelanguage.googleapis.com",
    ]
)
NAMES = st.sampled_from(
    [
        "Retry-After",
        "retry-after-ms",
        "Date",
        "RateLimit",
        "RateLimit-Policy",
        "RateLimit-ResetTime",
        *(
            f"{prefix}-{field}{name}"
            for prefix in ("X-RateLimit", "RateLimit", "x-rate-limit")
            for field in ("Limit", "Remaining", "Reset", "Reset-After", "Used", "Scope")
            for name in ("", "-tokens")
        ),
        *(f"anthropic-ratelimit-tokens-{field}" for field in ("limit", "remaining", "reset")),
    ]
)
ODD_TEXTS = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.floats().map(repr),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.from_regex(r"[0-9]{1,30}(ms|s|m|h|d)", fullmatch=True),
    st.from_regex(r'"[a-z-]{1,5}";(r|q|t|w)=-?[0-9]{1,30}', fullmatch=True),
    st.sampled_from(["-1", "1e308", "1e999", "-0", "NaN", "infinity", "0x10", "9" * 400]),
)
NUMBERS = st.one_of(st.integers(), st.floats(), ODD_TEXTS, st.none(), st.booleans())
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.text(max_size=60),
    st.fixed_dictionaries(
        {},
        optional={
            "retry_after": NUMBERS,
            "retry_after_ms": NUMBERS,
            "parameters": st.fixed_dictionaries({"retry_after": NUMBERS}),
            "json": st.fixed_dictionaries({"ratelimit": NUMBERS}),
            "error": st.one_of(
                st.fixed_dictionaries({"message": NUMBERS}),
                st.fixed_dictionaries(
                    {
                        "details": st.lists(
                            st.fixed_dictionaries(
                                {
                                    "@type": st.just("google.rpc.RetryInfo"),
                                    "retryDelay": NUMBERS,
                                    "violations": st.one_of(
                                        st.none(),
                                        st.lists(st.fixed_dictionaries({"quotaValue": NUMBERS})),
                                    ),
                                }
                            )
                        )
                    }
                ),
            ),
            "description": ODD_TEXTS.map(lambda text: f"retry after {text}"),
        },
    ),
    st.recursive(NUMBERS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
)


@given(
    host=HOSTS,
    status=st.sampled_from([None, 200, 402, 403, 420, 429, 503, 529, -1, 10**30]),
    headers=st.one_of(
        st.dictionaries(NAMES, ODD_TEXTS),
        st.dictionaries(NAMES, st.lists(ODD_TEXTS, max_size=2)),
        st.dictionaries(NAMES, NUMBERS),
        st.lists(st.tuples(NAMES, ODD_TEXTS)),
    ),
    body=BODIES,
)
def test_any_answer_gives_usable_numbers(host: Any, status: Any, headers: Any, body: Any) -> None:
    """No infinity, no NaN and nothing negative, but for a rest that no limit bounds."""
    found = rate_limits.parse(host=host, status=status, headers=headers, body=body)
    budgets = [*found.limits.values()] + ([found.rate_limit] if found.rate_limit else [])
    for numbers in ({"retry_after_ms": found.retry_after_ms}, *map(dataclasses.asdict, budgets)):
        for name, value in numbers.items():
            assert not isinstance(value, float)
            if isinstance(value, int):
                is_unbounded = name == "remaining" and numbers["limit"] is None
                assert (-(2**63) if is_unbounded else 0) <= value < 2**63
    envelope = {"timestamp": "2026-11-22T03:00:00Z", "level": "info", "service": "bot"}
    assert violations({**envelope, "event": "api_call", **found.fields()}) == []
