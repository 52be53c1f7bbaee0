"""The page's application in this process, with pairs from local:// unless said otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.testclient import TestClient

from pairstream import StreamSpec
from synth_server.listen.app import Pages, make_app
from synth_server.listen.clients import Clients
from synth_server.listen.pairs import Pairs

Visit = Callable[..., TestClient]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Makes a page and gives a visitor of it."""
    with ExitStack() as stack:

        def open_page(url: str = "local://", *, timeout: float = 20.0, at_once: int = 4, **more: Any) -> TestClient:
            clients = Clients(url, timeout=timeout, **more.pop("clients", {}))
            pairs = Pairs(clients, timeout=timeout, at_once=at_once, cache_bytes=8 << 20)
            stack.callback(pairs.close)
            pages = Pages(pairs, url=url, **{"spec": StreamSpec(), "listener": None, **more})
            return stack.enter_context(TestClient(make_app(pages), raise_server_exceptions=False))

        yield open_page


@pytest.fixture
def visitor(visit: Visit) -> TestClient:
    return visit()
