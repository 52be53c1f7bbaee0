"""A real `synth-server listen` on a port of its choice, and a real browser to visit it."""

from __future__ import annotations

import shutil

from tests.toys.server_process import ServerProcess

#: Debian's, and what others call it.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class PageProcess(ServerProcess):
    """The page, served."""

    def __init__(self, *flags: str) -> None:
        super().__init__("listen", "--http", "127.0.0.1:0", *flags)
        assert self.process.stdout is not None
        first = self.process.stdout.readline().split()
        if not first:
            raise AssertionError(f"the page's server ended: {self.process.communicate()[1]}")
        self.url = first[1].rstrip("/")
