from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote_plus

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkit.redaction import redact
from logkit.redaction.secrets import Secrets

NONE = Secrets({})


def with_secrets(**environment: str) -> Secrets:
    return Secrets(environment)


def line(**fields: Any) -> bytes:
    return orjson.dumps({"event": "x", **fields}) + b"\n"


TELEGRAM = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
DISCORD = "MTE4NzY1NDMyMTA5ODc2NTQzMg.GxXKwK.Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIzNDU2"
INTERACTION = "aW50ZXJhY3Rpb246MTE4NzY1NDMyMTA5ODc2NTQzMjpHeFhLd0tmRm9vQmFyQmF6UXV4"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {TELEGRAM} used", TELEGRAM.partition(":")[2]),
        (f"POST https://api.telegram.org/bot{TELEGRAM}/getMe", TELEGRAM.partition(":")[2]),
        ("http://127.0.0.1:81/bot12:short/getMe", "short"),
        (f"/bot{quote_plus(TELEGRAM)}/getMe", TELEGRAM.partition(":")[2]),
        (f"Bot {DISCORD}", DISCORD),
        (f"/api/webhooks/1187654321098765432/{DISCORD[34:]}", DISCORD[34:]),
        (f"/interactions/1187654321098765432/{INTERACTION}/callback", INTERACTION),
        (f"followup {INTERACTION}", INTERACTION),
        ("Authorization: Bearer abc123def456", "abc123def456"),
        ("authorization: bearer abc.def-ghi_jkl~mno+pqr/stu=", "abc.def-ghi_jkl~mno+pqr/stu="),
        ("Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
        ("using sk-proj-abcdef_1234567890-ABCDEF", "sk-proj-abcdef_1234567890-ABCDEF"),
        ("key AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_" + "aB3" * 12, "ghp_" + "aB3" * 12),
        ("github_pat_" + "aB3_" * 20, "github_pat_" + "aB3_" * 20),
        ("xoxb-123456789012-abcdefABCDEF", "xoxb-123456789012-abcdefABCDEF"),
        ("xapp-1-A0123-456-abcdef", "xapp-1-A0123-456-abcdef"),
        ("https://hooks.slack.com/services/T0/B0/XyZ123", "T0/B0/XyZ123"),
        ("AIza" + "Sy_0-" * 7, "AIza" + "Sy_0-" * 7),
        ("postgres://bot:hunter2@db/x", "hunter2"),
        ("GET /x?access_token=abcdef123&y=1", "abcdef123"),
        ("GET /x?key=abcdef123", "abcdef123"),
        ("password=opensesame", "opensesame"),
        ('{"password": "opensesame"}', "opensesame"),
        (json.dumps({"password": 'open"sesame\\'}), 'open\\"sesame\\\\'),
        ("{'password': 'opensesame', 'user': 'bo'}", "opensesame"),
        ("""{'password': "open'sesame", 'user': 'bo'}""", "open'sesame"),
        ("{b'x-api-key': b'opensesame'}", "opensesame"),
        ("Settings(password='opensesame', host='db')", "opensesame"),
        ('connect(password="open sesame")', "open sesame"),
        ("headers [('X-Api-Key', 'opensesame'), ('Accept', '*/*')]", "opensesame"),
        ("headers [(b'X-Api-Key', b'opensesame')]", "opensesame"),
        ("Authorization: Token opensesame1\r\nAccept: */*", "opensesame1"),
        ("Set-Cookie: session=opensesame; Path=/", "session=opensesame; Path=/"),
        ("x-api-key: opensesame1", "opensesame1"),
        ("the password: opensesame1", "opensesame1"),
    ],
)
def test_tokens_are_known_by_their_shape(text: str, secret: str) -> None:
    """The secret is gone, the rest stays, the mark is there, the line keeps its length."""
    original = line(message=text)
    redacted, count = redact(original, NONE)
    shown = orjson.loads(redacted)["message"]
    assert count == 1
    assert len(redacted) == len(original)
    assert secret not in shown
    length = len(json.dumps(secret)) - 2
    mark = "[redacted]" + "*" * (length - 10) if length >= 10 else "*" * length
    assert shown == text.replace(secret, mark)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T03:00:00.123456Z 10:20:30",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "4bf92f3577b34da6a3ce929d0e0e4736 118765432109876543",
        "task-1234567890123456 on disk-abcdefghijklmnopqrst",
        "the bearer of this message; basic authentication required; Bearer tokens",
        "discord.ext.commands.errors.CommandInvokeError",
        "input_tokens=12345678 page=1234567",
        "bo@example.org wrote https://example.org/a?b=c",
        "https://discord.com/api/v10/channels/{channel_id}/messages",
        "/webhooks/{webhook_id}/{token}/messages/@original",
        "no authorization: please log in; wrong password: 3 attempts left",
        "{'input_tokens': '12', 'key': 'abc'} [('Accept', '*/*')] cookie: none",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """Ids, times, paths and prose are no secrets."""
    original = line(message=text)
    assert redact(original, NONE) == (original, 0)


