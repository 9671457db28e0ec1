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
from logkit.metrics.series import Number
from logkit.metrics.table import METRICS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from logkit.metrics.registry import Registry
    from logkit.metrics.rules import Rule, Values
    from logkit.metrics.series import Child, Family

_MAX_PLANS = 2_048
_MAX_CELLS = 4_096
_MAX_NAMES_LENGTH = 8_192
_MAX_PART = 256
_SCALARS = frozenset({str, int, bool, type(None)})
# Figures differ with each event: that there is one is all that a rule's labels may depend on.
_FIGURES = frozenset(rule.number for rule in RULES if rule.number) - {"status_code"}


class Cell:
    """Events of one kind and with the same label values.

    Attributes:
        count: Events so far.
        feeds: Fields whose figures go on at once, and where they go.
        rare: What counts the event, given its fields, by labels of its own.
    """

    __slots__ = ("_settled", "_totals", "count", "feeds", "rare")

    def __init__(self) -> None:
        self.count = 0
        self.feeds: list[tuple[str, Callable[[Any], None]]] = []
        self.rare: list[Callable[[dict[str, Any]], None]] = []
        self._totals: list[Number] = []
        self._settled = 0

    def settle(self) -> None:
        """Add the events since the last time to the metrics that count them."""
        new = self.count - self._settled
        self._settled += new
        for total in self._totals:
            total.value += new

    def counted_at_once(self) -> Cell:
        """Count the event now, for a cell that nobody keeps."""
        self.count += 1
        self.settle()
        return self

    def add(self, rule: Rule, values: Values, child: Child) -> None:
        """Let the events count in *child* as *rule* says."""
        if rule.number is not None:
            self.feeds.append((rule.number, _taker(rule, child)))
            return
        assert isinstance(child, Number)
        if rule.constant is not None:
            self.feeds.append((rule.needs[0], _setter(child, rule.constant(values))))
        else:
            self._totals.append(child)


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
        read = {name for rule in self._rules for name in rule.needs}
        read |= {name for rule in self._rules if not rule.is_rare for name in rule.reads}
        self._names = sorted(names & read - _FIGURES)
        # Without labels there is one cell; bool() of fields is the cheapest constant key.
        self.key: Callable[[Any], Any] = itemgetter(*self._names) if self._names else bool
        self.cells: dict[Any, Cell] = {}

    def make(self, fields: dict[str, Any], metrics: Registry) -> Cell:
        """Return a new cell for events like this one."""
        present = dict.fromkeys(fields, True)
        values = {**present, **{name: fields[name] for name in self._names}}
        values.update(event=self._event, level=self._level)
        cell = Cell()
        for rule in self._rules:
            labels, family = rule.labels(values), metrics.families[rule.metric]
            if labels is not None and rule.is_rare:
                cell.rare.append(_counter(rule, self._event, family))
            elif labels is not None:
                cell.add(rule, values, family.child(labels))
        return cell


def _counter(rule: Rule, event: str, family: Family) -> Callable[[dict[str, Any]], None]:
    def count(fields: dict[str, Any]) -> None:
        labels = rule.labels({**fields, "event": event})
        if labels is not None:
            family.child(labels).add(1)

    return count


def _taker(rule: Rule, child: Child) -> Callable[[Any], None]:
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
        self.reset()

    def observe(self, event: str, level: str, fields: dict[str, Any]) -> None:
        """Count an event. Never raises."""
        try:
            try:
                plan = self._plans[level][event][tuple(fields)]
                cell = plan.cells[plan.key(fields)]
            except (KeyError, TypeError):
                cell = self._find(event, level, fields)
            cell.count += 1
            for name, take in cell.feeds:
                take(fields[name])
            if cell.rare:
                for count in cell.rare:
                    count(fields)
        except Exception:  # noqa: BLE001 - a metric never costs the bot an event
            self._metrics.errors += 1

    def settle(self) -> None:
        """Bring the metrics up to date."""
        with self._lock:
            for plan in (*self._kept, *self._former):
                for cell in plan.cells.values():
                    cell.settle()

    def reset(self) -> None:
        """Forget everything; the registry starts from zero as well."""
        # By level, event and names of fields: quicker than one key made of the three.
        self._plans: dict[str, dict[str, dict[tuple[str, ...], Plan]]] = {}
        self._kept: list[Plan] = []
        self._former: list[Plan] = []
        self._cell_count = 0

    def _start_anew(self) -> None:
        """Make room: bots whose events differ each time keep finding the usual ones quickly."""
        self.settle()
        # Another thread may be about to count in one of them.
        self._former, self._kept = self._kept, []
        self._plans = {}
        self._cell_count = 0

    def _find(self, event: str, level: str, fields: dict[str, Any]) -> Cell:
        with self._lock:
            if len(self._kept) >= _MAX_PLANS or self._cell_count >= _MAX_CELLS:
                self._start_anew()
            names = tuple(fields)
            known = self._plans.get(level, {}).get(event, {}).get(names)
            plan = known or Plan(event, level, frozenset(names))
            key = plan.key(fields)
            if not _can_be_kept(key) or sum(map(len, (event, *names))) > _MAX_NAMES_LENGTH:
                return plan.make(fields, self._metrics).counted_at_once()
            if known is None:
                self._plans.setdefault(level, {}).setdefault(event, {})[names] = plan
                self._kept.append(plan)
            if key not in plan.cells:
                self._cell_count += 1
                plan.cells[key] = plan.make(fields, self._metrics)
            return plan.cells[key]


def _can_be_kept(key: object) -> bool:
    """Return whether what tells a cell apart is small, and does not run code of its own."""
    parts = key if type(key) is tuple else (key,)
    return all(
        type(part) in _SCALARS and not (type(part) is str and len(part) > _MAX_PART)
        for part in parts
    )


deriver = Deriver(registry)
"""Derives the metrics of this process."""

forks.in_child(deriver.reset)
