"""The ``logkit`` command, which says what to install when the analysis extra is missing."""

from __future__ import annotations

import sys

_EXTRA_MODULES = frozenset({"typer", "duckdb", "rich", "pyarrow", "numpy", "watchfiles", "jinja2"})


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.platform == "win32":
        sys.stderr.write("logkit: the analysis does not run on Windows; use Linux, macOS or WSL\n")
        return 1
    try:
        from logkit_analysis.cli.failures import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA_MODULES:
            raise
        sys.stderr.write(
            f"logkit: {missing} is not installed; run: pip install 'botlogkit[analysis]'\n"
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
