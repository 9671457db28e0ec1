"""The state machine of a circuit breaker: times and outcomes in, permits and states out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf

from logkit.forks import new_lock

_SLICES = 10


class State(Enum):
    """What a breaker does with calls: let all through, none, or one trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(Enum):
    """How a call ended; one that was cancelled says nothing about the other side."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """When a circuit opens, and for how long.

    Attributes:
        failure_threshold: Failures in a row that open it.
        recovery_s: Seconds that it stays open at least.
        failure_ratio: Failures per call, 0 to 1, that open it as well; ``None`` for no ratio.
        min_calls: Calls below which the ratio says nothing.
        window_s: Seconds that failures and calls are remembered.
    """

    failure_threshold: int
    recovery_s: float
    failure_ratio: float | None
    min_calls: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call.

    Attributes:
        generation: Which period of the circuit it belongs to.
        begins_trials: Whether the circuit became half-open with it.
    """

    generation: int
    begins_trials: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What the end of a call made of the circuit: its new state, after so many failures."""

    state: State
    failures: int


class Circuit:
    """A circuit; each call needs a permit before it and tells its outcome after it.

    A permit is outdated once the circuit has changed its state: what began before it opened does
    not close it. A trial that has not ended after ``recovery_s`` makes room for
    another one. Safe among threads; times are those of one monotonic clock, in seconds.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._lock = new_lock()
        self._generation = 0
        self._opens_at_trial = -inf
        self._not_before = -inf
        self.state = State.CLOSED
        self.failures = 0
        self._failing: deque[float] = deque(maxlen=policy.failure_threshold)
        self._slices: deque[list[float]] = deque(maxlen=_SLICES + 1)

    def acquire(self, now: float) -> Permit | None:
        """Return a permit, or ``None`` if the call may not be made."""
        with self._lock:
            if self.state is State.CLOSED:
                return Permit(self._generation)
            if now < self._opens_at_trial:
                return None
            # Until then nobody else tries; the one who tries now gets so much time.
            begins_trials = self.state is State.OPEN
            self._enter(State.HALF_OPEN)
            self._opens_at_trial = now + self._policy.recovery_s
            return Permit(self._generation, begins_trials)

    def retry_in_s(self, now: float) -> float:
        """Return the seconds until a permit can be had, unless the trial ends before."""
        return 0.0 if self.state is State.CLOSED else max(0.0, self._opens_at_trial - now)

    def end(
        self, permit: Permit | None, outcome: Outcome, now: float, retry_after_s: float = 0.0
    ) -> Change | None:
        """Take note of the end of a call, and return what it changed.

        Args:
            permit: What ``acquire`` returned; ``None`` if nobody knows.
            outcome: How the call ended.
            now: When.
            retry_after_s: Seconds for which the other side asked not to be called.
        """
        with self._lock:
            if outcome is Outcome.FAILURE:
                self._not_before = max(self._not_before, now + retry_after_s)
                if self.state is State.OPEN:
                    self._opens_at_trial = max(self._opens_at_trial, self._not_before)
            if permit is None or permit.generation != self._generation:
                return None
            former = self.state
            failures = self.failures + (outcome is Outcome.FAILURE)
            self._judge(outcome, now)
            return None if self.state is former else Change(self.state, failures)

    def _judge(self, outcome: Outcome, now: float) -> None:
        if self.state is State.HALF_OPEN:
            if outcome is Outcome.SUCCESS:
                self._close()
            elif outcome is Outcome.FAILURE:
                self._open(now)
            else:
                self._opens_at_trial = now
        elif outcome is not Outcome.UNKNOWN:
            self._count(now, is_failure=outcome is Outcome.FAILURE)

    def _count(self, now: float, *, is_failure: bool) -> None:
        if is_failure:
            self._failing.append(now)
            self.failures += 1
        elif self.failures:
            self._failing.clear()
            self.failures = 0
        if self._policy.failure_ratio is not None:
            self._add_to_slice(now, is_failure)
        if is_failure and (self._is_row_full(now) or self._is_ratio_reached(now)):
            self._open(now)

    def _is_row_full(self, now: float) -> bool:
        row = self._failing
        return len(row) == row.maxlen and now - row[0] <= self._policy.window_s

    def _add_to_slice(self, now: float, is_failure: bool) -> None:
        if not self._slices or now - self._slices[-1][0] >= self._policy.window_s / _SLICES:
            self._slices.append([now, 0, 0])
        self._slices[-1][1] += 1
        self._slices[-1][2] += is_failure

    def _is_ratio_reached(self, now: float) -> bool:
        if self._policy.failure_ratio is None:
            return False
        recent = [one for one in self._slices if now - one[0] <= self._policy.window_s]
        calls = sum(one[1] for one in recent)
        failures = sum(one[2] for one in recent)
        return calls >= self._policy.min_calls and failures >= self._policy.failure_ratio * calls

    def _open(self, now: float) -> None:
        self._enter(State.OPEN)
        self._opens_at_trial = max(now + self._policy.recovery_s, self._not_before)

    def _close(self) -> None:
        self._enter(State.CLOSED)
        self.failures = 0
        self._failing.clear()
        self._slices.clear()

    def _enter(self, state: State) -> None:
        self.state = state
        self._generation += 1
