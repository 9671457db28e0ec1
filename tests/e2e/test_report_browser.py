"""The report of a hostile log in a real browser: what a reader sees, and what never happens."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from tests.e2e.browser import PROGRAMS, browsing
from tests.e2e.slow_hour import ENDPOINT, write_slow_hour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.browser import Browser

pytestmark = pytest.mark.needs_program(*PROGRAMS)

_LOGKIT = str(Path(sys.executable).with_name("logkit"))
_CONTRAST = """
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (color) => {
  const parts = rgb(color).slice(0, 3).map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = rgb(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] === 1) return getComputedStyle(at).backgroundColor;
  }
  return "rgb(255, 255, 255)";
};
const worst = {};
for (const element of document.querySelectorAll("body *")) {
  if (!element.textContent.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const ink = element instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [light(ink), light(ground(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (element instanceof SVGElement && element.tagName !== "text") continue;
  if (ratio < 4.5) worst[`${element.tagName}.${element.getAttribute("class")}`] = ratio;
}
const paper = light(ground(document.documentElement));
for (const element of document.querySelectorAll(".line, .limit, .mark, .bar:not(.gap)")) {
  const style = getComputedStyle(element);
  const ink = light(style[style.stroke === "none" ? "fill" : "stroke"]);
  const [a, b] = [ink, paper].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 3) worst[element.getAttribute("class")] = (a + 0.05) / (b + 0.05);
}
return worst;
"""

_PLACE = """
const plot = document.querySelector("#latency svg.marks");
plot.scrollIntoView({ block: "center", behavior: "instant" });
const box = plot.getBoundingClientRect();
return [box.left, box.top, box.width, box.height];
"""
_NAMELESS = """
const named = (one) => one.getAttribute("aria-label") || one.getAttribute("aria-labelledby")
  || one.textContent.trim() || one.closest("table")?.caption?.textContent;
return [...document.querySelectorAll("a, button, summary, [tabindex], [contenteditable]")]
  .filter((one) => !named(one) || one.tabIndex > 0).map((one) => one.outerHTML.slice(0, 90));
"""
_LANDMARKS = """
const count = (tag) => document.querySelectorAll(tag).length;
return ["header", "nav", "main", "footer", "h1"].map(count);
"""
_TOLD = """
const told = (svg) => svg.getAttribute("role") === "img"
  && svg.querySelector("title").textContent && svg.querySelector("desc").textContent;
return [...document.querySelectorAll("svg.plot")].every(told);
"""
_WIDTHS = """
const width = (svg) => Number(svg.getAttribute("viewBox").split(" ")[2]);
return [...document.querySelectorAll("figure.chart svg.marks")].map(width);
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a database of the slow hour and its report."""
    folder = tmp_path_factory.mktemp("report")
    write_slow_hour(folder / "bot.log")
    for words in (["ingest", "bot.log"], ["report", "--output", "incident.html"]):
        subprocess.run([_LOGKIT, *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser for all tests of the module."""
    found = [shutil.which(name) or name for name in PROGRAMS]
    with browsing(*found) as browser:
        yield browser


@pytest.fixture
def page(folder: Path) -> Path:
    """Return the report."""
    return folder / "incident.html"


def query(folder: Path, name: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return the rows of a query for the time of the incident."""
    since, until = parameters.pop("since"), parameters.pop("until")
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    done = subprocess.run(
        [_LOGKIT, "query", name, "--since", since, "--until", until, "--format", "json", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_nothing_is_loaded_and_nothing_is_run_but_the_report(browser: Browser, page: Path) -> None:
    """The one request is that for the file; the console is silent; no script of the log ran."""
    browser.open(page)
    assert browser.requests() == [page.as_uri()]
    assert browser.complaints() == []
    assert browser.run("return window.hacked === undefined")


def test_the_policy_holds(browser: Browser, page: Path) -> None:
    """A script or a picture that somebody puts into the page is refused."""
    browser.open(page)
    browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        "document.body.append(s); const i = new Image(); i.src = 'https://127.0.0.1/x.png';"
        "document.body.append(i); return 0"
    )
    assert browser.run("return window.hacked === undefined")
    refused = [one for one in browser.complaints() if "Content Security Policy" in one]
    assert len(refused) == 2


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_every_section_is_seen(browser: Browser, page: Path, *, has_scripts: bool) -> None:
    """Each section has its heading, place in the contents, and content of some height."""
    browser.open(page, has_scripts=has_scripts)
    seen = browser.run(
        "return [...document.querySelectorAll('main > section')]"
        ".map((one) => [one.id, one.querySelector('h2').textContent, one.offsetHeight > 90])"
    )
    links = browser.run(
        "return [...document.querySelectorAll('nav a')].map((one) => one.hash.slice(1))"
    )
    assert [one[0] for one in seen] == links
    assert len(seen) == 12
    assert all(title and is_tall for _, title, is_tall in seen)
    drawn = (
        "return [...document.querySelectorAll('figure svg.plot')].every((one) => one.clientHeight)"
    )
    assert browser.run(drawn)


@pytest.mark.parametrize("width", [360, 768, 1280], ids=["phone", "tablet", "desk"])
def test_no_page_is_wider_than_its_window(browser: Browser, page: Path, width: int) -> None:
    """Nobody has to scroll sideways, whatever the names are; wide tables scroll in their place."""
    browser.open(page, width=width)
    long = "return document.querySelectorAll('.legend .name, .strips .tick, figcaption h3, .unit')"
    browser.run(f"{long}.forEach((one) => {{ one.textContent = 'E'.repeat(300); }})")
    assert browser.run("return document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(
    ("scheme", "media"),
    [("light", ""), ("dark", ""), ("dark", "print")],
    ids=["light", "dark", "print"],
)
def test_text_and_drawings_stand_out(browser: Browser, page: Path, scheme: str, media: str) -> None:
    """Text has the contrast that WCAG 2.2 asks for at level AA, 4.5 to 1, drawings have 3 to 1."""
    browser.open(page, scheme=scheme, media=media)
    ground = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is ((scheme, media) != ("dark", ""))
    assert browser.run(_CONTRAST) == {}


def test_a_screen_reader_is_told(browser: Browser, page: Path) -> None:
    """There are landmarks, heads for rows and columns, and words for each drawing."""
    browser.open(page)
    assert browser.run(_LANDMARKS) == [1, 1, 1, 1, 1]
    assert browser.run("return document.documentElement.lang") == "en"
    assert browser.run(
        "return [...document.querySelectorAll('table')].every((one) => one.caption"
        " && one.querySelector('th[scope=col]') && one.querySelector('th[scope=row]'))"
    )
    assert browser.run(_TOLD)


def test_all_drawings_share_one_time_axis(browser: Browser, page: Path) -> None:
    """The same instant lies above itself in every chart and strip of states."""
    browser.open(page)
    places = browser.run(
        "return [...document.querySelectorAll('figure.chart svg.plot')].map((one) =>"
        " { const box = one.getBoundingClientRect(); return `${box.left} ${box.width}`; })"
    )
    assert len(places) > 3
    assert len(set(places)) == 1


def test_a_headline_keeps_its_route_in_one_piece(browser: Browser, page: Path) -> None:
    """Where it is wide enough; on a phone a route breaks before a slash only."""
    pieces = "return document.querySelector('h1 .route').innerText.split('\\n').length"
    height = "return document.querySelector('h1 .route').getClientRects()[0].height"
    browser.open(page)
    assert browser.run(pieces) == 1
    assert browser.run(height) < 60
    browser.open(page, width=360)
    assert browser.run("return document.querySelector('h1').scrollWidth") <= 360


def test_a_chart_is_zoomed_by_dragging(browser: Browser, page: Path) -> None:
    """All charts show the part that was chosen; Escape brings the whole back."""
    browser.open(page)
    whole = browser.run(_WIDTHS)
    place = browser.run(_PLACE)
    left, top, width, height = place
    y = top + height / 2
    browser.mouse("mouseMoved", left + width * 0.25, y)
    browser.mouse("mousePressed", left + width * 0.25, y)
    browser.mouse("mouseMoved", left + width * 0.5, y)
    browser.mouse("mouseReleased", left + width * 0.5, y)
    assert browser.run(_WIDTHS) == pytest.approx([250.0] * len(whole), abs=3)
    assert browser.run("return document.querySelectorAll('#latency .zoomed').length") >= 2
    browser.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'})); return 0")
    assert browser.run(_WIDTHS) == whole
    assert browser.complaints() == []


def test_what_is_pointed_at_is_read_out(browser: Browser, page: Path) -> None:
    """The values of the bin under the pointer are those of the CSV."""
    browser.open(page)
    left, top, width, height = browser.run(_PLACE)
    browser.mouse("mouseMoved", left + width * 0.5, top + height / 2)
    text = browser.run("return document.querySelector('.readout').textContent")
    rows = table(browser, "latency")
    middle = rows[len(rows) // 2]
    assert middle["bucket_at"][11:16] in text
    assert f"p50 {float(middle['p50']):,.1f}".removesuffix(".0") in text


def table(browser: Browser, chart: str) -> list[dict[str, str]]:
    """Return the rows of the CSV that a chart offers."""
    link = browser.run("return document.querySelector(arguments[0]).href", f"#{chart} a.csv")
    return list(csv.DictReader(io.StringIO(unquote(link.partition(",")[2]))))


def test_numbers_are_those_of_the_queries(browser: Browser, page: Path, folder: Path) -> None:
    """Tiles and charts say what the canned queries say for the same time."""
    browser.open(page)
    figures = browser.run(
        "return JSON.parse(document.querySelector('#report-data').textContent).figures"
    )
    incident = figures["incident"]
    asked = {"since": incident["started_at"], "until": incident["ended_at"]}
    rates = query(folder, "error_rate", bucket_seconds=86_400, **asked)
    impact = query(folder, "user_impact", **asked)[0]
    tiles = dict(
        browser.run(
            "return [...document.querySelectorAll('#summary .tile')].map((one) =>"
            " [one.querySelector('dt').textContent, one.querySelector('.value').textContent])"
        )
    )
    assert tiles["Failed requests"] == f"{sum(row['errors'] for row in rates):,}"
    assert tiles["Users touched"] == f"{impact['affected_users']:,}"
    rows = table(browser, "latency")
    asked = {"since": rows[0]["bucket_at"], "until": figures["window"]["until"]}
    found = query(folder, "latency_over_time", bucket_seconds=30, endpoint=ENDPOINT, **asked)
    by_bucket = {row["bucket_at"][:19]: row["p95_ms"] for row in found}
    shown = {row["bucket_at"][:19]: float(row["p95"]) for row in rows if row["p95"]}
    assert shown == pytest.approx(by_bucket, rel=1e-5)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_number_leads_to_its_query(browser: Browser, page: Path, *, has_scripts: bool) -> None:
    """The link beside a figure opens the statement behind it, which was folded away."""
    browser.open(page, has_scripts=has_scripts)
    link = "const link = document.querySelector('#summary .sources a');"
    is_open = f"{link} return document.querySelector(link.hash).closest('details').open"
    assert not browser.run(is_open)
    browser.run(f"{link} link.click(); return 0")
    assert browser.run(is_open)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no_scripts"])
def test_nothing_is_folded_away_on_paper(
    browser: Browser, page: Path, *, has_scripts: bool
) -> None:
    """Each statement behind a number is there to be read, and nothing is cut at the margin."""
    browser.open(page, width=720, media="print", has_scripts=has_scripts)
    hidden = (
        "return [...document.querySelectorAll('.query')]"
        ".filter((one) => !one.checkVisibility({contentVisibilityAuto: true})"
        " || one.offsetHeight < 10).map((one) => one.id)"
    )
    assert browser.run(hidden) == []
    assert browser.run("return document.documentElement.scrollWidth") == 720


def test_it_prints(browser: Browser, page: Path) -> None:
    """The PDF has pages: those of the report, and those of the statements."""
    browser.open(page)
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF")
    assert 15 <= pdf.count(b"/Type /Page\n") <= 40


def test_headings_and_names_are_in_order(browser: Browser, page: Path) -> None:
    """Headings skip no level, and whatever the keyboard reaches has a name and is seen."""
    browser.open(page)
    levels = browser.run(
        "return [...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert browser.run(_NAMELESS) == []


def test_who_wants_no_motion_gets_none(browser: Browser, page: Path) -> None:
    """Links jump without gliding where the reader asked for less motion."""
    browser.open(page, motion="reduce")
    gliding = "return getComputedStyle(document.documentElement).scrollBehavior"
    assert browser.run(gliding) == "auto"
    browser.open(page)
    assert browser.run(gliding) == "smooth"
