"""Who writes: the part of the envelope that is the same in every event of a process."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field, replace

UNKNOWN_SERVICE = "unknown_service"
"""Service of events that are logged before ``configure()`` has named one."""


def _new_instance() -> str:
    return os.urandom(6).hex()


@dataclass(frozen=True, slots=True)
class Identity:
    """One run of a process.

    Attributes:
        service: Logical name of the bot.
        env: Deployment environment, or ``None``.
        version: Deployed version, or ``None``.
        instance: 12 hex digits, new at each start and in each forked child.
        pid: Process id.
        host: Name of the machine or container.
    """

    service: str
    env: str | None = None
    version: str | None = None
    instance: str = field(default_factory=_new_instance)
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=platform.node)

    def forked(self) -> Identity:
        """Return the identity of a child process: another instance of the same service."""
        return replace(self, instance=_new_instance(), pid=os.getpid())
