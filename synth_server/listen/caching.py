"""How long a browser may keep what it got. A pair is a pure function of (spec, index), so its page never changes.

Sounds are kept for good. What is said about a pair may be said better by another version, so a browser asks again each
time and is mostly told that nothing changed, without a pair being fetched for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from pairstream.spec import StreamSpec
from pairstream.version import version

FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def tag(spec: StreamSpec, index: int, pair: int, what: str) -> str:
    """The ETag of something about a pair."""
    named = f"{version()} {spec.digest} {index} {pair} {what}"
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


def cached(request: Request, etag: str, keep: str, make: Callable[[], Response]) -> Response:
    """What `make` gives, or 304 if the browser has it."""
    headers = {"etag": etag, "cache-control": keep}
    asked = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if etag in asked:
        return Response(status_code=304, headers=headers)
    response = make()
    response.headers.update(headers)
    return response
