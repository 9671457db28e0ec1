"""A real browser without a window, driven through its own protocol."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ("chromium", "chromedriver")
"""What has to be installed: Debian's packages chromium and chromium-driver."""

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # which root may not use
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


class Browser:
    """One page at a time."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def open(
        self,
        page: Path,
        *,
        width: int = 1280,
        scheme: str = "light",
        media: str = "",
        motion: str = "no-preference",
        has_scripts: bool = True,
    ) -> None:
        """Load the file *page* in a window *width* CSS pixels wide; *media* ``print`` is paper."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self._command("Emulation.setDeviceMetricsOverride", **metrics)
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self._command("Emulation.setEmulatedMedia", media=media, features=features)
        self._command("Emulation.setScriptExecutionDisabled", value=not has_scripts)
        self._log("performance")
        self._driver.get(page.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what *script* returns in the page."""
        return self._driver.execute_script(script, *arguments)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Move, press or release the left button at a place of the window."""
        pressed = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
        self._command("Input.dispatchMouseEvent", type=kind, x=x, y=y, **pressed)

    def complaints(self) -> list[str]:
        """Return what the console was told since the last time."""
        return self._log("browser")

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the page was opened."""
        messages = [json.loads(entry)["message"] for entry in self._log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def pdf(self) -> bytes:
        """Return the page as it prints."""
        done = self._command("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(done["data"])

    def picture(self, top: int, height: int, width: int) -> bytes:
        """Return a part of the page as PNG."""
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        done = self._command(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        return base64.b64decode(done["data"])

    def _log(self, name: str) -> list[str]:
        entries = self._driver.get_log(name)  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries]

    def _command(self, name: str, **parameters: Any) -> Any:
        return self._driver.execute_cdp_cmd(name, parameters)


@contextmanager
def browsing(chromium: str, chromedriver: str) -> Iterator[Browser]:
    """Yield a browser; it is gone at the end."""
    options = Options()
    options.binary_location = chromium
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
