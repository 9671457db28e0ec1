"""A fake platform in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PLATFORM = str(Path(__file__).parents[2] / "samples" / "fake_platform.py")


@contextmanager
def _serving() -> Iterator[str]:
    command = [sys.executable, PLATFORM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def platform_url() -> Iterator[str]:
    """Give a platform with full budgets to one test."""
    with _serving() as url:
        yield url


@pytest.fixture(scope="module")
def shared_platform_url() -> Iterator[str]:
    """Give one platform to all tests of a module."""
    with _serving() as url:
        yield url
