from __future__ import annotations

import logging
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkit.names import MAX_NAME_LENGTH, describe, is_name
from logkit.testing import capture_events


@pytest.mark.parametrize(
    ("template", "args", "event", "message"),
    [
        ("api_call", (), "api_call", None),
        ("started", (), "started", None),
        ("api_call", ("x", 3), "api_call", "api_call x 3"),
        ("Shard ID %s has connected", (3,), "shard_id_has_connected", "Shard ID 3 has connected"),
        ("%(who)s joined the %(at)s", ({"who": "Bo", "at": "x"},), "joined_the", "Bo joined the x"),
        ("Can't reach %r", ("x",), "cant_reach", "Can't reach 'x'"),
        ("user_id=%d left", (5,), "user_id_left", "user_id=5 left"),
        ("S3 upload took %.1f s", (1.25,), "s3_upload_took_s", "S3 upload took 1.2 s"),
        ("Ready", (), "bot_main_ready", "Ready"),
        ("%s", ("x",), "bot_main_message", "x"),
        ("user 123 joined 'The Hall'", (), "user_joined", "user 123 joined 'The Hall'"),
        ("GET https://x.org/a?b=c failed", (), "get_failed", "GET https://x.org/a?b=c failed"),
        ("[26/Nov/2026:02:10 +0000] lost", (), "bot_main_lost", "[26/Nov/2026:02:10 +0000] lost"),
        ("100% sure", (), "bot_main_sure", "100% sure"),
        ("Пользователь вошёл", (), "пользователь_вошёл", "Пользователь вошёл"),
        ("Takes %s and %s", ("one",), "takes_and", "Takes %s and %s one"),
        ("\n--\nlogin failed\nTraceback (most recent)", (), "login_failed",
         "\n--\nlogin failed\nTraceback (most recent)"),
        ("/a/b.py:7: UserWarning: odd loop\n  run(loop)\n", (), "userwarning_odd_loop",
         "/a/b.py:7: UserWarning: odd loop\n  run(loop)\n"),
        ("a b c d e f g h i j", (), "a_b_c_d_e_f_g_h", "a b c d e f g h i j"),
    ],
)  # fmt: skip
def test_event_and_message(
    template: str, args: tuple[object, ...], event: str, message: str | None
) -> None:
    """A name stays; text becomes the message, and its template without values the name."""
    assert describe(template, args, "bot.main") == (event, message)


@given(text=st.text(), logger=st.text(max_size=20), args=st.sampled_from([(), (1,), ("a", None)]))
def test_every_text_gives_a_name(text: str, logger: str, args: tuple[object, ...]) -> None:
    """Names are never empty nor long, and hold letters, digits and underscores only."""
    event, _ = describe(text, args, logger)
    assert 0 < len(event) <= MAX_NAME_LENGTH
    assert event.replace("_", "").isalnum()
    assert event == text or not is_name(text)


def test_texts_full_of_values_end_under_few_names() -> None:
    """A logger that builds each text anew gets a bounded number of names, no event is lost."""
    logger = logging.getLogger("talkative")
    with capture_events() as events:
        for number in range(1_000):
            letters = "".join(chr(ord("a") + int(digit)) for digit in str(number))
            logger.info(f"Hello dear {letters}")
    assert len(events) == 1_000
    assert len({event["event"] for event in events}) <= 201
    assert events[-1]["event"] == "talkative_message"
    assert events[-1]["message"] == "Hello dear jjj"


def test_loggers_named_after_users_are_not_remembered_for_ever() -> None:
    """A logger for each guild or user costs no memory that grows."""
    describe("A text of its own", (), "bot.guild.warm")
    tracemalloc.start()
    for number in range(20_000):
        describe(f"Text number {number}", (), f"bot.guild.{number}")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_500_000
