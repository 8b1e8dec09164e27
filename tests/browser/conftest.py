"""Open pages in a real Chromium whose network is cut, and note everything it complains of."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.outputs.conftest import HOSTILE, make_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass
class Opened:
    """A page, and what went wrong on it: console errors, exceptions, dialogs, and every request it tried."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def settle(self) -> None:
        """Wait for a change of size or medium to reach the map: its observer speaks in the frame after next at latest."""
        frames = "(left) => new Promise((done) => { const next = () => (left-- ? requestAnimationFrame(next) : done()); next(); })"
        self.page.evaluate(frames, 3)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a running Chromium; without one installed these tests are skipped and say so."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no chromium is installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Return a function that opens HTML text as a file with the network cut."""
    context = chromium.new_context(viewport={"width": 1400, "height": 860}, offline=True)
    context.set_default_timeout(30_000)

    def load(html: str, name: str = "page.html", ready: str = ".sy-root[data-ready]") -> Opened:
        file = tmp_path / name
        file.write_bytes(html.encode("utf-8"))
        page = context.new_page()
        seen = Opened(page)
        page.on(
            "console", lambda m: seen.complaints.append(m.text) if m.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda e: seen.complaints.append(f"exception: {e}"))
        page.on("dialog", lambda d: (seen.complaints.append(f"dialog: {d.message}"), d.dismiss()))
        page.on("request", lambda r: seen.requests.append(r.url))
        page.goto(file.as_uri())
        page.wait_for_selector(ready, state="attached", timeout=30_000)
        return seen

    yield load
    context.close()


@pytest.fixture(scope="session")
def all_findings() -> Any:
    """Return the toy findings once for all browser tests."""
    return make_findings()


@pytest.fixture(scope="session")
def hostile() -> str:
    """Return a name that tries to be HTML, script, template and format string at once."""
    return HOSTILE
