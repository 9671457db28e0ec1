"""Values of settings, from arguments and from the environment, as what they have to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logkit.errors import ConfigurationError

_MAX_PORT = 65_535
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def path_of(value: Any) -> Path | None:
    """Return *value* as an absolute path."""
    return None if value is None else Path(value).expanduser().absolute()


def at_least(minimum: int, name: str, value: Any) -> int:
    """Return the whole number *value* of setting *name*.

    Raises:
        ConfigurationError: It is none, or below *minimum*.
    """
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = minimum - 1
    if number < minimum:
        raise ConfigurationError(
            f"{name} is {value!r}; it must be a whole number of at least {minimum}"
        )
    return number


def port(value: Any) -> int:
    """Return *value* as the number of a port.

    Raises:
        ConfigurationError: There is no such port.
    """
    number = at_least(0, "signals_port", value)
    if number > _MAX_PORT:
        raise ConfigurationError(f"signals_port is {value!r}; the highest port is {_MAX_PORT}")
    return number


def yes_or_no(name: str, value: Any) -> bool:
    """Return what setting *name* says.

    Raises:
        ConfigurationError: It says neither.
    """
    text = str(value).strip().lower()
    if text not in TRUE | FALSE:
        raise ConfigurationError(f"{name} is {value!r}; it must be true or false")
    return text in TRUE