def test_fields_of_nested_objects_are_known_by_name() -> None:
    """Headers and bodies that were logged whole keep their other fields."""
    original = line(
        headers={"Authorization": "Bot x", "Accept": "*/*", "X-Api-Key": "abc"},
        items=[{"clientSecret": "s3cret", "input_tokens": 5, "token": "[redacted]"}],
    )
    redacted, count = redact(original, NONE)
    assert count == 3
    fields = orjson.loads(redacted)
    assert fields["headers"] == {"Authorization": "*****", "Accept": "*/*", "X-Api-Key": "***"}
    assert fields["items"] == [{"clientSecret": "******", "input_tokens": 5, "token": "[redacted]"}]


def test_secrets_that_are_no_text_are_known_by_name() -> None:
    """Lists, objects and passwords of digits give way to a text; figures stay."""
    original = line(
        settings={"passwords": ["a"], "api_key": ["one", {"two": "three"}], "token": 5},
        login={"password": 12345, "pin_password": 1, "auth": {}, "user": [1]},
        headers=[["X-Api-Key", 'a"b'], ["Accept", "*/*"]],
    )
    redacted, count = redact(original, NONE)
    assert len(redacted) == len(original)
    fields = orjson.loads(redacted)
    assert fields["settings"]["api_key"].startswith("[redacted]*")
    assert fields["settings"]["token"] == 5
    assert fields["login"] == {"password": "***", "pin_password": 0, "auth": "", "user": [1]}
    assert fields["headers"] == [["X-Api-Key", "****"], ["Accept", "*/*"]]
    assert count == 6


@pytest.mark.parametrize("name", ["BOT_TOKEN", "app_secret", "OPENAI_KEY", "DB_PASSWORD"])
def test_values_of_the_environment_are_secrets(name: str) -> None:
    """Wherever they are: in text, in URLs, in JSON and in JSON inside that."""
    secret = 'p&ss "wörd\\1/'
    known = with_secrets(**{name: secret})
    in_json = json.dumps({"x": secret})
    for text in [secret, f"a{secret}b", quote_plus(secret), in_json, json.dumps([in_json])]:
        redacted, count = redact(line(message=text), known)
        assert count >= 1
        assert b"rd" not in redacted
        orjson.loads(redacted)


def test_a_number_that_is_a_secret_leaves_valid_json() -> None:
    """Outside quotes it becomes null, inside it is masked."""
    known = with_secrets(PIN_KEY="12345678")
    redacted, count = redact(line(pin=12345678, text="pin 12345678", other=5), known)
    assert orjson.loads(redacted) == {
        "event": "x",
        "pin": None,
        "text": "pin ********",
        "other": 5,
    }
    assert count == 2


