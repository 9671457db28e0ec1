"""The pages under docs/ agree with the code and with each other."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from logkit_analysis.cli.app import app
from typer._click.exceptions import UsageError

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md")]
    if path.name != "STYLE.md"
)
# Up to a pipe, a redirection, or the two spaces before a remark.
_WORD = r"(?: (?:\"[^\"\n]*\"|[^\s|<>&\"]+(?!>))+)"
COMMAND = re.compile(rf"^(?:\$ | {{4}})?(logkit{_WORD}+)", re.MULTILINE)
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


def test_every_page_is_found_from_the_index() -> None:
    """docs/README.md, to which the README leads, has a link to each page."""
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / target).resolve()
        for target in re.findall(r"\]\(([^)#:]+)\)", index.read_text())
    }
    assert "(docs/README.md)" in (ROOT / "README.md").read_text()
    assert {page for page in ROOT.glob("docs/**/*.md") if page != index} - linked == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_on_a_page_are_ones_that_there_are(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a page tells to type, the command takes these words."""
    (tmp_path / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    refused = {line: _refusal(line) for line in COMMAND.findall(page.read_text())}
    assert {line: why for line, why in refused.items() if why is not None} == {}


def _refusal(line: str) -> str | None:
    """Return why the command line *line* is not taken, without running it."""
    words = shlex.split(line, comments=True)[1:]
    command: Any = typer.main.get_command(app)
    context: Any = None
    try:
        while True:
            name = "logkit" if context is None else command.name
            context = command.make_context(name, words, parent=context)
            if not hasattr(command, "resolve_command"):
                return None
            left = [*context._protected_args, *context.args]
            _, command, words = command.resolve_command(context, left)
    except UsageError as error:
        return str(error)


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
