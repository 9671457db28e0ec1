"""The rules behind the vectors, one by one, at their edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from logkit import rate_limits

if TYPE_CHECKING:
    from logkit.rate_limits import RateLimit

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
EPOCH_S = 1_795_316_400
GENERIC = "api.example.com"


def parsed(
    headers: Any = None, body: Any = None, *, status: Any = 429, host: Any = GENERIC
) -> RateLimit:
    return rate_limits.parse(host=host, status=status, headers=headers, body=body, received_at=NOW)


def wait(headers: Any = None, body: Any = None, **options: Any) -> int | None:
    return parsed(headers, body, **options).retry_after_ms


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("120", 120_000),
        ("1.5", 1_500),
        ("0.0001", 1),
        ("8.016", 8_016),
        ("0", 0),
        (".5", 500),
        ("1e1", 10_000),
        ("Sun, 22 Nov 2026 03:02:00 GMT", 120_000),
        ("Sunday, 22-Nov-26 03:02:00 GMT", 120_000),
        ("Sun Nov 22 03:02:00 2026", 120_000),
        ("Sun Nov  1 03:02:00 2026", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("-Infinity", None),
        ("1e400", None),
        ("1e999", None),
        ("9" * 40, None),
        pytest.param("9" * 5_000, None, id="huge_text"),
        ("1_000", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("30s", None),
        ("Sun, 31 Feb 2026 03:02:00 GMT", None),
        ("Sun, 22 Foo 2026 03:02:00 GMT", None),
    ],
)
def test_retry_after(text: str, expected_ms: int | None) -> None:
    """Seconds, fractions and three forms of dates are read; the rest gives no wait."""
    assert wait({"Retry-After": text}) == expected_ms


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        (64.57, 64_570),
        (8.016, 8_016),
        ("12", 12_000),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        pytest.param(10**5_000, None, id="huge_integer"),
        (-1, None),
        (None, None),
        ([5], None),
    ],
)
def test_a_wait_in_the_body(value: object, expected_ms: int | None) -> None:
    """Numbers of any kind, exactly; what is no number of seconds is no wait."""
    assert wait({"Via": "1.1 google"}, {"retry_after": value}, host="discord.com") == expected_ms


@pytest.mark.parametrize(
    ("headers", "body", "expected_ms"),
    [
        ({"retry-after": "3"}, {"retry_after_ms": 2_345}, 2_345),
        ({"retry-after": "4"}, {"retry_after_ms": 2_345}, 4_000),
        ({"retry-after": "2"}, {"retry_after_ms": 9_000}, 9_000),
        ({"retry-after": "2", "retry-after-ms": "1000"}, None, 1_000),
        ({"retry-after": "2", "retry-after-ms": "999"}, None, 2_000),
        ({"retry-after": "2.5"}, {"retry_after": 3}, 2_500),
        ({"retry-after": "36"}, {"retry_after": 35}, 35_000),
        ({"retry-after": "2", "retry-after-ms": "-1"}, None, 2_000),
        ({"retry-after": "x", "retry-after-ms": "nan"}, {"retry_after": 7}, 7_000),
        ({"retry-after": ["30", "60"]}, None, 60_000),
        ({"retry-after": "30, 60"}, None, 60_000),
    ],
)
def test_which_of_several_waits(headers: Any, body: Any, expected_ms: int) -> None:
    """More than a second apart the larger counts, else the finer; equally fine, the first."""
    assert wait(headers, body) == expected_ms


def test_a_date_is_compared_with_the_clock_that_wrote_it() -> None:
    """The Date header is the server's own time; its clock may differ from ours."""
    headers = {
        "Date": "Sun, 22 Nov 2026 04:00:00 GMT",
        "Retry-After": "Sun, 22 Nov 2026 04:00:30 GMT",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(EPOCH_S + 3_690),
    }
    found = parsed(headers)
    assert found.retry_after_ms == 30_000
    assert found.rate_limit is not None
    assert found.rate_limit.reset_after_ms == 90_000
    assert found.rate_limit.reset_at == NOW + timedelta(seconds=3_690)


@pytest.mark.parametrize(
    ("text", "reset_after_ms", "reset_at_s"),
    [
        ("5", 5_000, 5),
        ("999999999", 999_999_999_000, 999_999_999),
        ("1000000000", 0, 1_000_000_000 - EPOCH_S),
        (str(EPOCH_S + 9), 9_000, 9),
        (str(EPOCH_S * 1_000 + 9_000), 9_000, 9),
        ("2026-11-22T03:00:07Z", 7_000, 7),
        ("2026-11-22T05:00:07+02:00", 7_000, 7),
        ("Sun, 22 Nov 2026 03:00:07 GMT", 7_000, 7),
        ("6m0s", 360_000, 360),
        ("1h2m3.5s", 3_723_500, 3_723.5),
        ("20ms", 20, 0.02),
        ("1d", 86_400_000, 86_400),
        ("-3", None, None),
        ("nan", None, None),
        ("1e300", None, None),
        ("1m5", None, None),
        ("2026-13-40T99:00:00Z", None, None),
    ],
)
def test_reset_of_an_unknown_platform(
    text: str, reset_after_ms: int | None, reset_at_s: float | None
) -> None:
    """A bare number is epoch milliseconds, epoch seconds or seconds left, by its size."""
    budget = parsed({"X-RateLimit-Limit": "9", "X-RateLimit-Reset": text}).rate_limit
    assert budget is not None
    assert budget.reset_after_ms == reset_after_ms
    expected = None if reset_at_s is None else NOW + timedelta(seconds=reset_at_s)
    assert budget.reset_at == expected


