from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import itertools
import logging
import math
import pathlib
import time
import tracemalloc
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logkit
from logkit import schema
from logkit.encoding import encode
from logkit.stdlib import PipelineHandler
from logkit.testing import capture_events, violations

if TYPE_CHECKING:
    from collections.abc import Callable

    Events = Callable[[], list[dict[str, Any]]]


class _FailingRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class _NoText:
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


class _LoggingRepr:
    def __repr__(self) -> str:
        logkit.get_logger("bot").info("logged_while_printing")
        return "printed"


class _FailingMapping(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("no items")


class _Colour(enum.Enum):
    RED = object()


@dataclasses.dataclass
class _Holder:
    value: object


class _NoZone(dt.tzinfo):
    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta | None:
        raise RuntimeError("no offset")

    dst = utcoffset

    def tzname(self, moment: dt.datetime | None) -> str | None:
        raise RuntimeError("no name")


class _Pretender:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return dict


class _NoClass:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise RuntimeError("no class")


class _Unwilling(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)


class _Yielding:
    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self


class _EndlessMapping(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return map(str, itertools.count())

    def __len__(self) -> int:
        return 1


class _ScalarOfItsOwn:
    def tolist(self) -> Any:
        return self

    def __str__(self) -> str:
        return "1.5"


class _Words(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def encode(self, *_: Any) -> bytes:
        raise RuntimeError("no bytes")


class _Amount(int):
    def __repr__(self) -> str:
        raise RuntimeError("no digits")

    __int__ = __index__ = __str__ = __repr__  # type: ignore[assignment]


class _NoTruth:
    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


class _Meddler:
    """Empties what it is in when it is printed."""

    def __init__(self, place: Any) -> None:
        place["list"].append(self)
        self._place = place

    def __str__(self) -> str:
        self._place["list"].clear()
        self._place.clear()
        return "meddled"


def meddled() -> dict[str, Any]:
    place: dict[str, Any] = {"list": [1, 2], "after": [3]}
    _Meddler(place)
    return place


def repeated(depth: int) -> Any:
    """Return little in memory that is 2**depth items when written."""
    value: Any = ["x"]
    for _ in range(depth):
        value = [value, value]
    return value


def chained(length: int) -> Any:
    chain: Any = ()
    for number in range(length):
        chain = (number, chain)
    return chain


def nameless() -> type:
    # Not in the module itself, where pytest would touch it.
    return _Unwilling("Nameless", (), {})


def cycle() -> list[Any]:
    ring: list[Any] = [1]
    ring.append({"again": ring})
    return ring


def nested(depth: int) -> Any:
    value: Any = "end"
    for number in range(depth):
        value = [value] if number % 2 else {"deeper": value}
    return value


def log_as_record(msg: Any, *args: Any, **extra: Any) -> None:
    # Not through the root logger: pytest's own handler there cannot take these values.
    record = logging.LogRecord("bot", logging.WARNING, __file__, 1, msg, args, None)
    vars(record).update(extra)
    PipelineHandler().handle(record)


HOSTILE: dict[str, Any] = {
    "nan": math.nan,
    "infinity": [math.inf, -math.inf],
    "big_integer": 10**30,
    "negative_big_integer": -(2**63) - 1,
    "huge_integer": 10**5000,
    "bytes": b"\xff\x00abc",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "surrogate": "a\ud800b",
    "surrogate_inside": {"list": ["\udfff"]},
    "control_characters": "line\r\nbreak\x00\x1b[31m\u2028",
    "failing_repr": _FailingRepr(),
    "no_text": _NoText(),
    "logging_repr": _LoggingRepr(),
    "failing_mapping": _FailingMapping(a=1),
    "cycle": cycle(),
    "deep": nested(5_000),
    "integer_keys": {1: "a", "1": "b", 2.5: "c"},
    "tuple_keys": {(1, 2): "a"},
    "failing_keys": {_FailingRepr(): 1},
    "surrogate_keys": {"\ud800": 1},
    "set": {1, 2},
    "failing_set": {_FailingRepr()},
    "generator": (number for number in range(3)),
    "class": int,
    "function": cycle,
    "exception": ValueError("text"),
    "enum_of_object": _Colour.RED,
    "dataclass_of_object": _Holder(_FailingRepr()),
    "dataclass_in_itself": _Holder(_Holder(cycle())),
    "decimal": decimal.Decimal("1.10"),
    "path": pathlib.Path("/x/\udcff"),
    "zone_that_fails": dt.datetime(2026, 1, 1, tzinfo=_NoZone()),
    "first_moment": dt.datetime.min.replace(tzinfo=dt.timezone.max),
    "time_of_day": dt.time(1, tzinfo=dt.UTC),
    "nan_decimal": decimal.Decimal("sNaN"),
    "long_chain": chained(100_000),
    "repeated": repeated(40),
    "endless_mapping": _EndlessMapping(),
    "pretended_mapping": [_Pretender()],
    "no_class": [_NoClass()],
    "nameless_class": [nameless()],
    "yielding": _Yielding(),
    "scalar_of_its_own": _ScalarOfItsOwn(),
    "words": _Words("text"),
    "amount": _Amount(5),
    "no_truth": _NoTruth(),
    "released_memory": memoryview(b"x")[:0],
    "meddler": meddled(),
    "long_key": {"k" * 1_000_000: 1},
    "many_keys": {str(number): number for number in range(200_000)},
    "long_text": "ä" * 200_000,
    "long_list": list(range(100_000)),
    "long_surrogates": "\ud800" * 100_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_any_value_is_one_valid_line(events: Events, log_path: Any, value: Any) -> None:
    """No value raises, splits the line, breaks the JSON or touches the envelope."""
    log = logkit.get_logger("bot")
    log.info("before")
    log.warning("hostile_value", value=value, status_code=418)
    log_as_record("hostile_value", value=value, status_code=418)
    log.bind(value=value).warning("hostile_value", status_code=418)
    log.info("after")
    assert logkit.flush()
    lines = [line for line in log_path.read_bytes().splitlines() if b"while_printing" not in line]
    assert max(map(len, lines)) < schema.MAX_LINE_BYTES
    before, *hostile, after = map(orjson.loads, lines)
    assert (before["event"], after["event"]) == ("before", "after")
    assert len(hostile) == 3
    for event in hostile:
        assert violations(event) == []
        assert event["event"] == "hostile_value"
        assert event["level"] == "warning"
        assert event["status_code"] == 418
        assert "value" in event
        assert "logkit_error" not in event


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, None),
        (2**64 - 1, 2**64 - 1),
        (2**64, "18446744073709551616"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff", "\\xff"),
        ("\ud800", "\\ud800"),
        ({1: "a"}, {"1": "a"}),
        ({1: "a", "1": "b"}, {"1": "a", "1_": "b"}),
        (ValueError("text"), "ValueError: text"),
        (_FailingRepr(), "<unprintable _FailingRepr>"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "2026-01-01T00:00:00Z"),
        (dt.date(2026, 1, 1), "2026-01-01"),
        (dt.datetime(2026, 1, 1, tzinfo=_NoZone()), "<unreadable datetime>"),
        (_Colour.RED, str(_Colour.RED.value)),
        (_Words("text"), "text"),
        (_Amount(5), 5),
        (_ScalarOfItsOwn(), "1.5"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (collections.Counter("a"), {"a": 1}),
        (_Holder(1), {"value": 1}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_written_as_the_nearest_thing(value: Any, written: Any) -> None:
    """Each kind of value has one documented form."""
    assert orjson.loads(encode({"value": value})) == {"value": written}


@pytest.mark.parametrize("flag", ["exc_info", "stack_info"])
def test_what_is_neither_true_nor_false_is_no_exception(flag: str) -> None:
    """An array under the name of a flag costs no event."""
    with capture_events() as captured:
        logkit.get_logger("bot").warning("array_given", **{flag: _NoTruth()})
    assert captured[0]["event"] == "array_given"
    assert "logkit_error" not in captured[0]


@pytest.mark.parametrize("make", [_Pretender, _NoClass, nameless])
def test_what_cannot_even_be_named_is_an_event_that_says_so(make: Callable[[], Any]) -> None:
    """An object in the place of the event's name that fails at any touch is told, not dropped."""
    with capture_events() as captured:
        logkit.get_logger("bot").warning(make())
    assert len(captured) == 1


class _FailingError(Exception):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class _EndlessWaitError(Exception):
    retry_after = 10**400


@pytest.mark.parametrize("error_class", [_FailingError, _EndlessWaitError])
@pytest.mark.parametrize(
    "block",
    [
        lambda: logkit.bind(a=1),
        lambda: logkit.timed("work"),
        lambda: logkit.CircuitBreaker("api", failure_threshold=1),
    ],
    ids=["bind", "timed", "breaker"],
)
def test_an_exception_whose_own_code_fails_passes_a_block_as_it_is(
    block: Callable[[], Any], error_class: type[Exception]
) -> None:
    """The bot gets its own exception, and the event about it has its text."""
    passed: list[str] = []
    with capture_events() as captured:
        try:
            with block():
                raise error_class("no")
        except Exception as error:  # noqa: BLE001 - pytest.raises would read attributes of it
            passed.append(type(error).__name__)
    assert passed == [error_class.__name__]
    assert [event["error_message"] for event in captured] == ["no"] * len(captured)


@pytest.mark.parametrize(
    "level", [None, [], "loud", _NoTruth()], ids=["none", "list", "no_such", "no_truth"]
)
def test_what_is_no_level_is_info(level: Any) -> None:
    """A level that was computed wrongly costs no event."""
    with capture_events() as captured:
        logkit.get_logger("bot").log(level, "computed")
    assert captured[0]["level"] == "info"


def test_keys_that_all_look_alike_are_kept_in_no_time() -> None:
    """Each gets a name of its own, without a look at all the others."""

    class _Alike:
        def __str__(self) -> str:
            return "key"

    started = time.thread_time()
    with capture_events() as captured:
        logkit.get_logger("bot").info("counted", counts={_Alike(): 1 for _ in range(3_000)})
    assert len(captured[0]["counts"]) == 3_000
    assert time.thread_time() - started < 1


def test_names_that_users_write_are_not_kept(events: Events) -> None:
    """Payloads as fields, and events that processors name, cost no memory that grows."""
    log = logkit.get_logger("bot")
    log.info("received", **{"x" * 60_000: 1})
    tracemalloc.start()
    for number in range(100):
        log.info("received", **{f"{number}" + "x" * 60_000: 1})
    logkit.flush()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(events()) >= 100
    assert kept < 2_000_000


TEMPLATES: dict[str, Any] = {
    "none": None,
    "empty": "",
    "spaces": " \n\t",
    "bytes": b"text",
    "number": 7,
    "failing_repr": _FailingRepr(),
    "mapping": {"a": 1},
    "mapping_with_event": {"event": "named", "level": "x"},
    "list": ["a"],
    "surrogate": "Text \ud800",
    "long": "Word " * 100_000,
    "placeholder_only": "%s",
    "too_many_placeholders": "Text %s %d",
    "wrong_placeholder": "Text %z %",
}


@pytest.mark.parametrize("args", [(), ("a", _FailingRepr())], ids=["no_args", "args"])
@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_any_template_is_one_valid_event(template: Any, args: tuple[Any, ...]) -> None:
    """Whatever is logged gives an event with a name, from logkit and from logging."""
    with capture_events() as captured:
        logkit.get_logger("bot").warning(template, *args)
        log_as_record(template, *args)
    assert len(captured) == 2
    own, stdlibs = ({k: v for k, v in e.items() if k not in {"timestamp", "seq"}} for e in captured)
    assert own == stdlibs
    assert own["event"].replace("_", "").isalnum()
    assert "logkit_error" not in own


@pytest.mark.parametrize("name", sorted(schema.ENVELOPE | {"self", "template", "args", "context"}))
def test_a_key_of_the_envelope_gives_way(name: str) -> None:
    """A caller's key that clashes is kept as field_<name>, also beside one of that name."""
    with capture_events() as captured:
        log = logkit.get_logger("bot")
        log.info("clashed", **{name: "mine"})
        log.info("clashed", **{name: "mine", f"field_{name}": "first"})
        log.bind(**{name: "mine"}).info("clashed")
        with logkit.bind(**{name: "mine"}):
            log.info("clashed")
    kept = f"field_{name}" if name in schema.ENVELOPE else name
    first, second, third, fourth = captured
    assert first[kept] == third[kept] == fourth[kept] == "mine"
    assert second[f"field_{name}"] == "first"
    assert second[f"field_{kept}" if name in schema.ENVELOPE else name] == "mine"
    assert all(event["event"] == "clashed" for event in captured)


def test_numeric_ids_are_written_as_text() -> None:
    """Snowflakes exceed 2^53, so an id given as a number becomes a string everywhere."""
    with capture_events() as captured:
        log = logkit.get_logger("bot").bind(guild_id=2**60)
        with logkit.bind(user_id=7):
            log.info("command_handled", channel_id=8)
    (event,) = captured
    assert (event["guild_id"], event["user_id"], event["channel_id"]) == (str(2**60), "7", "8")


def test_a_long_text_keeps_most_of_the_room_there_is() -> None:
    """One long text, a library's too, is cut to 48 Ki characters and not to a quarter of a line."""
    with capture_events() as captured:
        logging.getLogger("library").warning("%s", "x" * 100_000)
    assert len(captured[0]["message"]) == 49_153
    assert captured[0]["truncated_from"] > 100_000


@pytest.mark.parametrize("value", ["x" * 70_000, b"x" * 70_000], ids=["text", "bytes"])
def test_what_json_has_as_text_is_cut_as_text(value: object) -> None:
    """Bytes, and objects that are told by their text, have no quotes of their own."""
    with capture_events() as captured:
        logkit.get_logger("bot").info("loaded", value=value)
    assert captured[0]["value"] == "x" * 49_152 + "…"


def test_a_long_line_is_cut_to_valid_json_and_says_so() -> None:
    """Short declared fields survive the cut; truncated_from holds the bytes before."""
    with capture_events() as captured:
        logkit.get_logger("bot").error(
            "api_call_failed",
            body="y" * 100_000,
            **{f"key_{number}": "x" * 100 for number in range(2_000)},
            status_code=500,
        )
    (event,) = captured
    assert event["truncated_from"] > 300_000
    assert event["status_code"] == 500
    assert event["body"].startswith("yyy")
    assert event["key_0"] == "x" * 100
    assert event["logger"] == "bot"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fields=st.dictionaries(st.text(), json_like, max_size=8), text=st.text())
def test_any_fields_are_one_event(fields: dict[str, Any], text: str) -> None:
    """No combination of names and values raises or loses a name."""
    fields = {name: value for name, value in fields.items() if name not in schema.FIELDS_BY_NAME}
    with capture_events() as captured:
        logkit.get_logger("bot").info(
            text,
            **fields,
        )
    (event,) = captured
    assert "logkit_error" not in event
