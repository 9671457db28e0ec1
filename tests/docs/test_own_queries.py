"""The guide to queries of one's own shows one that works."""

from __future__ import annotations

import re
from pathlib import Path

from logkit_analysis.query_check import check_files
from logkit_analysis.query_file import PARAMETER_TYPES

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "own-queries.md"


def test_the_example_is_sound(tmp_path: Path) -> None:
    """Who copies the example gets a query that --check finds fine."""
    (sql,) = re.findall(r"^```sql\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "slow_users.sql"
    file.write_text(sql)
    (verdict,) = check_files([file], reserved=frozenset())
    assert (verdict.is_query, verdict.problems) == (True, ())


def test_every_type_is_named() -> None:
    """The guide leaves no parameter type out."""
    assert [kind for kind in PARAMETER_TYPES if f"`{kind}`" not in GUIDE.read_text()] == []
