"""The pages under docs/ agree with the code and with each other."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md")]
    if path.name != "STYLE.md"
)
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_reference_is_what_the_code_says(tmp_path: Path) -> None:
    """Fields, queries and commands are documented as they are; ``make docs`` renews the pages."""
    subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), str(tmp_path)], check=True)
    fresh = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "docs" / "reference").iterdir()}
    assert kept == fresh


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """No page points to a file that is not there."""
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=_name)
def test_code_in_a_decision_gives_what_is_shown(page: Path) -> None:
    """An example that a decision rests on still behaves as it did."""
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        test = doctest.DocTestParser().get_doctest(block, {}, page.name, str(page), 0)
        assert doctest.DocTestRunner(verbose=False).run(test) == doctest.TestResults(
            failed=0, attempted=len(test.examples)
        )


@pytest.mark.parametrize("page", DECISIONS, ids=_name)
def test_a_decision_tells_context_choice_and_cost(page: Path) -> None:
    """A decision fits on a page and does not hide what it costs."""
    text = page.read_text()
    assert len(text.splitlines()) <= 60
    assert [part for part in ("Context", "Choice", "Cost") if f"\n## {part}\n" not in text] == []
