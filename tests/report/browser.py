"""A page from disk in a real browser: what it drew, what it complained of, what it asked the network for.

Uses a Chromium that is installed, through playwright; tests skip where either is absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass
class Opened:
    """A page (playwright's), its console warnings and errors, and the addresses that it asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def marks(self, chart: str, kind: str) -> list[str]:
        """Labels that assistive technology reads of a chart's marks; kind: a role description such as bar, point."""
        found: list[str] = self.page.eval_on_selector_all(
            f'[data-chart="{chart}"] [aria-roledescription="{kind}"]',
            "nodes => nodes.map(node => node.getAttribute('aria-label'))",
        )
        return found

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wide


def chromium() -> str:
    """Path of a Chromium; skips the test where there is none."""
    if find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install playwright")
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no Chromium on PATH (looked for {', '.join(NAMES)})")
    return path


@contextmanager
def browsing() -> Iterator[Any]:
    """A headless browser."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, path: Path, *, width: int = 1100, scheme: str = "light") -> Iterator[Opened]:
    """A file opened from disk, all its charts drawn; nothing but that file can be reached."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    found = Opened(page)
    page.on("console", lambda m: found.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("request", lambda request: found.requests.append(request.url))
    try:
        page.goto(path.resolve().as_uri())
        page.wait_for_function("document.documentElement.dataset.drawn === 'all'", timeout=60_000)
        yield found
    finally:
        context.close()


def portrait(path: Path, out: Path) -> None:
    """A picture of a report for the README: its head in light, its distributions and effects in dark, side by side."""
    from io import BytesIO

    from PIL import Image

    halves = []
    with browsing() as browser:
        for scheme, start in (("light", 0), ("dark", "#distribution")):
            with opened(browser, path, width=1000, scheme=scheme) as found:
                found.page.add_style_tag(
                    content="nav { position: static !important } h1 { margin-top: 24px !important }"
                )
                top = start or 0
                if isinstance(start, str):
                    top = found.page.evaluate(
                        f"document.querySelector('{start}').getBoundingClientRect().top + scrollY + 24"
                    )
                clip = {"x": 0, "y": top, "width": 1000, "height": 1400}
                halves.append(Image.open(BytesIO(found.page.screenshot(full_page=True, clip=clip))).convert("RGB"))
    both = Image.new("RGB", (2000, 1400))
    for at, half in enumerate(halves):
        both.paste(half, (1000 * at, 0))
    both.quantize(192, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    import sys

    portrait(Path(sys.argv[1]), Path(sys.argv[2]))
