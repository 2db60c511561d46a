"""Parts of the page, found as readers find them, and the page's timer."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

from harness.wait import wait_until


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True))


def find_id(page: Page, title: str) -> str:
    """The id of the report that a card shows."""
    address = card(page, title).get_by_role("link").first.get_attribute("href") or ""
    return address.rpartition("/")[2]


def ask_form(page: Page) -> Locator:
    return page.get_by_role("region", name="Request a report")


def wait_for_status(page: Page, title: str, status: str) -> None:
    """Let the page's own timer pass until a card shows `status`."""

    def has_come() -> bool:
        page.clock.run_for(2000)
        return card(page, title).get_attribute("data-status") == status

    # Each look is a request to the server.
    wait_until(has_come, what=f"{title!r} {status}", every_seconds=0.1)


def scrolls_sideways(page: Page) -> Any:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