@pytest.mark.parametrize(
    ("host", "headers", "reset_after_ms"),
    [
        ("api.twitch.tv", {"Ratelimit-Reset": "12"}, 0),
        ("API.GitHub.com:443", {"x-ratelimit-reset": str(EPOCH_S + 1)}, 1_000),
        ("https://oauth.reddit.com/api", {"x-ratelimit-reset": "327"}, 327_000),
        ("my-res.openai.azure.com", {"x-ratelimit-reset-requests": "60"}, 60_000),
        ("api.openai.com", {"x-ratelimit-reset-tokens": "2000000000"}, 2_000_000_000_000),
        ("discord.com", {"X-RateLimit-Reset-After": "0.3"}, 300),
        ("ptb.discord.com", {"X-RateLimit-Reset": f"{EPOCH_S + 2}.5"}, 2_500),
    ],
)
def test_known_platforms_use_their_own_rule(
    host: str, headers: dict[str, str], reset_after_ms: int
) -> None:
    """An epoch on one platform is seconds left on another, whatever the size of the number."""
    budget = parsed(headers, status=200, host=host).rate_limit
    assert budget is not None
    assert budget.reset_after_ms == reset_after_ms


@pytest.mark.parametrize(
    ("headers", "limit_remaining"),
    [
        ({"limit": "-1", "remaining": "-1"}, None),
        ({"remaining": "-1"}, (None, -1)),
        ({"limit": "10", "remaining": "-3"}, (10, 0)),
        ({"limit": "10.0", "remaining": "9.9"}, (10, 9)),
        ({"limit": "1e400", "remaining": "5"}, (None, 5)),
        ({"limit": "many", "remaining": "nan"}, None),
        ({"limit": "10, 10;w=1, 50;w=60", "remaining": "3"}, (10, 3)),
    ],
)
def test_limits_and_what_remains(
    headers: dict[str, str], limit_remaining: tuple[int | None, int] | None
) -> None:
    """-1 is an unknown limit; a negative rest counts only where there is no limit."""
    found = parsed({f"x-ratelimit-{name}": text for name, text in headers.items()}, status=200)
    budget = found.rate_limit
    assert (None if budget is None else (budget.limit, budget.remaining)) == limit_remaining


def test_the_main_budget_is_the_exhausted_one_with_the_latest_reset() -> None:
    """Two budgets ran out: the later reset decides how long to wait."""
    headers = {
        f"x-ratelimit-{field}-{name}": text
        for name, values in {
            "requests-day": ("100", "0", "90s"),
            "requests": ("10", "0", "2s"),
            "tokens": ("1000", "1", "1h"),
            "images": ("-1", "-1", "1s"),
        }.items()
        for field, text in zip(("limit", "remaining", "reset"), values, strict=True)
    }
    found = parsed(headers, host="api.openai.com")
    assert found.retry_after_ms == 90_000
    assert found.rate_limit == found.limits["requests_day"]
    assert found.limits.keys() == {"requests_day", "requests", "tokens"}
    assert found.limits["requests_day"].unit == "requests"


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("Too Many Requests: retry after 35", 35_000),
        ("Please try again in 6m0s.", 360_000),
        ("Please try again in 20ms. Visit us.", 20),
        ("Please retry after 86400 seconds.", 86_400_000),
        ("you are doing that too much. try again in 5 minutes.", 300_000),
        ("Please retry in 34.074824224s.", 34_075),
        ("retry after -5", None),
        ("retry after 1e9", None),
        ("wait a few minutes before you try again", None),
        (f"retry after {'9' * 90}", None),
    ],
)
def test_words_are_the_last_resort(text: str, expected_ms: int | None) -> None:
    """A wait in the message counts where nothing else tells one, and never against a field."""
    for body in ({"message": text}, {"error": {"message": text}}, {"description": text}, text):
        assert wait({}, body) == expected_ms
        assert wait({"Retry-After": "9"}, body) == 9_000
        assert wait({}, body, status=200) is None


