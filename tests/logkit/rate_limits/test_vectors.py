"""The published vectors: what each platform sends, and what it means."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from logkit import rate_limits

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "rate_limit_headers.json").read_text()
)["vectors"]


def agrees(actual: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            agrees(actual.get(key), value) for key, value in expected.items()
        )
    if isinstance(expected, str) and expected.endswith("Z") and isinstance(actual, str):
        return datetime.fromisoformat(actual) == datetime.fromisoformat(expected)
    return bool(actual == expected)


def disguised(headers: dict[str, str]) -> list[Any]:
    """Return the same headers as other libraries hand them over."""
    return [
        headers,
        {name.upper(): value for name, value in headers.items()},
        {name.encode(): value.encode() for name, value in headers.items()},
        [(name.title(), value) for name, value in headers.items()],
        {name: [value] for name, value in headers.items()},
    ]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    """The answer is read as published, with headers and body in any library's form."""
    given, expected = vector["input"], vector["expected"]
    body = given["body"]
    for headers in disguised(given["headers"]):
        for form in (body, json.dumps(body), json.dumps(body).encode()):
            text_body = body if isinstance(body, str) else form
            parsed = rate_limits.parse(**{**given, "headers": headers, "body": text_body})
            assert agrees(parsed.as_dict(), expected), parsed.as_dict()
            assert parsed.platform == vector["platform"]
