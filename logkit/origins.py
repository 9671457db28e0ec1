"""Where an exception came from: the fields that were bound when it left their block.

Whoever logs an exception that nobody has caught is outside of the blocks that it has passed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from logkit.plain import attribute_of

_ATTRIBUTE = "__logkit_origin__"


class Origin:
    """Fields that were bound where an exception was raised, and what was bound around them."""

    __slots__ = ("fields", "outer")

    def __init__(self, fields: dict[str, Any], outer: dict[str, Any]) -> None:
        self.fields = fields
        self.outer = outer

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[()]]:
        """Stay behind when the exception goes to another process, which may not have logkit."""
        return dict, ()


def mark(error: BaseException, bound: dict[str, Any], outer: dict[str, Any]) -> None:
    """Note that *error* leaves a block in which *bound* were bound, for one with *outer*."""
    origin = attribute_of(error, _ATTRIBUTE)
    if isinstance(origin, Origin) and origin.outer is bound:
        origin.outer = outer  # it comes from a block inside, whose fields say more
        return
    with suppress(Exception):  # an exception that takes no attributes
        error.__dict__[_ATTRIBUTE] = Origin(bound, outer)


def fields_of(error: BaseException | None) -> dict[str, Any]:
    """Return the fields that were bound where *error* came from; none if it passed no block."""
    origin = attribute_of(error, _ATTRIBUTE)
    return origin.fields if isinstance(origin, Origin) else {}
