"""From errors to exit codes: the only place that decides how a command ends."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

import typer

from logkit_analysis.cli import notes, output
from logkit_analysis.cli.defaults import settings_problem
from logkit_analysis.errors import AnalysisError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_WORDS = {
    ": Value error, ": ": ",
    "Input should be a valid integer, unable to parse string as an integer": "this is no integer",
    "Input should be a valid number, unable to parse string as a number": "this is no number",
    "Input should be greater than or equal to": "it must be at least",
}


def run(arguments: Sequence[str]) -> int:
    """Run the command line *arguments*; return the exit code.

    An error is one or two lines on stderr. ``--debug`` anywhere before ``--``, or
    ``LOGKIT_DEBUG=1``, adds its traceback.
    """
    output.open_missing_streams()
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    is_debug = "--debug" in words[:end] or os.environ.get("LOGKIT_DEBUG", "0") not in {"", "0"}
    kept = [word for word in words[:end] if word != "--debug"] + words[end:]
    try:
        from logkit_analysis.cli.app import app

        code = app(kept, standalone_mode=False, prog_name="logkit")
        output.flush()
        return int(code or ExitCode.OK)
    except ModuleNotFoundError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge of the command
        if is_debug:
            traceback.print_exc()
        return _explain(error)


def _explain(error: BaseException) -> int:
    if isinstance(error, BrokenPipeError | output.ReaderGoneError):
        output.abandon()
        return ExitCode.OK
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return ExitCode.INTERRUPTED
    if isinstance(error, AnalysisError):
        notes.error(str(error))
        return error.exit_code
    if isinstance(error, typer.TyperException):
        return _explain_usage(error)
    if isinstance(error, OSError):
        notes.error(_os_error(error))
        output.abandon()
        return ExitCode.FAILURE
    if isinstance(error, MemoryError):
        notes.error("out of memory; ask for a shorter time window")
        return ExitCode.FAILURE
    kind = type(error).__name__
    notes.error(f"{kind}: {error}", hint="this is a bug; --debug shows where")
    return ExitCode.FAILURE


def _explain_usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    message = settings_problem(error) or _in_plain_words(error.format_message())
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{message}\n")
        return error.exit_code
    hint = None if context is None else f"{context.command_path} --help tells more"
    notes.error(message, hint=hint)
    return error.exit_code


def _in_plain_words(message: str) -> str:
    """Return *message* without the words of pydantic, which Typer passes on."""
    for words, plain in _PLAIN_WORDS.items():
        message = message.replace(words, plain)
    return message


def _os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else f"cannot write: {reason}"
