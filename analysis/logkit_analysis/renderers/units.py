"""The unit that a column's name tells, and its numbers as a person would write them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that numbers of a column are shown in.

    Attributes:
        size: How much of the column's own unit it is.
        suffix: What stands behind the number.
    """

    size: float
    suffix: str


PLAIN = Unit(1.0, "")
"""The unit of a count, and of whatever a name does not tell."""

_BYTES = (Unit(1, " B"), Unit(2**10, " KiB"), Unit(2**20, " MiB"), Unit(2**30, " GiB"))
_SECONDS = (Unit(1, " s"), Unit(60, " min"), Unit(3600, " h"))
_MILLISECONDS = (Unit(1, " ms"), Unit(1e3, " s"), Unit(6e4, " min"), Unit(3.6e6, " h"))
_SHARE = (Unit(0.01, "%"),)
# Endings of names that are left out where the unit stands behind each number.
_ENDINGS = (
    ("_ms", _MILLISECONDS[:1]),
    ("_bytes", _BYTES),
    ("_percent", (Unit(1, " %"),)),
    ("_seconds", _SECONDS[:1]),
    ("_s", _SECONDS[:1]),
)
_UNITS = tuple(
    (re.compile(rf"(?:^|[^a-z])(?:{names})(?![a-z])"), units)
    for names, units in (
        ("bytes", _BYTES),
        ("ms", _MILLISECONDS),
        ("seconds", _SECONDS),
        ("ratio|share", _SHARE),
        ("percent", (Unit(1, "%"),)),
        ("usd", (Unit(1, " $"),)),
    )
)
_NAMING = frozenset({"status_code", "shard", "pid", "attempt", "port", "year"})
# A number below this many of a unit reads better in the next smaller one.
_LEAST_OF_UNIT = 2
_TINY, _HUGE = 1e-6, 1e15


def unit_for(name: str, greatest: float) -> Unit:
    """Return the unit to show the column *name* in.

    Args:
        name: The column's name; ``_ms``, ``_seconds``, ``_bytes``, ``_ratio`` and so on tell what
            it counts.
        greatest: The greatest of its numbers, which decides between seconds and hours.
    """
    for pattern, units in _UNITS:
        if pattern.search(name):
            return _fitting(units, greatest, _LEAST_OF_UNIT)
    return PLAIN


def named_quantity(name: str, number: float) -> tuple[str, str]:
    """Return the label and the text of one *number* that is called *name*.

    What the name says of the unit moves behind the number: ``rss_bytes`` of 1288490189 becomes
    ``rss`` and ``1.2 GiB``. Durations stay in their unit, so that those of many lines compare.
    """
    for ending, units in _ENDINGS:
        label = name.removesuffix(ending)
        if label not in ("", name):
            return label, quantity(number, _fitting(units, number))
    return name, str(number)


def milliseconds(number: float) -> str:
    """Return a duration: ``3,862 ms``, ``12.5 ms``, ``0.347 ms``."""
    return quantity(number, _MILLISECONDS[0])


def table_unit(name: str, greatest: float) -> Unit:
    """Return the unit of the column *name* in a table: of bytes and of shares another than its own.

    All else stays in the unit that the name tells, so that the numbers of a column compare.
    """
    unit = unit_for(name, greatest)
    return unit if unit in _BYTES + _SHARE else PLAIN


def is_naming(name: str) -> bool:
    """Return whether the numbers of the column *name* are names, which nobody adds or averages."""
    return name in _NAMING or name.endswith("_id")


def _fitting(units: Sequence[Unit], number: float, least: float = 1) -> Unit:
    """Return the greatest of *units* that *number* holds at least so many of, else the first."""
    fitting = [unit for unit in units if abs(number) >= least * unit.size]
    return fitting[-1] if fitting else units[0]


def quantity(number: float, unit: Unit) -> str:
    """Return *number*, in the column's own unit, as three digits or all whole ones of *unit*.

    What has too many of either is written with a power of ten.
    """
    scaled = number / unit.size
    if scaled and not _TINY <= abs(scaled) < _HUGE:
        return f"{scaled:.3g}{unit.suffix}"
    digits = 0 if scaled == 0 else 2 - math.floor(math.log10(abs(scaled)))
    text = f"{scaled:,.{min(max(digits, 0), 6)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + unit.suffix
