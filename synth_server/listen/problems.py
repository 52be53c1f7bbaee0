"""Errors as a visitor gets them: a status, a kind that the page knows, and the one line that every command prints.

{"error": {"kind": "no-worker", "message": "no worker answers ..."}}
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from pairstream.errors import (
    ConfigError,
    PairstreamError,
    ProtocolError,
    RefusedError,
    RenderError,
    StreamTimeoutError,
    WorkerUnavailableError,
)
from synth_server.listen.pairs import BusyError

#: The first that fits; every error of ours is a PairstreamError.
_KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (ConfigError, 400, "not-valid"),
    (RefusedError, 422, "refused"),
    (WorkerUnavailableError, 503, "no-worker"),
    (StreamTimeoutError, 504, "too-slow"),
    (BusyError, 503, "busy"),
    (RenderError, 502, "not-rendered"),
    (ProtocolError, 502, "not-understood"),
    (PairstreamError, 500, "failed"),
)
#: After how many seconds to try again what may pass.
_RETRY = {503: "2", 504: "2"}


def answer(request: Request, error: Exception) -> JSONResponse:
    """What a visitor is told of an error; the text of one that nobody foresaw is for the log, where uvicorn puts it."""
    if isinstance(error, HTTPException):
        kind = "no-such-page" if error.status_code == 404 else "not-allowed"
        return _body(error.status_code, kind, f"{request.method} {request.url.path[:200]}: {error.detail}")
    for type_, status, kind in _KINDS:
        if isinstance(error, type_):
            return _body(status, kind, " ".join(str(error).split()))
    return _body(500, "failed", "something failed that should not; the log of `synth-server listen` says what")


def _body(status: int, kind: str, message: str) -> JSONResponse:
    headers = {"cache-control": "no-store"}
    if status in _RETRY:
        headers["retry-after"] = _RETRY[status]
    return JSONResponse({"error": {"kind": kind, "message": message}}, status, headers)
