"""How long the server asks to wait: from the body, from headers, at last from its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from logkit.rate_limits.model import Budget
from logkit.rate_limits.quantities import (
    http_date_ms,
    leading_duration_ms,
    number,
    whole_ms,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logkit.rate_limits.answer import Answer

_AGREEMENT_MS = 1_000
_MESSAGES: tuple[tuple[str | int, ...], ...] = (
    ("error", "message"),
    ("message",),
    ("description",),
    ("error",),
    ("error_description",),
    ("detail",),
    ("errors", 0, "message"),
    ("json", "errors", 0, 1),
)
_WAIT_WORDS = re.compile(
    r"(?:retry|try again|wait)(?:[ _-](?:after|in|for|at least))*:? ?(?=[0-9])", re.IGNORECASE
)
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?(?![0-9a-zA-Z_]|\.[0-9])")
_BUDGET_WORDS = re.compile(
    r"for (?:model )?`?(?P<bucket>[\w.:/-]{1,100})`?[^:]{0,200}? on (?P<unit>[a-z]{1,20}) per"
    r"[^:]{0,60}: Limit (?P<limit>[0-9]{1,18}), Used (?P<used>[0-9]{1,18})\b"
)


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait in whole milliseconds, and how finely it was told (1, 10, 100 or 1,000 ms)."""

    ms: int
    step_ms: int


def seconds(value: object) -> Iterator[Wait]:
    """Yield the wait of a number of seconds, whole or fractional, if it is one."""
    yield from _wait(value, 1_000)


def milliseconds(value: object) -> Iterator[Wait]:
    """Yield the wait of a number of milliseconds, if it is one."""
    yield from _wait(value, 1)


def header_waits(answer: Answer) -> Iterator[Wait]:
    """Yield the waits of ``retry-after-ms`` and of ``Retry-After`` in all its forms."""
    for text in _values(answer, "retry-after-ms"):
        yield from milliseconds(text)
    for text in _values(answer, "retry-after"):
        yield from seconds(text)
        if (at_ms := http_date_ms(text)) is not None:
            left = whole_ms(max(at_ms - answer.sent_ms, Fraction(0)))
            yield from () if left is None else (Wait(left, 1_000),)


def agreed_ms(waits: Iterable[Wait]) -> int | None:
    """Return the largest wait, or a more finely told one that is within a second of it."""
    known = list(waits)
    largest = max((wait.ms for wait in known), default=0)
    close = [wait for wait in known if largest - wait.ms <= _AGREEMENT_MS]
    finest = min(close, key=lambda wait: wait.step_ms, default=None)
    return None if finest is None else finest.ms


def messages(answer: Answer) -> Iterator[str]:
    """Yield the texts for people in an answer; a page of HTML is none."""
    found = [answer.at(*path) for path in _MESSAGES]
    for text in (*found, answer.text):
        if isinstance(text, str) and text and not text.lstrip().startswith("<"):
            yield text[:4_096]


def spoken_ms(texts: Iterable[str]) -> int | None:
    """Return the wait that the words tell (``retry after 35``, ``try again in 8.016s``)."""
    for text in texts:
        for words in _WAIT_WORDS.finditer(text):
            rest = text[words.end() : words.end() + 96]
            duration, end = leading_duration_ms(rest)
            if end:
                return whole_ms(duration)
            if plain := _SECONDS.match(rest):
                return whole_ms(Fraction(plain[0]) * 1_000)
    return None


def spoken_budget(texts: Iterable[str]) -> Budget | None:
    """Return the budget that OpenAI's and Groq's words tell (``Limit 30000, Used 25514``)."""
    for text in texts:
        if found := _BUDGET_WORDS.search(text):
            limit, used = int(found["limit"]), int(found["used"])
            return Budget(
                limit=limit,
                remaining=max(limit - used, 0),
                used=used,
                unit=found["unit"],
                bucket=found["bucket"],
            )
    return None


def _wait(value: object, unit_ms: int) -> Iterator[Wait]:
    found = number(value)
    ms = None if found is None else whole_ms(found * unit_ms)
    if found is not None and ms is not None:
        steps = (1_000, 100, 10) if unit_ms > 1 else ()
        yield Wait(ms, next((step for step in steps if found * unit_ms % step == 0), 1))


def _values(answer: Answer, header: str) -> Iterator[str]:
    for text in answer.headers.get(header, ()):
        # Some libraries join the values of a header that came twice.
        yield from text.split(",") if re.fullmatch("[0-9., ]+", text) else (text,)
