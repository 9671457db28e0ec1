"""The error tree of the analysis and the exit code that each error stands for."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells its caller when it ends."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    THRESHOLD_CROSSED = 10
    INTERRUPTED = 130


class AnalysisError(Exception):
    """A failure that a user can understand and mend: one or two lines, no traceback."""

    exit_code = ExitCode.FAILURE


class UsageError(AnalysisError):
    """The command was called with words that it cannot take."""

    exit_code = ExitCode.USAGE