@pytest.mark.parametrize("value", ["", "abc", "event", "timestamp", "stance", "critical", "123456"])
def test_values_that_would_break_lines_are_no_secrets(value: str) -> None:
    """Short values, names of fields and levels, and numbers that turn up by chance stay."""
    original = line(
        timestamp="2026-11-22T03:00:00.123456Z", instance="a", level="critical", v=value
    )
    assert redact(original, with_secrets(SOME_KEY=value)) == (original, 0)


def test_protected_texts_stay() -> None:
    """A password that is part of the service's name must not take the service away."""
    known = with_secrets(DB_PASSWORD="postgres")
    assert redact(line(message="postgres"), known)[1] == 1
    known.protect("postgres-bot", None)
    assert redact(line(service="postgres-bot"), known)[1] == 0


def test_registered_secrets() -> None:
    """What the bot names is redacted from then on; less than 4 characters cannot be."""
    known = with_secrets()
    assert redact(line(message="tiny swordfish"), known)[1] == 0
    known.register("swordfish")
    known.register("tin")
    assert redact(line(message="tiny swordfish"), known) == (line(message="tiny *********"), 1)


def test_the_environment_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set later, as by a .env file, is known within a second or so."""
    environment: dict[str, str] = {}
    known = Secrets(environment)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert redact(line(message="late-secret"), known)[1] == 0
    environment["LATE_TOKEN"] = "late-secret"
    now += 1.1
    assert redact(line(message="late-secret"), known)[1] == 1


@given(
    st.lists(
        st.dictionaries(
            st.one_of(st.text(max_size=8), st.sampled_from(["password", "o", "token"])),
            st.one_of(
                st.text(max_size=60),
                st.text(alphabet="password'\"\\\\:=[({ ", max_size=60),
                st.builds(lambda text: json.dumps({"token": text}), st.text(max_size=20)),
                st.builds(lambda text: repr({"token": text}), st.text(max_size=20)),
                st.dictionaries(
                    st.just("password"),
                    st.recursive(
                        st.one_of(st.integers(0, 999), st.text(max_size=9)),
                        lambda inner: st.lists(inner, max_size=3),
                        max_leaves=4,
                    ),
                ),
                st.integers(-(2**63), 2**63),
                st.floats(allow_nan=False, allow_infinity=False),
                st.lists(st.text(max_size=20), max_size=3),
                st.sampled_from([TELEGRAM, DISCORD, "hunter22", "87654321", 87654321, "a=b"]),
            ),
            max_size=5,
        ),
        max_size=60,
    )
)
def test_lines_stay_lines(events: list[dict[str, Any]]) -> None:
    """Length, number of lines and JSON hold, no secret is left, and batches do not matter."""
    known = with_secrets(A_PASSWORD="hunter22", B_KEY="87654321")
    lines = [orjson.dumps(event) + b"\n" for event in events]
    batch = b"".join(lines)
    redacted, count = redact(batch, known)
    assert len(redacted) == len(batch)
    assert [redact(each, known)[0] for each in lines] == redacted.splitlines(keepends=True)
    for each in redacted.split(b"\n")[:-1]:
        orjson.loads(each)
    assert b"hunter22" not in redacted
    assert b"AAHdqTcv" not in redacted
    assert (count == 0) == (redacted == batch)


def test_secrets_in_a_large_batch_are_found() -> None:
    """Beginning, end and borders of pieces make no difference."""
    clean, dirty = line(message="x" * 300), line(message=TELEGRAM)
    batch = b"".join(dirty if number % 97 == 0 else clean for number in range(3_000))
    redacted, count = redact(batch, NONE)
    assert count == 31
    assert b"AAHdq" not in redacted
    assert len(redacted) == len(batch)


def test_off_is_off() -> None:
    """Nothing is looked at."""
    known = with_secrets(A_TOKEN="swordfish")
    known.is_on = False
    assert redact(line(message=f"swordfish {TELEGRAM}"), known)[1] == 0
