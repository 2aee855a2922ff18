"""A real Chromium for the tests that need one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Browser:
    """One Chromium window. ``driver`` is Selenium's own."""

    def __init__(self, profile: Path, downloads: Path) -> None:
        self.downloads = downloads
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        self.driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))

    def viewport(self, width: int, height: int = 900) -> None:
        """Lay pages out for a screen of this many CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})

    def problems(self) -> list[str]:
        """Errors and warnings on the console (breaches of the CSP too) since last asked."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in {"SEVERE", "WARNING"}
        ]

    def overflow(self) -> int:
        """By how many CSS pixels the page is wider than the window."""
        return int(
            self.driver.execute_script(
                "return document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def shoot(self, path: Path) -> None:
        """A PNG of the whole page."""
        import base64

        shot: dict[str, Any] = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
        )
        path.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Browser]]:
    """Opens windows, each with a profile of its own; all are closed in the end.

    Without Chromium the test is skipped, and says so; in CI it fails.
    """
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        what = "needs chromium and chromedriver"
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)
    opened: list[Browser] = []

    def window() -> Browser:
        folder = tmp_path_factory.mktemp("chromium")
        downloads = folder / "downloads"
        downloads.mkdir()
        opened.append(Browser(folder / "profile", downloads))
        return opened[-1]

    yield window
    for each in opened:
        each.driver.quit()
