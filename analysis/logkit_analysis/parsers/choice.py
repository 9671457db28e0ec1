"""What a log was found to be, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What a log was found to be.

    Attributes:
        name: Name of the format, ``None`` if it is none that we know.
        line_count: Lines of the sample that should begin a record.
        match_count: Those of them that do.
    """

    name: str | None
    line_count: int
    match_count: int

    @property
    def share(self) -> float:
        """How sure it is: the share of lines that are as they should be, 0 to 1."""
        return self.match_count / self.line_count if self.line_count else 0.0

    def described(self) -> str:
        """Return, for people, what it is and how sure that is."""
        if self.name is None:
            return (
                "no format that we know; lines that are no JSON are rejected. "
                "[formats.NAME] in logkit.toml describes yours"
            )
        return (
            f"read as {self.name} ({self.share:.0%} sure: "
            f"{self.match_count:,} of {self.line_count:,} sampled lines)"
        )
