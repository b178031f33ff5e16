"""A real browser: Chromium without a window, driven by Playwright.

Without either these tests are skipped; where TIEPOINT_BROWSER names the executable they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# Chromium asks for its updates, its experiments and its search engine by itself: not in a test.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The browser, started once."""
    wanted = os.environ.get("TIEPOINT_BROWSER")
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = wanted or next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.skip("there is no Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if wanted:
            raise
        pytest.skip("there is no playwright; pip install 'tiepoint[browser]'")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Opened:
    """A page in the browser, and what it did besides showing itself."""

    tab: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def js(self, code: str, *arguments: Any) -> Any:
        """The value of an expression, or of a function with one argument."""
        return self.tab.evaluate(code, *arguments)

    def refuse(self, dialog: Any) -> None:
        """Note a dialog, which is no dialog of ours, and close it."""
        self.errors.append(dialog.message)
        dialog.dismiss()

    def count(self, stage: str) -> int:
        """The number that the page shows for a stage of its funnel."""
        return int(self.tab.locator(f"#funnel [data-stage={stage}] b").inner_text())

    def settled(self) -> None:
        """Wait until all is drawn."""
        self.tab.wait_for_timeout(300)

    def box(self) -> dict[str, float]:
        found: dict[str, float] = self.tab.locator("#stage").bounding_box()
        return found

    def screen(self, photo: int, x: float, y: float) -> tuple[float, float]:
        """Where a point of a photo is in the window."""
        at = self.js("([p, x, y]) => toStage(p, x, y)", [photo, x, y])
        box = self.box()
        return box["x"] + at["x"], box["y"] + at["y"]

    def tick(self, switch: str, on: bool) -> None:
        self.tab.locator(f"[data-switch={switch}]").set_checked(on)

    def type(self, slider: str, value: float | None) -> None:
        """Type a number into the field beside a slider."""
        self.tab.locator(f"[data-name={slider}] input[type=number]").fill(
            "" if value is None else repr(value)
        )


Open = Callable[..., Opened]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a page that is given as text; afterwards it must not have complained or asked for anything."""
    pages: list[Opened] = []

    def open_page(
        text: str, *, width: int = 1600, height: int = 900, name: str = "page.html", **options: Any
    ) -> Opened:
        path = tmp_path / name
        path.write_bytes(text.encode())
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        page = Opened(context.new_page())
        page.tab.on("pageerror", lambda error: page.errors.append(str(error)))
        page.tab.on("console", lambda message: page.errors.append(message.text))
        page.tab.on("dialog", page.refuse)
        page.tab.on("request", lambda request: page.requests.append(request.url))
        page.tab.goto(path.as_uri())
        with suppress(Exception):
            page.tab.wait_for_selector("html.running", timeout=20_000)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.errors == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
        page.tab.context.close()
