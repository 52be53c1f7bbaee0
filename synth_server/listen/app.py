"""The pages by their paths. Each function reads a request, asks `Pairs`, and answers; they run on a few threads.

/  /pair/4711/12?synth=voice-fm          the page, the same file for all of them
/static/...                              its style and its script
/healthz                                 200 while this process answers; whether workers do is for the page to say
/api/start                               what is served here
/api/head?SPEC                           the block that trainers of a stream have come to
/api/pair/4711/12?SPEC                   all about a pair
/api/pair/4711/12/a.wav?SPEC  b.wav      its sounds, and
/api/pair/4711/12/pair.json?SPEC         what makes it again, as `synth-server render` writes them
/api/pair/4711/12/cosine?SPEC            how alike the checkpoint's encoder finds the views
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pairstream.errors import ConfigError, PairstreamError
from pairstream.listener import Listener
from pairstream.spec import StreamSpec
from pairstream.version import version
from synth_server import pair_files
from synth_server.listen import answers, permalink, problems
from synth_server.listen.caching import ASK_AGAIN, FOR_GOOD, cached, tag
from synth_server.listen.headers import SafeHeaders
from synth_server.listen.pairs import Pairs
from synth_server.patches import load_patch

STATIC = Path(__file__).with_name("static")
_NO_STORE = {"cache-control": "no-store"}
_NUMBER = re.compile(r"[0-9]{1,16}")


class AskedAgain(StaticFiles):
    """Scripts and styles that are never older than the page that they are of."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """With the ETag that it has, a browser is mostly told that nothing changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = ASK_AGAIN
        return response


class Pages:
    """What the paths lead to.

    Args:
        pairs: where pairs come from.
        url: of the workers, to tell visitors.
        spec: the stream that the page begins with.
        listener: the encoder that compares the views, if there is one.
    """

    def __init__(self, pairs: Pairs, *, url: str, spec: StreamSpec, listener: Listener | None) -> None:
        self._pairs = pairs
        self._url = url
        self._spec = spec
        self._listener = listener
        self._listening = Lock()

    def page(self, request: Request) -> Response:
        """The page itself."""
        return FileResponse(STATIC / "index.html", headers={"cache-control": ASK_AGAIN})

    def health(self, request: Request) -> Response:
        """This process answers."""
        return PlainTextResponse("ready\n", headers=_NO_STORE)

    def start(self, request: Request) -> Response:
        """What is served here."""
        about = {
            "version": version(),
            "url": self._url,
            "live": not self._url.startswith("local://"),
            "stream": answers.stream(self._spec),
            "synths": answers.offer(),
            "compares": self._listener is not None,
        }
        return JSONResponse(about, headers=_NO_STORE)

    def head(self, request: Request) -> Response:
        """The newest block of a stream that its trainers were given; null if they were given none lately."""
        return JSONResponse({"head": self._pairs.head(_spec(request))}, headers=_NO_STORE)

    def pair(self, request: Request) -> Response:
        """All about a pair."""
        spec, index, pair = _place(request)
        return cached(
            request,
            tag(spec, index, pair, "about"),
            ASK_AGAIN,
            lambda: JSONResponse(answers.describe(self._pairs.pair(spec, index, pair))),
        )

    def sound(self, request: Request) -> Response:
        """The WAV of a view."""
        spec, index, pair = _place(request)
        view = request.path_params["view"]

        def make() -> Response:
            samples = self._pairs.pair(spec, index, pair).audio["ab".index(view)]
            name = f"{pair_files.stem(spec, index, pair)}-{view}.wav"
            return _file(pair_files.wav(samples, spec.sample_rate), "audio/wav", name)

        return cached(request, tag(spec, index, pair, view), FOR_GOOD, make)

    def recipe(self, request: Request) -> Response:
        """The JSON that makes the pair again."""
        spec, index, pair = _place(request)

        def make() -> Response:
            block = self._pairs.block(spec, index)
            parameters = load_patch(spec.synth, spec.oscillators).parameters
            about = pair_files.about(
                spec, index, pair, sha256=block.sha256(), theta=block.theta[pair], parameters=parameters
            )
            text = json.dumps(about, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            return _file(text.encode(), "application/json", f"{pair_files.stem(spec, index, pair)}.json")

        return cached(request, tag(spec, index, pair, "recipe"), ASK_AGAIN, make)

    def cosine(self, request: Request) -> Response:
        """How alike the views are to the encoder."""
        if (listener := self._listener) is None:
            raise ConfigError("no encoder is loaded; start `synth-server listen` with --checkpoint")
        spec, index, pair = _place(request)
        with self._listening:
            name = listener.name

        def make() -> Response:
            audio = self._pairs.pair(spec, index, pair).audio.astype(np.float32)
            with self._listening:
                embeddings = listener.embed(audio, spec.sample_rate)
            return JSONResponse({"cosine": answers.cosine(embeddings), "by": name})

        return cached(request, tag(spec, index, pair, f"cosine {name}"), ASK_AGAIN, make)

    @property
    def routes(self) -> list[Any]:
        """The table of paths."""
        place = "/api/pair/{index}/{pair}"
        return [
            Route("/", self.page),
            Route("/pair/{index}/{pair}", self.page),
            Route("/healthz", self.health),
            Route("/api/start", self.start),
            Route("/api/head", self.head),
            Route(place, self.pair),
            Route(f"{place}/pair.json", self.recipe),
            Route(f"{place}/cosine", self.cosine),
            Route(f"{place}/{{view}}.wav", self.sound),
            Mount("/static", AskedAgain(directory=STATIC)),
        ]


def make_app(pages: Pages) -> ASGIApp:
    """The application; it owns nothing that must be closed."""
    handlers = dict.fromkeys((HTTPException, PairstreamError, Exception), problems.answer)
    return SafeHeaders(Starlette(routes=pages.routes, exception_handlers=handlers))


def _spec(request: Request) -> StreamSpec:
    return permalink.read(request.query_params.multi_items())


def _place(request: Request) -> tuple[StreamSpec, int, int]:
    numbers = [request.path_params[name] for name in ("index", "pair")]
    if not all(_NUMBER.fullmatch(number) for number in numbers) or request.path_params.get("view", "a") not in (
        "a",
        "b",
    ):
        raise HTTPException(404)
    return _spec(request), int(numbers[0]), int(numbers[1])


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
