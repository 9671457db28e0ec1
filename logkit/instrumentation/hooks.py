"""Methods of libraries in place of which ours run, and how to take ours away again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Hooks:
    """The hooks that are in place.

    Attributes:
        injects: Whether outgoing requests get the correlation headers.
        is_active: Whether calls are recorded; a hook that cannot be taken away does nothing.
        libraries: Names of the libraries that are hooked.
    """

    injects: bool = False
    is_active: bool = False
    libraries: tuple[str, ...] = ()
    _placed: list[tuple[type, str, Any, Any]] = field(default_factory=list)

    def place(self, owner: type, name: str, make: Callable[[Any], Any]) -> None:
        """Put ``make(original)`` in the place of the method *name* of *owner*."""
        original = vars(owner)[name]
        hook = wraps(original)(make(original))
        setattr(owner, name, hook)
        self._placed.append((owner, name, original, hook))

    def remove(self) -> None:
        """Take every hook away, but for those that somebody else has wrapped meanwhile."""
        self.is_active = False
        for owner, name, original, hook in reversed(self._placed):
            if vars(owner)[name] is hook:
                setattr(owner, name, original)
        self._placed.clear()
        self.libraries = ()


hooks = Hooks()
"""The hooks of this process."""
