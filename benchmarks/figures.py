"""A figure: what ours costs, what the named peer costs, and the ratio of the two."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison.

    Attributes:
        what: The work, with its size and the quantity measured.
        unit: Unit of both costs.
        ours: Cost of ours.
        peer: Name of what it is compared with.
        theirs: Cost of the peer in the same run.
        aim: Ratio aimed at, or ``None``.
    """

    what: str
    unit: str
    ours: float
    peer: str
    theirs: float
    aim: float | None = None

    def __str__(self) -> str:
        aim = "" if self.aim is None else f" (aim: at most {self.aim})"
        ours, theirs = (f"{cost:.3g} {self.unit}" for cost in (self.ours, self.theirs))
        return f"{self.what}\n    logkit {ours}, {self.peer} {theirs}: {self.ratio:.2f} times{aim}"

    @property
    def ratio(self) -> float:
        """Ours divided by the peer's: below 1 is cheaper."""
        return self.ours / self.theirs


def compare(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int = 3
) -> tuple[float, float]:
    """Return the median cost of both, measured in turns so that a busy moment hits both."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return median(mine for mine, _ in pairs), median(other for _, other in pairs)