@pytest.mark.parametrize(
    ("status", "scope", "is_invalid"),
    [
        (401, None, True),
        (403, None, True),
        (403, "shared", True),
        (429, None, True),
        (429, "user", True),
        (429, "global", True),
        (429, "shared", False),
        (404, None, False),
        (200, None, False),
    ],
)
def test_invalid_requests_of_discord(status: int, scope: str | None, is_invalid: bool) -> None:
    """401, 403 and 429 count, a shared bucket's 429 does not."""
    headers = {"Via": "1.1 google"} | ({"X-RateLimit-Scope": scope} if scope else {})
    assert parsed(headers, status=status, host="discord.com").invalid_request is is_invalid
    assert parsed(headers, status=status).invalid_request is None


@pytest.mark.parametrize(
    ("host", "status", "headers", "body", "kind"),
    [
        ("api.openai.com", 429, {}, {"error": {"code": "insufficient_quota"}}, "quota_exhausted"),
        ("api.anthropic.com", 200, {}, {"error": {"type": "overloaded_error"}}, "overloaded"),
        ("openrouter.ai", 402, {}, None, "quota_exhausted"),
        ("openrouter.ai", 200, {}, {"error": {"code": 429}}, "rate_limited"),
        ("api.groq.com", 498, {}, None, "overloaded"),
        ("api.x.com", 429, {}, {"title": "UsageCapExceeded"}, "quota_exhausted"),
        ("api.github.com", 200, {}, {"errors": [{"type": "RATE_LIMITED"}]}, "rate_limited"),
        ("api.github.com", 403, {"Retry-After": "60"}, None, "rate_limited"),
        ("oauth.reddit.com", 200, {}, {"json": {"errors": [["RATELIMIT", ""]]}}, "rate_limited"),
        ("discord.com", 429, {}, None, "banned"),
        ("discord.com", 429, {"X-RateLimit-Global": "true"}, None, "rate_limited"),
        ("discord.com", 429, {"Via": "1.1 google"}, None, "rate_limited"),
        ("discord.com", 429, {"Via": "1.1 google"}, "<html>1015</html>", "banned"),
        ("generativelanguage.googleapis.com", 503, {}, None, "overloaded"),
        (GENERIC, 503, {}, None, "overloaded"),
        (GENERIC, 402, {}, None, "none"),
        (GENERIC, 500, {}, None, "none"),
        (None, None, None, None, "none"),
    ],
)
def test_kinds(host: str, status: int, headers: dict[str, str], body: Any, kind: str) -> None:
    """A code in the body decides before the platform's rule, and that before the status."""
    assert parsed(headers, body, status=status, host=host).kind == kind


@pytest.mark.parametrize(
    ("headers", "body", "platform"),
    [
        ({}, {"errcode": "M_LIMIT_EXCEEDED"}, "matrix"),
        ({}, {"ok": False, "error_code": 429, "parameters": {"retry_after": 5}}, "telegram"),
        ({}, {"error_code": 420, "error_message": "SLOWMODE_WAIT_7"}, "telegram_mtproto"),
        ({"X-RateLimit-Bucket": "b", "X-RateLimit-Reset-After": "1"}, None, "discord"),
        ({"X-GitHub-Request-Id": "1"}, None, "github"),
    ],
)
def test_a_platform_behind_an_unknown_host(headers: Any, body: Any, platform: str) -> None:
    """Own servers and proxies are known by the form of their answers."""
    for host in (GENERIC, "127.0.0.1:8081", "[::1]:80", None):
        assert parsed(headers, body, host=host).platform == platform


def test_windows_and_units_of_the_standard() -> None:
    """A policy tells window and unit; names with hyphens are keys with underscores."""
    found = parsed(
        {
            "ratelimit-policy": '"per-user";q=100;w=60;qu="content-bytes", "a,b;c";q=5;w=1',
            "ratelimit": ['"per-user";r=50;t=9', '"a,b;c";r=5'],
        },
        status=200,
    )
    assert found.limits.keys() == {"per_user", "a,b;c"}
    assert found.fields() == {
        "rate_limit_kind": "none",
        "rate_limit_limit": 100,
        "rate_limit_remaining": 50,
        "rate_limit_reset_after_ms": 9_000,
        "rate_limit_window_ms": 60_000,
        "rate_limit_bucket": "per-user",
        "rate_limit_unit": "content-bytes",
    }


def test_fields_have_no_nulls() -> None:
    """An answer without a word about limits has its kind and nothing else."""
    assert parsed({"Content-Type": "text/plain"}, status=200).fields() == {
        "rate_limit_kind": "none"
    }


@pytest.mark.parametrize(
    "received_at",
    [NOW, NOW.replace(tzinfo=None), float(EPOCH_S), "2026-11-22T03:00:00Z", NOW.timestamp()],
)
def test_when_it_was_received(received_at: Any) -> None:
    """A time, naive or not, text or seconds since 1970 mean the same."""
    found = rate_limits.parse(
        host="api.github.com",
        status=200,
        headers={"x-ratelimit-limit": "5", "x-ratelimit-reset": str(EPOCH_S + 60)},
        received_at=received_at,
    )
    assert found.rate_limit is not None
    assert found.rate_limit.reset_after_ms == 60_000
