"""The fake platform limits rates for real and says so as Discord does."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

EDIT = "/channels/1/messages/2"


def _call(
    url: str, method: str, path: str, body: dict[str, Any] | None = None
) -> tuple[int, dict[str, str], dict[str, Any]]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request(method, path, json.dumps(body or {}))
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), json.loads(response.read())
    connection.close()
    return answer


def _drain(url: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Call until the budget is empty; return the first refusal."""
    for _ in range(100):
        answer = _call(url, "PATCH", EDIT)
        if answer[0] == 429:
            return answer
    raise AssertionError("never refused")


def test_a_budget_lets_through_its_size_and_what_grew_since(platform_url: str) -> None:
    """Five at once, two more a second, the rest is refused."""
    begun_at = time.monotonic()
    statuses = [_call(platform_url, "PATCH", EDIT)[0] for _ in range(40)]
    elapsed_s = time.monotonic() - begun_at
    assert set(statuses) == {200, 429}
    assert 5 <= statuses.count(200) <= 5 + 2 * elapsed_s


def test_a_refusal_looks_like_discords(platform_url: str) -> None:
    """Headers, exact content type and body are what clients of Discord look for."""
    asked_at = time.time()
    _, headers, body = _drain(platform_url)
    assert headers["Content-Type"] == "application/json"
    assert headers["Via"]
    assert headers["X-RateLimit-Scope"] == "user"
    assert headers["X-RateLimit-Limit"] == "5"
    assert headers["X-RateLimit-Remaining"] == "0"
    assert float(headers["X-RateLimit-Reset-After"]) > 0
    assert float(headers["X-RateLimit-Reset"]) > asked_at
    assert len(headers["X-RateLimit-Bucket"]) == 16
    assert int(headers["Retry-After"]) >= body["retry_after"] > 0
    assert body["global"] is False


def test_who_waits_as_told_is_let_through(platform_url: str) -> None:
    """The wait that a 429 demands is long enough."""
    _, _, body = _drain(platform_url)
    time.sleep(body["retry_after"])
    assert _call(platform_url, "PATCH", EDIT)[0] == 200


def test_a_route_is_slow_and_fails_on_demand(platform_url: str) -> None:
    """``/__behave`` sets a route's delay and its next failures, for that route alone."""
    wish = {"method": "POST", "endpoint": "/channels/{channel_id}/messages"}
    _call(platform_url, "POST", "/__behave", wish | {"delay_ms": 200, "fail_next": 2})
    begun_at = time.monotonic()
    statuses = [_call(platform_url, "POST", "/channels/1/messages")[0] for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert time.monotonic() - begun_at >= 0.6
    assert _call(platform_url, "GET", "/guilds/1/members/2")[0] == 200


def test_truth_holds_every_answer(platform_url: str) -> None:
    """Each answer is remembered with route template, status and demanded wait."""
    _, headers, body = _drain(platform_url)
    assert _call(platform_url, "GET", "/nowhere")[0] == 404
    truth = _call(platform_url, "GET", "/__truth")[2]
    *_, denied, lost = truth["answers"]
    assert (denied["status_code"], denied["scope"]) == (429, "user")
    assert denied["endpoint"] == "/channels/{channel_id}/messages/{message_id}"
    assert denied["retry_after_ms"] == round(body["retry_after"] * 1_000)
    assert denied["bucket"] == headers["X-RateLimit-Bucket"]
    assert (lost["endpoint"], lost["status_code"]) == ("/nowhere", 404)
    assert sum(count["answers"] for count in truth["counts"]) == len(truth["answers"])
