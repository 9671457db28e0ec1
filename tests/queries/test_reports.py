"""Reports on random events and random names: whatever was logged, both formats come out whole."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from logkit_analysis import stored
from logkit_analysis.questions import Questions
from logkit_analysis.renderers.escaping import UNSAFE
from logkit_analysis.reports.case import open_case
from logkit_analysis.reports.html import render_html
from logkit_analysis.reports.incident_report import incident_report
from logkit_analysis.reports.ledger import Ledger
from logkit_analysis.reports.markdown import render_markdown

from tests.queries.conftest import NOW, UTC_ZONE
from tests.queries.random_events import START, RandomEvents, on_random_events

ATTRIBUTES = ("service", "endpoint", "command", "queue", "version", "error_type", "message")
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
MARKUP = NAMES.map("<b>{}</b>".format)


class Tags(HTMLParser):
    """The tags of a page, by what a browser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.seen.append(tag)


def written(store: Any) -> tuple[str, str]:
    """Return the report on all that *store* holds, in both formats."""
    span = stored.stored_span(store.connection)
    assert span is not None
    ledger = Ledger(Questions(store.connection, store.catalog, UTC_ZONE, NOW))
    document = incident_report(open_case(ledger, span, None, None, []))
    return render_html(document, UTC_ZONE), render_markdown(document)


@settings(on_random_events, max_examples=5)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 40, 300]))
def test_any_log_has_a_report(store: Any, seed: int, count: int) -> None:
    """Missing fields, ties, single rows and empty windows stop nothing."""
    store.fill([*RandomEvents(seed, count), {"timestamp": START, "event": "x", "level": "info"}])
    page, markdown = written(store)
    assert page.endswith("</html>")
    assert markdown.count("\n## ") == 12


@settings(on_random_events, max_examples=4)
@given(st.dictionaries(st.sampled_from(ATTRIBUTES), MARKUP))
def test_no_name_becomes_markup(store: Any, names: dict[str, str]) -> None:
    """A tag in a name is text, and nothing in either format is invisible."""
    store.fill(_slow({**dict.fromkeys(ATTRIBUTES, "plain"), **names}))
    texts = written(store)
    for text in texts:
        assert not UNSAFE.search(text.replace("\n", ""))
    assert "b" not in Tags(texts[0]).seen


def _slow(names: dict[str, str]) -> list[dict[str, Any]]:
    """Return an hour of calls and queue samples, the last half of it slow."""
    return [
        {
            "timestamp": START + timedelta(seconds=20 * number),
            "level": "error" if number % 9 == 0 else "info",
            "event": "api_call",
            "correlation_id": f"c{number}",
            "duration_ms": (2000.0 if number > 90 else 100.0) + number % 7,
            "queue_depth": number % 5,
            **names,
        }
        for number in range(180)
    ]
