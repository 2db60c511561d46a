"""Chromium for tests, and one page in it that tests use one after another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urldefrag

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

# The first is the same engine without windows: it takes a third of the processor time for each new page.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
DESKTOP = ViewportSize(width=1280, height=720)
TELEPHONE = ViewportSize(width=390, height=844)


@contextmanager
def browse(*arguments: str) -> Iterator[Browser]:
    """Start Chromium; skip where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium is not installed: apt install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*OPTIONS, *arguments])
        yield browser
        browser.close()


class Complaints(list[str]):
    """What a browser finds wrong with a page: errors, and whatever its policy forbids."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(message.text)


class Window:
    """One page for many tests, each of which finds it as if it were new: to open one takes longer than most tests."""

    def __init__(self, browser: Browser) -> None:
        self._page = browser.new_page(viewport=DESKTOP)
        self.complaints = Complaints(self._page)

    @contextmanager
    def lend(self) -> Iterator[Page]:
        """Lend the page, whose clock may be hurried on; it must give no cause for complaint."""
        self._page.clock.install()
        self.complaints.clear()
        yield self._page
        try:
            assert self.complaints == []
        finally:
            self._reset()

    def _reset(self) -> None:
        """Empty the page at its own address: at another one, the browser would start a process for it."""
        self._page.unroute_all()
        if self._page.url != "about:blank":
            self._page.route("**", lambda route: route.fulfill(body=""))
            self._page.goto(urldefrag(self._page.url).url)
            self._page.unroute_all()
        self._page.context.clear_cookies()
        self._page.set_viewport_size(DESKTOP)
        self._page.emulate_media(color_scheme="light")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browse() as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser: Browser) -> Window:
    return Window(browser)


@pytest.fixture
def page(window: Window) -> Iterator[Page]:
    """The page of the module's window, which must give no cause for complaint."""
    with window.lend() as page:
        yield page
