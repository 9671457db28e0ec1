from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.parsers.json_lines import JsonLinesParser, Record

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def read() -> Callable[[bytes | str | dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]:
    """Return a function from a line to its columns and its other fields; times are UTC."""
    parser = JsonLinesParser(UTC)

    def parse(line: bytes | str | dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        text = json.dumps(line) if isinstance(line, dict) else line
        outcome = parser.parse(text.encode() if isinstance(text, str) else text)
        assert isinstance(outcome, Record)
        return outcome.columns, json.loads(outcome.fields or b"{}")

    return parse
