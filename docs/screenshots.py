"""Take the pictures that README and guides show: ``python -m docs.screenshots [FOLDER]``.

They show the sample incident: its report, and the full screen of `logkit tail`, as a real browser
draws them. Without Chromium nothing is taken, and that is said.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from docs.tail_screen import tail_svg
from tests.e2e.browser import PROGRAMS, Browser, browsing

TAIL_WIDTH = 920
IMAGES = Path(__file__).with_name("images")


@dataclass(frozen=True, slots=True)
class Picture:
    """A part of the report.

    Attributes:
        name: Name of the file, without its suffix.
        width: Width of the window in CSS pixels.
        scheme: ``light`` or ``dark``.
        first: What the picture begins with, as CSS selector.
        height: Its height in CSS pixels.
    """

    name: str
    width: int
    scheme: str
    first: str
    height: int


PICTURES = (
    Picture("report", 1040, "light", "body", 840),
    Picture("report-impact", 1040, "light", "#errors", 570),
    Picture("report-dark", 1040, "dark", "#vitals", 640),
    Picture("report-phone", 390, "light", "body", 840),
)


def main(folder: Path) -> int:
    """Take every picture into *folder*; return the exit code."""
    programs = [shutil.which(name) for name in PROGRAMS]
    if None in programs:
        sys.stderr.write(f"no pictures taken: they need the programs {', '.join(PROGRAMS)}\n")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    logkit = str(Path(sys.executable).with_name("logkit"))
    with tempfile.TemporaryDirectory() as place, browsing(*map(str, programs)) as browser:
        subprocess.run([logkit, "demo", "demo"], cwd=place, check=True, capture_output=True)
        for picture in PICTURES:
            image = _taken(browser, Path(place) / "demo" / "incident.html", picture)
            (folder / f"{picture.name}.png").write_bytes(image)
        (folder / "tail.png").write_bytes(_tail(browser, Path(place)))
    return 0


def _taken(browser: Browser, page: Path, picture: Picture) -> bytes:
    browser.open(page, width=picture.width, scheme=picture.scheme)
    top = browser.run(
        "return document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY",
        picture.first,
    )
    margin = 24 if top > 24 else 0
    return browser.picture(int(top) - margin, picture.height, picture.width)


def _tail(browser: Browser, place: Path) -> bytes:
    """Return the picture of the full screen of ``logkit tail``."""
    page = place / "tail.html"
    drawing = tail_svg(place / "demo").replace("<svg ", f'<svg width="{TAIL_WIDTH}" ', 1)
    style = "body { margin: 0 } svg { display: block }"
    page.write_text(f"<!doctype html><style>{style}</style>{drawing}", encoding="utf-8")
    browser.open(page, width=TAIL_WIDTH)
    height = browser.run("return document.querySelector('svg').getBoundingClientRect().height")
    return browser.picture(0, int(height), TAIL_WIDTH)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else IMAGES))
