from __future__ import annotations

import logging
import logging.config
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

import logkit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Return a logger that no other test knows, and leave it as it was."""
    made = logging.getLogger("diagnosed")
    yield made
    made.handlers.clear()
    made.propagate, made.disabled = True, False
    made.setLevel(logging.NOTSET)


def findings(kind: str, logger: str) -> list[str]:
    return [f.text for f in logkit.diagnose().findings if (f.kind, f.logger) == (kind, logger)]


@pytest.fixture
def _configured(log_path: Path) -> None:
    logkit.configure("bot", path=log_path)


def test_an_unconfigured_process_loses_everything() -> None:
    """It says so once, and not for each logger."""
    diagnosis = logkit.diagnose()
    assert not diagnosis.is_healthy
    assert {finding.logger for finding in diagnosis.findings if finding.kind == "lost"} == {"root"}


def test_a_configured_process_is_healthy(log_path: Path) -> None:
    """Nothing is lost, nothing doubled; the report says so and lists the root."""
    program = (
        "import logkit, sys; logkit.configure('bot', path=sys.argv[1]); found = logkit.diagnose()\n"
        "print(found.is_healthy, [f for f in found.findings if f.logger == 'root'])\n"
        "print(found)"
    )
    words = [sys.executable, "-c", program, str(log_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    first, _, report = done.stdout.partition("\n")
    assert first == "True []"
    assert "root" in report
    assert "logkit" in report


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (lambda made: made.addHandler(logging.StreamHandler(sys.stderr)), "twice", "console"),
        (lambda made: setattr(made, "propagate", False), "lost", "go nowhere"),
        (lambda made: setattr(made, "disabled", True), "lost", "disabled"),
        (lambda made: made.setLevel(logging.ERROR), "note", "below error"),
    ],
    ids=["console", "no_propagation", "disabled", "level"],
)
def test_what_is_wrong_with_a_logger(
    logger: logging.Logger, change: Callable[[logging.Logger], None], kind: str, text: str
) -> None:
    """What prints twice, what goes nowhere, what is switched off, what is too mild to be made."""
    change(logger)
    (found,) = findings(kind, "diagnosed")
    assert text in found


@pytest.mark.usefixtures("_configured")
def test_structlog_that_was_configured_later_is_named() -> None:
    """Its events would go past logkit."""
    structlog.configure(wrapper_class=structlog.BoundLogger)
    assert any("structlog" in text for text in findings("lost", "root"))


@pytest.mark.usefixtures("_configured")
def test_logging_that_is_disabled_as_a_whole_is_named() -> None:
    """``logging.disable()`` is easily forgotten."""
    logging.disable(logging.INFO)
    try:
        assert any("logging.disable()" in text for text in findings("lost", "root"))
    finally:
        logging.disable(logging.NOTSET)


BOT = """
import logging, sys, logkit
def healthy():
    logkit.configure("bot", path="bot.log")
def doubled():
    healthy()
    logging.getLogger("mylib").addHandler(logging.StreamHandler(sys.stderr))
def broken():
    raise RuntimeError("no")
async def main():
    pass
"""


@pytest.mark.parametrize(
    ("target", "exit_code", "stdout", "stderr"),
    [
        ("mybot:healthy", 0, "Nothing will be lost", ""),
        ("mybot:doubled", 10, "mylib", ""),
        ("mybot", 10, "call configure()", ""),
        ("mybot:broken", 1, "", "RuntimeError"),
        ("mybot:missing", 2, "", "missing"),
        ("nobot:main", 2, "", "there is no module 'nobot' in"),
        ("mybot.nothing:main", 2, "", "there is no module 'mybot.nothing' in"),
        (
            "needy:main",
            1,
            "",
            "importing 'needy' failed: ModuleNotFoundError(\"No module named 'hat",
        ),
        ("script", 1, "", "importing 'script' failed: SystemExit(3)"),
        ("", 2, "", "there is no module '' in"),
        ("mybot:main", 2, "", "coroutine"),
    ],
)
def test_the_doctor(tmp_path: Path, target: str, exit_code: int, stdout: str, stderr: str) -> None:
    """It sets up what it is told to, reports on stdout, and complains on stderr."""
    (tmp_path / "mybot.py").write_text(BOT)
    (tmp_path / "needy.py").write_text("import hat")
    (tmp_path / "script.py").write_text("raise SystemExit(3)")
    done = subprocess.run(
        [sys.executable, "-m", "logkit", "doctor", target],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code
    assert stdout in done.stdout
    assert stderr in done.stderr
    assert "Traceback" not in done.stderr
