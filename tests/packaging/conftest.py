"""The wheel as users get it, and environments that hold nothing else."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with the wheel, used from a folder that is no checkout."""

    folder: Path

    @property
    def bin(self) -> Path:
        """Return the folder of the environment's commands."""
        return self.folder / "bin"

    def run(self, command: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's commands in *cwd*, with nothing of ours around it."""
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
        return subprocess.run(
            [str(self.bin / command), *arguments],
            cwd=cwd,
            env={**kept, "PATH": f"{self.bin}{os.pathsep}{os.defpath}"},
            capture_output=True,
            text=True,
            timeout=280,
        )


@pytest.fixture(scope="session")
def once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return a function that fills a named folder once for all workers of the run."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def fill(name: str, make: Callable[[Path], None]) -> Path:
        folder = shared / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (done := shared / f"{name}.done").exists():
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return fill


@pytest.fixture(scope="session")
def distributions(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the source distribution and the wheel that was built from it."""

    def build(folder: Path) -> None:
        _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))

    return once("dist", build)


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """Return the path of the built wheel."""
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def base_environment(
    once: Callable[[str, Callable[[Path], None]], Path], wheel: Path
) -> Environment:
    """Return an environment with the wheel and no extras, like a bot's."""
    return Environment(once("base-environment", lambda folder: _install(folder, str(wheel))))


@pytest.fixture(scope="session")
def analysis_environment(
    once: Callable[[str, Callable[[Path], None]], Path], wheel: Path
) -> Environment:
    """Return an environment with the wheel and its analysis extra."""
    return Environment(
        once("analysis-environment", lambda folder: _install(folder, f"{wheel}[analysis]"))
    )


def _install(folder: Path, requirement: str) -> None:
    venv.create(folder, symlinks=True)
    python = str(folder / "bin" / "python")
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--no-compile", requirement)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr
