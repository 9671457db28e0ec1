"""Events -> numbers, at the call site: one look-up for a known kind of event, then plain counting.

Which rules apply follows from an event's name, its level and the names of its fields; which series
they count follows from the values of a few of those fields. Both are worked out once. What the
table names as counted is then a single count of a *cell*, spread over the metrics when somebody
asks for them.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from logkit import forks
from logkit.metrics.registry import registry
from logkit.metrics.rules import RULES
from logkit.metrics.series import Histogram, Number, Window
from logkit.metrics.table import METRICS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit.metrics.registry import Registry
    from logkit.metrics.rules import Rule, Values

_MAX_PLANS = 2_048
_MAX_CELLS = 4_096
# Figures differ with each event: that there is one is all that a rule's labels may depend on.
_FIGURES = frozenset(rule.number for rule in RULES if rule.number) - {"status_code"}

Feed = tuple[str, "Callable[[Any], None]"]


class Cell:
    """Events of one kind and with the same label values.

    Attributes:
        count: Events so far.
        feeds: Fields whose figures go on at once, and where they go.
    """

    __slots__ = ("_settled", "_totals", "count", "feeds")

    def __init__(self, totals: list[Number], feeds: tuple[Feed, ...]) -> None:
        self.count = 0
        self.feeds = feeds
        self._totals = totals
        self._settled = 0

    def settle(self) -> None:
        """Add the events since the last time to the metrics that count them."""
        new = self.count - self._settled
        self._settled += new
        for total in self._totals:
            total.value += new

    def counted_at_once(self) -> Cell:
        """Count the event now, and return a cell that nobody has to keep."""
        for total in self._totals:
            total.value += 1
        return Cell([], self.feeds)


class Plan:
    """What is to be done with events of one name, level and set of fields.

    Attributes:
        key: Returns what tells the cells apart.
        cells: The cells by key.
    """

    __slots__ = ("_event", "_level", "_names", "_rules", "cells", "key")

    def __init__(self, event: str, level: str, names: frozenset[str]) -> None:
        self._event = event
        self._level = level
        self._rules = [rule for rule in RULES if rule.fits(event, level, names)]
        read = {name for rule in self._rules for name in (*rule.reads, *rule.needs)}
        self._names = sorted(names & read - _FIGURES)
        # Without labels there is one cell; bool() of fields is the cheapest constant key.
        self.key: Callable[[Any], Any] = itemgetter(*self._names) if self._names else bool
        self.cells: dict[Any, Cell] = {}

    def make(self, fields: dict[str, Any], metrics: Registry) -> Cell:
        """Return a new cell for events like this one."""
        present = dict.fromkeys(fields, True)
        values = {**present, **{name: fields[name] for name in self._names}}
        values.update(event=self._event, level=self._level)
        totals: list[Number] = []
        feeds: list[Feed] = []
        for rule in self._rules:
            _apply(rule, values, metrics, totals, feeds)
        return Cell(totals, tuple(feeds))


def _apply(
    rule: Rule, values: Values, metrics: Registry, totals: list[Number], feeds: list[Feed]
) -> None:
    labels = rule.labels(values)
    if labels is None:
        return
    child = metrics.families[rule.metric].child(labels)
    if rule.number is not None:
        feeds.append((rule.number, _taker(rule, child)))
    elif rule.constant is not None:
        assert isinstance(child, Number)
        feeds.append((rule.needs[0], _setter(child, rule.constant(values))))
    else:
        assert isinstance(child, Number)
        totals.append(child)


def _taker(rule: Rule, child: Number | Window | Histogram) -> Callable[[Any], None]:
    if isinstance(child, Window):
        return child.tick
    if isinstance(child, Number) and METRICS_BY_NAME[rule.metric].kind == "gauge":
        return child.set
    return child.add


def _setter(child: Number, value: float) -> Callable[[Any], None]:
    return lambda _: child.set(value)


class Deriver:
    """Derives the metrics of a registry from events."""

    def __init__(self, metrics: Registry) -> None:
        self._metrics = metrics
        self._lock = forks.new_lock()
        self._plans: dict[tuple[str, str, tuple[str, ...]], Plan] = {}
        self._cell_count = 0

    def observe(self, event: str, level: str, fields: dict[str, Any]) -> None:
        """Count an event. Never raises."""
        try:
            try:
                plan = self._plans[event, level, tuple(fields)]
                cell = plan.cells[plan.key(fields)]
            except (KeyError, TypeError):
                cell = self._find(event, level, fields)
            cell.count += 1
            for name, take in cell.feeds:
                take(fields[name])
        except Exception:  # noqa: BLE001 - a metric never costs the bot an event
            self._metrics.errors += 1

    def settle(self) -> None:
        """Bring the metrics up to date."""
        with self._lock:
            for plan in self._plans.values():
                for cell in plan.cells.values():
                    cell.settle()

    def reset(self) -> None:
        """Forget everything; the registry starts from zero as well."""
        self._plans = {}
        self._cell_count = 0

    def _find(self, event: str, level: str, fields: dict[str, Any]) -> Cell:
        with self._lock:
            names = tuple(fields)
            plan = self._plans.get((event, level, names))
            if plan is None:
                plan = Plan(event, level, frozenset(names))
                if len(self._plans) < _MAX_PLANS:
                    self._plans[event, level, names] = plan
            key = plan.key(fields)
            if not _is_hashable(key) or self._cell_count >= _MAX_CELLS:
                return plan.make(fields, self._metrics).counted_at_once()
            if key not in plan.cells:
                self._cell_count += 1
                plan.cells[key] = plan.make(fields, self._metrics)
            return plan.cells[key]


def _is_hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


deriver = Deriver(registry)
"""Derives the metrics of this process."""

forks.in_child(deriver.reset)
