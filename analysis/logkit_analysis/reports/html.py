"""A document as one HTML file that needs nothing else: no network, no script, no font."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from logkit_analysis.renderers.values import rfc3339
from logkit_analysis.reports import wording
from logkit_analysis.reports.charts.plot import plot
from logkit_analysis.reports.charts.steps import lines
from logkit_analysis.reports.charts.strips import strips
from logkit_analysis.reports.data import chart_csv, figures
from logkit_analysis.reports.document import (
    Block,
    Chart,
    Document,
    Strips,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_PACKAGE = "logkit_analysis.reports"
_SLASH = re.compile(r"(?<=[^\s/(])(?=/)")
_UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|s|min|h|d|MiB)(?!\w))")
_HARMLESS_IN_LINKS = ",:-.+ "


def render_html(document: Document, zone: ZoneInfo) -> str:
    """Return *document* as HTML; every text of it is escaped.

    The policy in its head lets the browser run the one script whose hash it names, and load
    nothing at all.
    """
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {"breakable": _breakable, "headline": _headline}
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    return environment.get_template("report.html").render(
        document=document,
        style=style,
        script=script,
        policy=_policy(style, script),
        figures=_json(figures(document)),
        drawing=lambda block: _drawing(block, zone),
        csv_link=_csv_link,
        trace_lines=lines,
        offset=_offset_s(document, zone),
        rows_label=lambda number: wording.counted(number, "row"),
    )


def _visible(value: Any) -> Any:
    """Return text with what would hide or reorder its neighbours made visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(wording.words(line, len(line)) for line in value.split("\n"))
    return value


def _breakable(text: str) -> Markup:
    """Return *text* with a place to break the line before each slash, and none before a unit."""
    parts = (_visible(_UNIT.sub("\N{NO-BREAK SPACE}", part)) for part in _SLASH.split(text))
    return Markup("<wbr>").join(parts)


def _headline(text: str) -> Markup:
    """Return *text* with its routes kept on one line as long as that is wide enough."""
    route = Markup('<span class="route">{}</span>')
    words = (route.format(_breakable(one)) if "/" in one else one for one in text.split(" "))
    return Markup(" ").join(map(_visible, words))


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    source, *_ = environment.loader.get_source(environment, name)
    return source.strip()


def _policy(style: str, script: str) -> str:
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _drawing(block: Block, zone: ZoneInfo) -> Markup:
    match block:
        case Chart():
            return plot(block, zone)
        case Strips():
            return strips(block, zone)
        case _:
            raise TypeError(f"no drawing for {type(block).__name__}")


def _offset_s(document: Document, zone: ZoneInfo) -> int:
    """Return how far the clocks of *zone* are ahead of UTC where the report begins, in seconds."""
    blocks = (block for section in document.sections for block in section.blocks)
    for block in blocks:
        if isinstance(block, Chart | Strips):
            offset = block.axis.since.astimezone(zone).utcoffset()
            return 0 if offset is None else round(offset.total_seconds())
    return 0


def _csv_link(chart: Chart | Strips) -> str:
    return f"data:text/csv;charset=utf-8,{quote(chart_csv(chart), safe=_HARMLESS_IN_LINKS)}"


def _json(value: object) -> str:
    """Return JSON that no parser of HTML can take for markup."""
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _plain(value: Any) -> str:
    return rfc3339(value)
