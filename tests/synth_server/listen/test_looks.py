"""The page in a real browser: what it looks like, by day and by night, and to whom does not see it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_process import CHROMIUM, PageProcess
from page_visit import PAIR, SCREENS, Visit
from playwright.sync_api import Browser, Page, expect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; on Debian, apt-get install chromium"),
]


def colours(page: Page, selector: str) -> int:
    """How many colours a canvas has."""
    return page.eval_on_selector(
        selector,
        """canvas => new Set(new Uint32Array(canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size""",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_it_looks_as_it_should(browser: Browser, server: PageProcess, screen: str, scheme: str, tmp_path: Path):
    visit = Visit(browser, screen, scheme)
    page = visit.open(server.url + PAIR)
    expect(page).to_have_title("Pair 14 of block 4,711 · Pairstream")
    assert page.evaluate("document.documentElement.scrollWidth") == SCREENS[screen]["width"]
    for view in "ab":
        assert colours(page, f"[data-view={view}] .mel") > 20
        assert colours(page, f"[data-view={view}] .wave") >= 2
        expect(page.locator(f".view[data-view={view}] .mel")).to_have_attribute(
            "aria-label", re.compile("125 Hz to 7,500 Hz")
        )
    expect(page.locator("#strip li")).to_have_count(5)
    expect(page.locator("#rows li")).to_have_count(78)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", paper)[:3])) / 3
    assert lightness > 230 if scheme == "light" else lightness < 40
    small = page.evaluate(
        """[...document.querySelectorAll("button, a.button, input, select")].filter(each => each.offsetParent)
            .filter(each => each.getBoundingClientRect().height < 24).map(each => each.outerHTML)"""
    )
    assert small == []
    page.screenshot(path=tmp_path / f"{screen}-{scheme}.png", full_page=True)
    assert visit.wrong == []
    visit.context.close()


def test_everything_that_can_be_reached_has_a_name(visit: Visit, server: PageProcess):
    page = visit.open(server.url + PAIR)
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, a, input, select, canvas[role]")]
            .filter(each => !(each.innerText || each.ariaLabel || each.labels?.[0]?.innerText || "").trim())
            .map(each => each.outerHTML)"""
    )
    assert nameless == []
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
