"""The command line in this process, on a small store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from logkit_analysis.cli.failures import run
from logkit_analysis.store.database import writing

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
BAD_LINES = [b"\xff\xfe", b"{\x1b[31m", b'{"cut": "o']


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wrote and how it ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Its stdout as text."""
        return self.stdout.decode()

    @property
    def rows(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.stdout)


class Cli:
    """Runs ``logkit`` with arguments."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str) -> Answer:
        """Run the command and return what came out."""
        self._capture.readouterr()
        code = run(arguments)
        written = self._capture.readouterr()
        return Answer(code, written.out, written.err.decode())


@pytest.fixture
def cli(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Cli:
    """Return the command line in an empty folder, with no settings around it."""
    for name in ("LOGKIT_DB", "LOGKIT_TZ", "LOGKIT_FORMAT", "LOGKIT_QUERIES", "LOGKIT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return Cli(capfdbinary)


@pytest.fixture
def store(cli: Cli) -> Path:
    """Return a database of ten calls a minute apart, the last one failed, and three rejects."""
    path = Path("logkit.duckdb").resolve()
    with writing(path) as connection:
        for i in range(10):
            connection.execute(
                "insert into events (timestamp, level, service, event, message, endpoint, method,"
                " status_code, duration_ms, guild_id, fields, source_id, source_offset,"
                " source_file, ingested_at)"
                " values ($1, 'info', 'bot', 'api_call', $2, '/a/{id}', 'GET', $3, $4,"
                " '9007199254740993', $5, 1, $6, 'bot.log', $1)",
                [
                    START + timedelta(minutes=i),
                    "=1+1 \x1b[31mred\x1b[0m \u202eevil",
                    500 if i == 9 else 200,
                    float(i),
                    '{"big": 9223372036854775807}',
                    i,
                ],
            )
        for i, line in enumerate(BAD_LINES):
            connection.execute(
                "insert into quarantine values (1, 'bot.log', $1, 'invalid_json', $2, now())",
                [i, line],
            )
    return path
