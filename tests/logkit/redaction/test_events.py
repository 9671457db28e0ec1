"""Secrets on the way from a log call to a file."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit.redaction.names import is_secret_name
from logkit.testing import capture_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]

log = logkit.get_logger("bot")


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("token", True),
        ("bot_token", True),
        ("accessToken", True),
        ("API_KEY", True),
        ("x-api-key", True),
        ("apikey", True),
        ("password", True),
        ("password_hash", True),
        ("Set-Cookie", True),
        ("client_secret", True),
        ("authorization", True),
        ("input_tokens", False),
        ("token_count", False),
        ("key", False),
        ("cache_key", False),
        ("author", False),
        ("secretary", False),
    ],
)
def test_names_of_secrets(name: str, is_secret: bool) -> None:
    """Names that end in a word for a secret; plurals and counts are figures."""
    assert is_secret_name(name) is is_secret


def test_fields_are_masked_at_the_call(events: Events) -> None:
    """By name, in the call, on the logger and in the context; marked and counted."""
    before = logkit.stats()["redacted"]
    with logkit.bind(session_cookie="abc"):
        log.bind(apiKey="def").info("login", password=1234, token="ghi", user_id=7, token_count=3)
    (event,) = events()
    assert event["password"] == event["token"] == event["apiKey"] == "[redacted]"
    assert event["session_cookie"] == "[redacted]"
    assert (event["user_id"], event["token_count"]) == ("7", 3)
    assert logkit.stats()["redacted"] - before == 4


def test_no_value_is_no_secret(events: Events) -> None:
    """None, False and an empty text say that there is none, and a number may be a count."""
    log.info("login", password=None, token="", secret=False, auth=5)
    (event,) = events()
    assert event["password"] is None
    assert (event["token"], event["secret"], event["auth"]) == ("", False, 5)


def test_values_are_redacted_in_the_file(monkeypatch: pytest.MonkeyPatch, log_path: Path) -> None:
    """The variable's value is in no line, whichever interface it came through."""
    monkeypatch.setenv("MY_BOT_TOKEN", "correct-horse-battery")
    logkit.configure("bot", path=log_path)
    log.info("started", url="https://x/correct-horse-battery/y")
    logging.getLogger("lib").warning("using %s", "correct-horse-battery")
    try:
        raise ValueError("bad token correct-horse-battery")
    except ValueError:
        log.exception("login_failed")
    assert logkit.flush()
    text = log_path.read_text()
    assert "correct-horse" not in text
    assert text.count("[redacted]***********") == 3
    assert logkit.stats()["redacted"] >= 3
    for each in text.splitlines():
        json.loads(each)


def test_redaction_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, log_path: Path) -> None:
    """On request everything is written as it is."""
    monkeypatch.setenv("MY_BOT_TOKEN", "correct-horse-battery")
    logkit.configure("bot", path=log_path, redact=False)
    log.info("started", password="hunter2", text="correct-horse-battery")
    assert logkit.flush()
    event = json.loads(log_path.read_text())
    assert (event["password"], event["text"]) == ("hunter2", "correct-horse-battery")


def test_the_formatter_and_captured_events_are_redacted() -> None:
    """Both show what configure() would have written."""
    logkit.register_secret("swordfish")
    record = logging.LogRecord("bot", 20, __file__, 1, "the word is %s", ("swordfish",), None)
    assert "swordfish" not in logkit.JsonFormatter("bot").format(record)
    with capture_events() as captured:
        log.info("opened", word="swordfish")
    assert captured[0]["word"] == "*********"


@pytest.mark.parametrize("shown", [1, 6, 14])
@pytest.mark.parametrize(
    "secret",
    ["sk-proj-abcdef_1234567890-ABCDEF", "://bot:correct-horse@db", 'registered "word" 日本'],
    ids=["shape", "url", "registered"],
)
@pytest.mark.parametrize("is_nested", [False, True], ids=["text", "nested"])
def test_no_half_of_a_secret_is_left_where_a_value_is_cut(
    secret: str, shown: int, is_nested: bool
) -> None:
    """Wherever the cut falls, nothing that only redaction of the whole would know stays."""
    logkit.register_secret('registered "word" 日本')
    limit = 49_152 - (9 if is_nested else 0)  # {"text":"
    text = "." * (limit - shown) + secret + "." * 30_000
    with capture_events() as captured:
        log.info("loaded", value={"text": text} if is_nested else text)
    (event,) = captured
    left = event["value"].strip('{}tex":…').strip(".")
    assert left == "" or set(left) <= set("[redacted]*") or left in "://bot:[redacted]*"
    assert len(event["value"]) == 49_153


def test_locals_are_in_no_stack(events: Events) -> None:
    """A traceback has files, lines and functions, and no values."""

    def login(password: str) -> None:
        raise RuntimeError("no")

    try:
        login("opensesame")
    except RuntimeError:
        log.exception("login_failed")
    assert "opensesame" not in str(events())
