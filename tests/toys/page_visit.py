"""A visit of the page in a real browser, on a large screen or a phone's, and what went wrong in it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

#: Two pairs, of half a second and of two.
PAIR = "/pair/4711/14?delta=0.1&seconds=0.5"
LONG = "/pair/4711/14?delta=0.1&seconds=2.0"
SCREENS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)


def until(page: Page, holds: str, wrong: list[str] | None = None) -> None:
    """Wait until this is true; Playwright's own way needs `eval`, which the page forbids."""
    for _ in range(WAIT_MS // 50):
        if page.evaluate(f"Boolean({holds})"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {holds}; the browser said {wrong}")


class Visit:
    """A tab, and what went wrong in it."""

    def __init__(self, browser: Browser, screen: str = "desk", scheme: str = "light") -> None:
        phone = screen == "phone"
        self.context = browser.new_context(
            viewport=SCREENS[screen], color_scheme=scheme, is_mobile=phone, has_touch=phone, accept_downloads=True
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.wrong: list[str] = []
        self.dropped = False
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self._said(said.type, said.text))

    def open(self, url: str) -> Page:
        self.page.goto(url)
        try:
            self.ready()
        except AssertionError:
            if not self.dropped:
                raise
        if self.dropped:  # it may have been the page's own style or script, which no script asks for again
            self.page.goto(url)
            self.ready()
        return self.page

    def ready(self) -> None:
        until(self.page, "document.querySelector('#stage[aria-busy=false]')", self.wrong)
        until(
            self.page,
            "!document.querySelector('#strip [aria-busy=true]') && document.querySelector('#strip .delta b').innerText",
        )

    def _said(self, kind: str, text: str) -> None:
        if "ERR_NETWORK_CHANGED" in text:  # a container came or went on this machine, and the browser is nervous
            self.dropped = True
        elif kind in ("error", "warning"):
            self.wrong.append(text)
