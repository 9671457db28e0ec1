"""Numbers of a log line as a person reads them: with their unit and with thousands apart."""

from __future__ import annotations

_BYTE_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_KIBI = 1024
_FEW = 100
# Suffixes of field names that say the unit.
_SUFFIXES = ("_ms", "_bytes", "_percent", "_seconds", "_s")


def milliseconds(value: float) -> str:
    """Return a duration: ``3,862 ms``, ``12.5 ms``, ``0.35 ms``."""
    return f"{_short(value)} ms"


def readable(name: str, value: float) -> tuple[str, str]:
    """Return the label and the text of the number *value* of the field *name*.

    What the name says of the unit moves behind the number: ``rss_bytes`` of 1288490189 becomes
    ``rss`` and ``1.2 GiB``.
    """
    suffix = next((one for one in _SUFFIXES if name.endswith(one) and name != one), "")
    label = name.removesuffix(suffix)
    match suffix:
        case "_ms":
            return label, milliseconds(value)
        case "_bytes":
            return label, _bytes(value)
        case "_percent":
            return label, f"{_short(value)} %"
        case "_seconds" | "_s":
            return label, f"{_short(value)} s"
        case _:
            return name, str(value)


def _short(value: float) -> str:
    if isinstance(value, int) or abs(value) >= _FEW or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def _bytes(value: float) -> str:
    if abs(value) < _KIBI:
        return f"{value:,.0f} B"
    power = 1
    while abs(value) >= _KIBI ** (power + 1) and power < len(_BYTE_UNITS):
        power += 1
    return f"{value / _KIBI**power:,.1f} {_BYTE_UNITS[power - 1]}"
