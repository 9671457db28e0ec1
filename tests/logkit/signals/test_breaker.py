"""Circuit breakers: calls to what is down are not made, and each change is told."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import logkit
from logkit.breaker.circuit import Circuit, Outcome, Permit, Policy, State
from logkit.metrics import registry
from logkit.testing import capture_events

RECOVERY_S, WINDOW_S, THRESHOLD = 10.0, 30.0, 3


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def breaker(clock: Clock, **options: Any) -> logkit.CircuitBreaker:
    chosen: dict[str, Any] = {"failure_threshold": THRESHOLD, "recovery_s": RECOVERY_S, **options}
    return logkit.CircuitBreaker("api", clock=clock, **chosen)


def fail(guard: logkit.CircuitBreaker, error: BaseException | None = None) -> None:
    with pytest.raises(BaseException, match=r".*"), guard:
        raise error or OSError("no route")


def test_it_opens_tries_once_and_closes(clock: Clock) -> None:
    """Failures in a row open it, calls are refused, one trial closes it; all of it is told."""
    guard = breaker(clock)
    states: list[str] = []
    with capture_events() as events:
        for _ in range(THRESHOLD):
            fail(guard)
        with pytest.raises(logkit.CircuitOpenError, match=r"'api' is open.*10\.0 s") as refused:
            guard.__enter__()
        assert refused.value.retry_in_s == RECOVERY_S
        clock.now += RECOVERY_S
        with guard:
            states.append(guard.state)
            with pytest.raises(logkit.CircuitOpenError):
                guard.__enter__()
    assert [*states, guard.state] == ["half_open", "closed"]
    opened, half_opened, closed = events
    assert (
        opened.items()
        >= {
            "event": "breaker_opened",
            "level": "warning",
            "failures": 3,
            "trial_in_ms": 10_000,
            "error_type": "OSError",
        }.items()
    )
    assert half_opened["event"] == "breaker_half_opened"
    assert closed.items() >= {"event": "breaker_closed", "open_ms": 10_000}.items()
    assert registry.number("bot_breaker_rejected_total", "api").value == 2


def test_a_failed_trial_opens_it_again(clock: Clock) -> None:
    """The wait begins anew."""
    guard = breaker(clock)
    for _ in range(THRESHOLD):
        fail(guard)
    clock.now += RECOVERY_S
    fail(guard)
    clock.now += RECOVERY_S - 1
    with pytest.raises(logkit.CircuitOpenError):
        guard.__enter__()


def test_a_success_ends_the_row(clock: Clock) -> None:
    """Only failures in a row count, unless a ratio is given."""
    guard = breaker(clock)
    for _ in range(4):
        fail(guard)
        fail(guard)
        with guard:
            pass
    assert guard.state == "closed"


def test_failures_far_apart_are_no_row(clock: Clock) -> None:
    """What lies before the window is forgotten."""
    guard = breaker(clock, window_s=WINDOW_S)
    for _ in range(THRESHOLD * 2):
        fail(guard)
        clock.now += WINDOW_S
    assert guard.state == "closed"


def test_a_ratio_opens_it(clock: Clock) -> None:
    """Half of the calls failing is too many, once there were enough calls."""
    guard = breaker(clock, failure_threshold=100, failure_ratio=0.5, min_calls=10)
    states = []
    for _ in range(5):
        with guard:
            pass
        fail(guard)
        states.append(guard.state)
    assert states == ["closed"] * 4 + ["open"]


@pytest.mark.parametrize(
    "wait", [45, 45.0, timedelta(seconds=45)], ids=["int", "float", "timedelta"]
)
def test_the_wait_that_was_asked_for_is_kept(clock: Clock, wait: Any) -> None:
    """A retry_after longer than the recovery time puts the trial off."""
    guard = breaker(clock)
    error = OSError("slow down")
    error.retry_after = wait  # type: ignore[attr-defined]
    for _ in range(THRESHOLD):
        fail(guard, error)
    clock.now += 44
    with pytest.raises(logkit.CircuitOpenError):
        guard.__enter__()
    clock.now += 1
    with guard:
        pass


def test_the_wait_of_a_response_is_kept(clock: Clock) -> None:
    """Errors of HTTP clients carry it in the headers of their response."""
    import httpx

    answer = httpx.Response(
        429, headers={"Retry-After": "45"}, request=httpx.Request("GET", "http://a")
    )
    guard = breaker(clock, failure_threshold=1)
    with pytest.raises(httpx.HTTPStatusError), guard:
        answer.raise_for_status()
    with pytest.raises(logkit.CircuitOpenError) as refused:
        guard.__enter__()
    assert refused.value.retry_in_s == 45


def test_excluded_exceptions_do_not_count(clock: Clock) -> None:
    """A caller's own mistake says nothing against the other side."""
    guard = breaker(clock, excluded=(KeyError,))
    for _ in range(THRESHOLD * 2):
        fail(guard, KeyError("user"))
    assert guard.state == "closed"


def test_a_cancelled_trial_makes_room_for_another(clock: Clock) -> None:
    """It neither closes nor opens the circuit, and nobody waits for it."""
    guard = breaker(clock, failure_threshold=1)
    fail(guard)
    clock.now += RECOVERY_S
    fail(guard, asyncio.CancelledError())
    with guard:
        pass
    assert guard.state == "closed"


def test_what_began_before_it_opened_decides_nothing(clock: Clock) -> None:
    """A late success does not close it."""
    guard = breaker(clock)
    with guard:
        for _ in range(THRESHOLD):
            fail(guard)
    assert guard.state == "open"


