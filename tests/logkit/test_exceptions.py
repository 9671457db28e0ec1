from __future__ import annotations

import asyncio
import sys
from typing import Any, NoReturn

import pytest

import logkit
from logkit.exceptions import error_fields
from logkit.testing import capture_events


def fail(message: str) -> NoReturn:
    secret_local = "hunter2"  # noqa: F841 - must not reach the stack
    raise ValueError(message)


def fail_deeper(message: str) -> None:
    fail(message)


def caught(function: Any, *args: Any) -> Exception:
    try:
        function(*args)
    except Exception as error:  # noqa: BLE001 - whatever the function raises is the case
        return error
    raise AssertionError("nothing was raised")


def test_an_exception_becomes_flat_fields() -> None:
    """Type, message, and one ``file:line function`` per frame, outermost call first; no locals."""
    fields = error_fields(caught(fail_deeper, "bad"))
    assert fields["error_type"] == "ValueError"
    assert fields["error_message"] == "bad"
    frames = fields["error_stack"].splitlines()
    assert [frame.rpartition(" ")[2] for frame in frames] == ["caught", "fail_deeper", "fail"]
    assert all(frame.startswith(f"{__file__}:") for frame in frames)
    assert "hunter2" not in str(fields)


def test_the_fingerprint_knows_functions_not_lines_or_messages() -> None:
    """The same failure has one fingerprint wherever its lines stand and whatever it says."""
    source = "def run():\n    raise KeyError('x')\n"
    moved = f"\n\n\n# moved\n{source.replace('x', 'y')}"
    prints = []
    for path, text in (("/a/bot.py", source), ("/b/release-2/bot.py", moved)):
        scope: dict[str, Any] = {}
        exec(compile(text, path, "exec"), scope)
        prints.append(error_fields(caught(scope["run"]))["error_fingerprint"])
    assert prints[0] == prints[1]
    assert prints[0] != error_fields(caught(fail, "x"))["error_fingerprint"]
    assert error_fields(caught(fail, "x")) != error_fields(caught(fail_deeper, "x"))


def test_a_recursion_has_one_fingerprint_and_a_short_stack() -> None:
    """The depth at which a recursion stops changes neither the fingerprint nor the length."""

    def dive(depth: int) -> None:
        if depth == 0:
            raise RuntimeError("bottom")
        dive(depth - 1)

    deep, deeper = (error_fields(caught(dive, depth)) for depth in (200, 300))
    assert deep["error_fingerprint"] == deeper["error_fingerprint"]
    assert len(deeper["error_stack"].splitlines()) == 51
    assert "frames left out" in deeper["error_stack"]


def chained() -> None:
    try:
        fail("inner")
    except ValueError as error:
        raise ConnectionError("outer") from error


def chained_implicitly() -> None:
    try:
        fail("inner")
    except ValueError:
        raise ConnectionError("outer")  # noqa: B904 - the implicit chain is the case


def cut_off() -> None:
    try:
        fail("inner")
    except ValueError:
        raise ConnectionError("outer") from None


def grouped() -> None:
    raise ExceptionGroup("several", [caught(fail, "first"), KeyError("second")])


def circular() -> None:
    error = ValueError("round")
    error.__cause__ = ValueError("trip")
    error.__cause__.__cause__ = error
    raise error


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (chained, ["caused by ValueError: inner"]),
        (chained_implicitly, ["during ValueError: inner"]),
        (cut_off, []),
        (grouped, ["member ValueError: first", "member KeyError: 'second'"]),
        (circular, ["caused by ValueError: trip"]),
    ],
)
def test_the_chain_is_in_the_stack(function: Any, told: list[str]) -> None:
    """What led to an exception follows it, unless the code cut it off with ``from None``."""
    stack = error_fields(caught(function))["error_stack"].splitlines()
    words = ("caused by", "during", "member")
    assert [line for line in stack if line.startswith(words)] == told


def test_notes_belong_to_the_message() -> None:
    """Notes that code added on the way up are kept."""
    error = caught(fail, "bad")
    error.add_note("while reading shard 3")
    assert error_fields(error)["error_message"] == "bad\nwhile reading shard 3"


class _UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_unprintable_exception_is_still_logged() -> None:
    """A failing ``__str__`` hides neither the type nor the stack."""
    fields = error_fields(caught(lambda: (_ for _ in ()).throw(_UnprintableError())))
    assert fields["error_type"] == "_UnprintableError"
    assert fields["error_message"] == "<unprintable _UnprintableError>"


@pytest.mark.parametrize("kind", ["true", "exception", "tuple", "method"])
def test_exc_info_is_taken_in_every_form(kind: str) -> None:
    """exc_info may be true, an exception or a tuple; ``exception()`` needs none."""
    log = logkit.get_logger("bot")
    with capture_events() as events:
        try:
            fail("bad")
        except ValueError as error:
            if kind == "method":
                log.exception("command_failed")
            else:
                forms = {"true": True, "exception": error, "tuple": sys.exc_info()}
                log.error("command_failed", exc_info=forms[kind])
    event = events.assert_event("command_failed", error_type="ValueError", error_message="bad")
    assert "exc_info" not in event


def test_without_an_exception_there_are_no_error_fields() -> None:
    """``exc_info=True`` outside of an except block adds nothing."""
    with capture_events() as events:
        logkit.get_logger("bot").error("command_failed", exc_info=True)
    assert not [name for name in events[0] if name.startswith(("error_", "exc_"))]


def test_fields_of_the_caller_win_over_the_exception() -> None:
    """A caller who knows better (error_type "timeout") is believed."""
    with capture_events() as events:
        error = caught(fail, "bad")
        logkit.get_logger("bot").error("api_call_failed", exc_info=error, error_type="timeout")
    assert events[0]["error_type"] == "timeout"
    assert events[0]["error_message"] == "bad"


def test_stack_info_names_the_calls_that_led_here() -> None:
    """``stack_info=True`` adds the stack of the log call itself, with logkit's frames left out."""
    with capture_events() as events:
        logkit.get_logger("bot").warning("odd", stack_info=True)
    assert (
        events[0]["stack"]
        .splitlines()[-1]
        .endswith("test_stack_info_names_the_calls_that_led_here")
    )


def test_task_group_members_are_named() -> None:
    """The exceptions of an asyncio.TaskGroup are all in the stack of the group."""

    async def part(number: int) -> None:
        raise ValueError(f"part {number}")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(2):
                group.create_task(part(number))

    stack = error_fields(caught(asyncio.run, main()))["error_stack"]
    assert "member ValueError: part 0" in stack
    assert "member ValueError: part 1" in stack
