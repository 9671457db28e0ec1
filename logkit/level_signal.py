"""Debug events for a while, by a signal."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logkit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logkit.level_watch import LevelWish

_LASTS_S = 900.0


class LevelSignal:
    """Asks for ``debug`` from all loggers, for 15 minutes or until the signal comes again.

    Args:
        name: Name of the signal, such as ``SIGUSR1``.

    Raises:
        ConfigurationError: There is no such signal, it cannot be caught here, or the bot has use
            for it itself.
    """

    def __init__(self, name: str) -> None:
        self._until = 0.0
        self._number = _number_of(name)
        _refuse_if_taken(self._number)
        try:
            signal.signal(self._number, self._toggle)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"cannot listen to levels_signal {name}: {error}") from error

    def wishes(self) -> Sequence[LevelWish]:
        """Return what the last signal has asked for."""
        return [("*", "debug", self._until)]

    def remove(self) -> None:
        """Give the signal back its default effect, unless somebody has taken it since."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(self._number) == self._toggle:
            signal.signal(self._number, signal.SIG_DFL)

    def _toggle(self, *_: Any) -> None:
        # Only a note: the log call that the signal has interrupted may be in the middle of levels.
        now = time.time()
        self._until = 0.0 if self._until > now else now + _LASTS_S


def _number_of(name: str) -> signal.Signals:
    try:
        return signal.Signals[name.strip().upper()]
    except KeyError:
        raise ConfigurationError(f"levels_signal is {name!r}; there is no such signal") from None


def _refuse_if_taken(number: signal.Signals) -> None:
    if signal.getsignal(number) is not signal.SIG_DFL or _is_caught_in_c(number):
        raise ConfigurationError(
            f"levels_signal {number.name} has a handler already; it is left alone. "
            "Name another signal, or use levels_file"
        )


def _is_caught_in_c(number: signal.Signals) -> bool:
    """Return whether a handler is set that Python does not know of, such as faulthandler's."""
    if sys.platform != "linux":
        return False
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    caught = int(status.partition("SigCgt:")[2].split(maxsplit=1)[0], 16)
    return bool(caught >> (number - 1) & 1)
