"""The page's application in this process, and the page as a process with a browser that visits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from page_process import CHROMIUM, PageProcess
from page_visit import Visit
from playwright.sync_api import Browser, sync_playwright
from starlette.testclient import TestClient

from pairstream import StreamSpec
from synth_server.listen.app import Pages, make_app
from synth_server.listen.clients import Clients
from synth_server.listen.pairs import Pairs

OpenPage = Callable[..., TestClient]


@pytest.fixture
def open_page() -> Iterator[OpenPage]:
    """Makes a page, with pairs from local:// unless said otherwise, and gives a visitor of it."""
    with ExitStack() as stack:

        def opened(url: str = "local://", *, timeout: float = 20.0, at_once: int = 4, **more: Any) -> TestClient:
            clients = Clients(url, timeout=timeout, **more.pop("clients", {}))
            pairs = Pairs(clients, timeout=timeout, at_once=at_once, cache_bytes=8 << 20)
            stack.callback(pairs.close)
            pages = Pages(pairs, url=url, **{"spec": StreamSpec(), "listener": None, **more})
            return stack.enter_context(TestClient(make_app(pages), raise_server_exceptions=False))

        yield opened


@pytest.fixture
def visitor(open_page: OpenPage) -> TestClient:
    return open_page()


@pytest.fixture(scope="module")
def server() -> Iterator[PageProcess]:
    with PageProcess() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    visit = Visit(browser)
    yield visit
    visit.context.close()
