"""Real ``logkit`` processes that do not import everything again, which is most of a start's cost.

A process that has imported the command forks one that runs it, for each request that it reads as
a line of JSON on its standard input. It answers on its standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self


class Nursery:
    """Starts processes that run ``logkit``."""

    def __enter__(self) -> Self:
        words = [sys.executable, __file__]
        self._server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.communicate()

    def start(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        stdout: Path,
        stderr: Path,
        descriptors: int | None = None,
    ) -> Process:
        """Run ``logkit`` with *words* in *folder* and this process's environment.

        Args:
            words: The command line behind ``logkit``.
            folder: Where it runs.
            stdout: What it says is added to this file.
            stderr: And this one.
            descriptors: How many it may have open.
        """
        request = {
            "words": [*words],
            "folder": str(folder),
            "outputs": [str(stdout), str(stderr)],
            "environment": dict(os.environ),
            "descriptors": descriptors,
        }
        return Process(self, self.ask(request))

    def ask(self, request: dict[str, Any]) -> int:
        """Send *request*; return the answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


class Process:
    """A child of the nursery."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._descriptor = os.pidfd_open(pid)

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return bool(select.select([self._descriptor], [], [], 0)[0])

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        signal.pidfd_send_signal(self._descriptor, number)

    def wait(self, timeout_s: float) -> int:
        """Wait for its end and forget it; return its exit code, negative for a signal."""
        assert select.select([self._descriptor], [], [], timeout_s)[0], f"{self.pid} does not end"
        os.close(self._descriptor)
        return self._nursery.ask({"wait_for": self.pid})


def serve() -> None:
    """Answer requests; return in every forked process, which is to run the command."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "wait_for" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait_for"], 0)[1])
        elif not (answer := os.fork()):
            _become(request)
            return
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    # The other end is closed: nothing is left to be run.
    sys.exit()


def _become(request: dict[str, Any]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path in ((0, os.devnull), *enumerate(request["outputs"], 1)):
        descriptor = os.open(path, flags if number else os.O_RDONLY, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if request["descriptors"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (request["descriptors"],) * 2)
    sys.argv = ["logkit", *request["words"]]


if __name__ == "__main__":
    import logkit_analysis.cli.app
    import logkit_analysis.follow  # noqa: F401 imported before the fork
    from logkit_analysis.__main__ import main

    # Typer itself imports this at its first command only, and pydantic with it.
    with suppress(ImportError):
        importlib.import_module("typer._adapters")
    serve()
    sys.exit(main())
