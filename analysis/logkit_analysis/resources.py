"""Where the files that ship beside the code are found."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def queries_directory() -> Path:
    """Return the folder of canned queries: the checkout's own before the wheel's copy."""
    checkout = _PACKAGE.parents[1] / "queries"
    is_checkout = (_PACKAGE.parents[1] / "pyproject.toml").is_file() and checkout.is_dir()
    return checkout if is_checkout else _PACKAGE / "queries"
