"""What a stream lacks, and what it should not hold."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from .random_events import (
    Event,
    assert_same_rows,
    events,
    grouped,
    inside,
    is_error,
    is_request,
    nulls_last,
    on_random_events,
    windows,
)

if TYPE_CHECKING:
    from logkit_analysis.time_window import Window

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
A36 = "abcdefghijklmnopqrstuvwxyz0123456789"


@on_random_events
@given(rows=events, window=windows)
def test_missing_fields(store: Any, rows: list[Event], window: Window) -> None:
    """Each count is of the rows that would need the field and lack it."""
    for index, row in enumerate(rows):
        row["endpoint"] = row["endpoint"] and (row["endpoint"] + ("/7" if index % 3 else ""))
    store.fill(rows)
    expected = []
    for (service,), group in grouped(inside(rows, window), lambda r: (r["service"],)).items():
        requests = [row for row in group if is_request(row)]
        failures = [r for r in group if is_error(r) or r["level"] in ("error", "critical")]
        expected.append(
            {
                "service": service,
                "lines": len(group),
                "no_level": sum(row["level"] is None for row in group),
                "no_event": sum(row["event"] is None for row in group),
                "no_instance": sum(None in (row["instance"], row["seq"]) for row in group),
                "requests": len(requests),
                "no_duration": sum(row["duration_ms"] is None for row in requests),
                "no_correlation_id": sum(row["correlation_id"] is None for row in requests),
                "failures": len(failures),
                "no_error_type": sum(
                    row["status_code"] is None and row["error_type"] is None for row in failures
                ),
                "events": len({row["event"] for row in group} - {None}),
                "endpoints": len({row["endpoint"] for row in group} - {None}),
                "raw_endpoints": sum(
                    bool(re.search(r"/\d+$", row["endpoint"] or "")) for row in requests
                ),
            }
        )
    expected.sort(key=lambda row: nulls_last(row["service"]))
    assert_same_rows(store.run("missing_fields", window), expected)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param(f"MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.{A36}", "discord_token", id="discord"),
        pytest.param(f"/bot123456789:{A36[:35]}/sendMessage", "telegram_token", id="telegram"),
        pytest.param("xox" + "b-17653672481-19874698323", "slack_token", id="slack"),
        pytest.param("sk-" + "proj_" + A36, "api_key", id="openai"),
        pytest.param("gh" + "p_" + A36, "github_token", id="github"),
        pytest.param("AKIA" + "IOSFODNN7EXAMPLE", "aws_key", id="aws"),
        pytest.param("Authorization: Bearer " + A36, "bearer_token", id="bearer"),
        pytest.param("redis://bot:hunter2@cache:6379/0", "password_in_url", id="url"),
        pytest.param("-----BEGIN RSA " + "PRIVATE KEY-----", "private_key", id="private_key"),
        pytest.param("redis://bot:***@cache:6379/0", None, id="already_redacted"),
        pytest.param(
            "https://discord.com/api/v10/channels/198622483471925248", None, id="url_only"
        ),
        pytest.param("task-0123456789 took 12:30:59", None, id="plain_text"),
        pytest.param(f"trace {A36} of 550e8400-e29b-41d4-a716-446655440000", None, id="ids"),
    ],
)
@pytest.mark.parametrize("field", ["message", "error_message", "fields"])
def test_secrets_are_known_by_their_shape(
    store: Any, text: str, kind: str | None, field: str
) -> None:
    """Kind and place are told, in whatever field the secret stands, and never the secret."""
    value = json.dumps({"note": text}) if field == "fields" else text
    store.fill([{"timestamp": START, "service": "bot", "event": "e", field: value}])
    found = store.run("plain_secrets")
    assert [(row["kind"], row["field"]) for row in found] == ([(kind, field)] if kind else [])
    assert text not in str(found)
