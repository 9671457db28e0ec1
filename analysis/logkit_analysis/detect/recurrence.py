"""What comes again and again at its time is no incident: the nightly backup, the hourly job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit_analysis.detect.incidents import Incident
    from logkit_analysis.detect.metrics import Watched

_MINUTE = 60.0
_DAY = 86400.0
_LAGS = tuple(60.0 * minutes for minutes in (15, 20, 30, 60, 120, 180, 240, 360, 480, 720))
_SIDE_S = 1800.0
_LEAST_BINS = 3
_ALIKE = 0.5
# Of the times at which it would have to come again, as many must show it.
_MOST_TIMES = 0.75


def without_recurring(watched: Watched, found: Sequence[Incident]) -> list[Incident]:
    """Return the incidents that do not come at the same time of other days, hours or parts."""
    return [one for one in found if not _recurs(watched, one, found)]


def _recurs(watched: Watched, one: Incident, found: Sequence[Incident]) -> bool:
    begin = watched.at[one.start]
    lags = {abs(float(watched.at[other.start] - begin)) for other in found if other is not one}
    duration = watched.at[one.end - 1] - begin
    return _came_with(watched, one, _DAY, 1) or any(
        _came_with(watched, one, lag, 3) for lag in (*_LAGS, *lags) if lag > 2 * duration
    )


def _came_with(watched: Watched, one: Incident, lag: float, least: int) -> bool:
    """Return whether the like of it is there at most multiples of *lag* from it."""
    shown = [_is_like(watched, one, times * lag) for times in (-2, -1, 1, 2)]
    if lag == _DAY:
        # Yesterday is enough; on the first day, the days after it tell.
        return shown[1] is True or (shown[1] is None and shown[2] is True and shown[3] is not False)
    known = [answer for answer in shown if answer is not None]
    return len(known) >= least and sum(known) >= _MOST_TIMES * len(known)


def _is_like(watched: Watched, one: Incident, shift: float) -> bool | None:
    """Return whether at another time it was as much above the time before it, if that is known."""
    begin, finish = watched.at[one.start] + shift, watched.at[one.end - 1] + shift
    side = min(max(finish - begin, 300.0), _SIDE_S)
    left, start, end = watched.position([begin - side, begin, finish])
    if min(start - left, end - start) < _LEAST_BINS or left == 0:
        return None
    own_left = max(one.floor, int(watched.position(watched.at[one.start] - side)))
    own_left = min(own_left, one.start - 1)
    level = watched.cost.level
    own = level(one.start, one.end) - level(own_left, one.start)
    return bool(level(start, end) - level(left, start) >= _ALIKE * own)
