from __future__ import annotations

import json
import logging
import logging.config
import logging.handlers
import math
import queue
import stat
from typing import TYPE_CHECKING, Any

import pytest

import logkit
from logkit import schema
from logkit.stdlib import PipelineHandler
from logkit.testing import capture_events, violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]


class _NoTruth:
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


def record(msg: object, *args: object, **attributes: Any) -> logging.LogRecord:
    made = logging.LogRecord("bot.api", logging.WARNING, __file__, 1, msg, args, None)
    vars(made).update(attributes)
    return made


def formatted(formatter: logging.Formatter, made: logging.LogRecord) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(formatter.format(made))
    assert violations(event) == []
    return event


def test_the_formatter_makes_the_same_event_as_configure(events: Events) -> None:
    """JsonFormatter and configure() agree about a record in everything but the counter."""
    made = record("User %s joined", "bo", guild_id=7, level="clash")
    logging.getLogger().handle(made)
    (by_configure,) = events()
    by_formatter = formatted(logkit.JsonFormatter("bot"), made)
    assert {**by_formatter, "seq": 0} == {**by_configure, "seq": 0}
    assert list(by_formatter) == list(by_configure)
    assert by_formatter["guild_id"] == "7"
    assert by_formatter["field_level"] == "clash"


@pytest.mark.parametrize(
    "attributes",
    [{"created": math.nan}, {"created": "noon"}, {"created": 1e30}, {"args": _NoTruth()}],
    ids=["never", "text", "too_late", "no_truth"],
)
def test_a_record_that_nobody_could_read_is_an_event_that_says_so(
    events: Events, attributes: dict[str, Any]
) -> None:
    """Records made by hand may hold anything; neither handler nor formatter raises."""
    made = record("started", **attributes)
    PipelineHandler().handle(made)
    for event in (*events(), formatted(logkit.JsonFormatter("bot"), made)):
        assert event["logkit_error"]


def test_a_record_has_one_number_however_often_it_is_formatted() -> None:
    """Two handlers with the formatter write one seq, so that no gap appears in either file."""
    formatter, made = logkit.JsonFormatter("bot"), record("started")
    assert formatted(formatter, made)["seq"] == formatted(formatter, made)["seq"]


def test_the_formatter_carries_correlation_and_bound_fields() -> None:
    """Context reaches the formatter too."""
    with logkit.correlation("c-1"), logkit.bind(shard_id=3):
        event = formatted(logkit.JsonFormatter("bot"), record("started"))
    assert (event["correlation_id"], event["shard_id"]) == ("c-1", 3)


def test_options_of_python_json_logger_add_fields() -> None:
    """static_fields and defaults are written; a record's own value wins over both."""
    formatter = logkit.JsonFormatter("bot", static_fields={"env": "prod"}, defaults={"shard_id": 0})
    event = formatted(formatter, record("started", shard_id=5))
    assert (event["env"], event["shard_id"]) == ("prod", 5)


@pytest.mark.parametrize(
    "definition",
    [
        {"()": "logkit.JsonFormatter", "service": "bot"},
        {"()": "logkit.JsonFormatter"},
        {"class": "logkit.JsonFormatter"},
        {"class": "logkit.JsonFormatter", "format": "%(asctime)s %(message)s", "datefmt": "%Y"},
    ],
    ids=["factory", "factory_without_service", "class", "class_with_format"],
)
def test_dictconfig_accepts_the_formatter_in_each_form(
    definition: dict[str, str], log_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A YAML or JSON dictConfig may name the formatter by ``()`` or by ``class``."""
    monkeypatch.setenv("LOGKIT_SERVICE", "bot")
    handler = {"class": "logging.FileHandler", "filename": str(log_path)}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"f": definition},
            "handlers": {"h": {**handler, "formatter": "f"}},
            "loggers": {"by_dict": {"handlers": ["h"], "level": "INFO", "propagate": False}},
        }
    )
    logger = logging.getLogger("by_dict")
    logger.info("started")
    logger.handlers[0].close()
    event = json.loads(log_path.read_text())
    assert event["event"] == "started"
    assert event["service"] == "bot"


def test_dict_config_writes_events_to_a_file(log_path: Path) -> None:
    """dict_config() is plain data, and what dictConfig makes of it writes 0640 files."""
    config = json.loads(json.dumps(logkit.dict_config("bot", path=str(log_path), level="warning")))
    assert config["disable_existing_loggers"] is False
    logging.config.dictConfig(config)
    logging.getLogger("bot.api").info("too_mild")
    logging.getLogger("bot.api").error("api_call_failed", extra={"status_code": 500})
    logging.getLogger().handlers[0].close()
    event = json.loads(log_path.read_text())
    assert (event["service"], event["event"], event["status_code"]) == (
        "bot",
        "api_call_failed",
        500,
    )
    assert stat.S_IMODE(log_path.stat().st_mode) == 0o640


def test_dict_config_without_a_path_writes_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No path means standard output."""
    logging.config.dictConfig(logkit.dict_config("bot"))
    logging.getLogger("bot").info("started")
    assert json.loads(capsys.readouterr().out)["event"] == "started"


@pytest.mark.parametrize(
    ("number", "level"),
    [(5, "debug"), (15, "debug"), (20, "info"), (25, "info"), (35, "warning"), (99, "critical")],
)
def test_numbers_between_levels_round_down(number: int, level: str) -> None:
    """Levels of other libraries (trace, success, notice) land on the next milder name."""
    with capture_events(level="debug") as captured:
        logging.getLogger().handle(record("leveled", levelno=number))
    assert captured[0]["level"] == level


def test_records_that_went_through_a_queue_keep_their_time() -> None:
    """A bot's own QueueHandler in between changes neither time nor level nor text."""
    passing: queue.Queue[logging.LogRecord] = queue.Queue()
    made = record("Took %d s", 3)
    logging.handlers.QueueHandler(passing).emit(made)
    with capture_events() as captured:
        logging.getLogger().handle(passing.get())
    assert captured[0]["message"] == "Took 3 s"
    assert captured[0]["timestamp"].endswith(f"{int(made.created * 1e9) // 1000 % 1_000_000:06d}Z")


def test_no_attribute_of_the_record_leaks_into_the_event() -> None:
    """lineno, threadName, taskName and the like are logging's business."""
    with capture_events() as captured:
        logging.getLogger("bot").info("started")
    assert captured[0].keys() == schema.ENVELOPE


@pytest.fixture
def filtered_handler() -> Iterator[logging.Handler]:
    with capture_events():
        handler = logging.getLogger().handlers[-1]
        handler.addFilter(lambda made: made.msg != "unwanted")
        yield handler


def test_filters_on_the_handler_are_respected(filtered_handler: logging.Handler) -> None:
    """A filter that somebody adds to logkit's handler decides."""
    assert filtered_handler.handle(record("unwanted")) is False
    assert filtered_handler.handle(record("wanted")) is True


def test_a_handler_of_a_former_import_is_replaced(log_path: Path) -> None:
    """After importlib.reload(), each record is written once, though the class is another one."""
    members = {"emit": lambda _, made: PipelineHandler().emit(made)}
    logging.getLogger().addHandler(type("PipelineHandler", (logging.Handler,), members)())
    logkit.configure("bot", path=log_path)
    logging.getLogger("bot").warning("started")
    assert logkit.flush()
    assert log_path.read_text().count('"event":"started"') == 1