def test_functions_and_coroutine_functions_are_guarded(clock: Clock) -> None:
    """As a decorator it keeps name and result, and opens for both kinds."""
    guard = breaker(clock)

    @guard
    def double(number: int) -> int:
        return 2 * number

    @guard
    async def fetch(number: int) -> int:
        await asyncio.sleep(0)
        if number:
            raise OSError("no route")
        return number

    async def calls() -> int:
        result = await fetch(0)
        outcomes = await asyncio.gather(*map(fetch, range(1, 9)), return_exceptions=True)
        assert all(isinstance(outcome, OSError) for outcome in outcomes)
        return result

    assert (double(2), double.__name__) == (4, "double")
    assert asyncio.run(calls()) == 0
    with pytest.raises(logkit.CircuitOpenError):
        double(2)


def test_a_generator_is_refused(clock: Clock) -> None:
    """Its work is done after the call, where no breaker would see it."""
    with pytest.raises(TypeError, match="use it inside"):

        @breaker(clock)
        def pages() -> Any:
            yield 1


@pytest.mark.parametrize(
    "options",
    [{"failure_threshold": 0}, *({"failure_ratio": ratio} for ratio in (1.5, 0, -1))],
    ids=str,
)
def test_numbers_out_of_range_are_refused(clock: Clock, options: dict[str, Any]) -> None:
    """A breaker that could never work is not made."""
    with pytest.raises(logkit.ConfigurationError, match="api"):
        breaker(clock, **options)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_one_trial_at_a_time(clock: Clock, kind: str) -> None:
    """Of many callers that come at once when it is half-open, one is let through."""
    guard = breaker(clock, failure_threshold=1)
    fail(guard)
    clock.now += RECOVERY_S
    passed: list[int] = []
    refused: list[int] = []
    gate = threading.Barrier(8)

    def call(number: int) -> None:
        gate.wait()
        try:
            with guard:
                passed.append(number)
                release.wait(60)
        except logkit.CircuitOpenError:
            refused.append(number)
            if len(refused) == 7:
                release.set()

    async def call_async(number: int) -> None:
        try:
            async with guard:
                passed.append(number)
                await asyncio.sleep(0.01)
        except logkit.CircuitOpenError:
            pass

    async def calls() -> None:
        await asyncio.gather(*map(call_async, range(8)))

    release = threading.Event()
    if kind == "tasks":
        asyncio.run(calls())
    else:
        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(passed) == 1


def test_threads_open_it_once(clock: Clock) -> None:
    """However many fail at once, one event tells of it."""
    guard = breaker(clock)
    with capture_events() as events:
        threads = [threading.Thread(target=fail, args=(guard,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [event["event"] for event in events] == ["breaker_opened"]


class Model(RuleBasedStateMachine):
    """Any order of calls, ends and pauses, against the promises of a breaker."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.circuit = Circuit(Policy(THRESHOLD, RECOVERY_S, None, 1, WINDOW_S))
        self.open_calls: list[tuple[Permit, int]] = []
        self.period = 0
        self.row: list[float] = []
        self.trial_at: float | None = None
        self.trial: Permit | None = None
        self.trial_began = 0.0

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 9.0, 10.0, 31.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @rule()
    def call(self) -> None:
        """Begin a call, if it is let through: always, never, or as the only trial."""
        former = self.circuit.state
        permit = self.circuit.acquire(self.now)
        if former is State.CLOSED:
            assert permit is not None
        elif former is State.OPEN:
            assert self.trial_at is not None
            assert (permit is not None) == (self.now >= self.trial_at)
        if permit is None:
            return
        if self.circuit.state is State.HALF_OPEN:
            # Another trial is under way only if it has had its time.
            assert self.trial is None or self.now - self.trial_began >= RECOVERY_S
            self.trial, self.trial_began = permit, self.now
        self.open_calls.append((permit, self.period))

    @precondition(lambda self: self.open_calls)
    @rule(
        outcome=st.sampled_from(Outcome), wait_s=st.sampled_from([0.0, 0.0, 25.0]), data=st.data()
    )
    def end(self, outcome: Outcome, wait_s: float, data: st.DataObject) -> None:
        """End one of the calls that were begun, in any order."""
        index = data.draw(st.integers(0, len(self.open_calls) - 1))
        permit, period = self.open_calls.pop(index)
        former, is_trial = self.circuit.state, permit == self.trial
        change = self.circuit.end(permit, outcome, self.now, wait_s)
        state = self.circuit.state
        assert (change is not None) == (state is not former)
        if former is State.HALF_OPEN:
            decided = {Outcome.SUCCESS: State.CLOSED, Outcome.FAILURE: State.OPEN}
            expected = decided.get(outcome, former) if is_trial else former
            assert state is expected
        elif former is State.OPEN:
            assert state is State.OPEN
        if is_trial:
            self.trial = None
        if state is State.OPEN:
            least = self.now + (RECOVERY_S if change else 0)
            if outcome is Outcome.FAILURE:
                least = max(least, self.now + wait_s)
            self.trial_at = self.now + self.circuit.retry_in_s(self.now)
            assert change is None or self.trial_at >= least
        if former is State.CLOSED:
            if period == self.period:
                self._count(outcome)
            is_full = len(self.row) >= THRESHOLD and self.now - self.row[-THRESHOLD] <= WINDOW_S
            assert state is (State.OPEN if period == self.period and is_full else State.CLOSED)
        if change is not None:
            self.period += 1
            self.row = []

    def _count(self, outcome: Outcome) -> None:
        if outcome is Outcome.FAILURE:
            self.row.append(self.now)
        elif outcome is Outcome.SUCCESS:
            self.row = []

    @invariant()
    def a_closed_circuit_lets_calls_through_now(self) -> None:
        """Nobody is told to wait for what is open to him."""
        assert (self.circuit.retry_in_s(self.now) == 0) or self.circuit.state is not State.CLOSED


TestAnyOrder = Model.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
