"""A live client under fire: workers that answer with anything, and one that is honest, from whom the right bytes come.

No crash, no hang, no growth. The client is told which arithmetic it wants, as one that resumes: else the first worker
to answer decides, and that is a rogue's right as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from itertools import count

import pytest
from garbage import BOMBS, MESSAGES, garbage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from resident import resident
from rogue_worker import Answers, grpc_rogue, zmq_rogue
from toy_source import TOY, ToySource, open_toy

from pairstream import Client, connect
from pairstream.codec import encode
from pairstream.errors import PairstreamError
from pairstream.messages import Opened
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

pytestmark = pytest.mark.slow  # live sockets, and many of them

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)
ROGUES = {"zmq": zmq_rogue, "grpc": grpc_rogue}
Rogue = Callable[[Answers], AbstractContextManager[str]]
#: The best a rogue can say: that it serves the stream, and faster than anybody.
WELCOME = [
    bytes(frame)
    for frame in encode(
        Opened(digest=TOY.digest, layout=ToySource(TOY).layout, fingerprint=ToySource.fingerprint, capacity=1 << 20)
    )
]
#: Bytes that a client may hold more after a second bombardment than after the first.
GROWTH = 24 << 20


@pytest.fixture(scope="module")
def honest() -> Iterator[Server]:
    with Server(SETTINGS, open_toy, WorkerMetrics()) as server:
        yield server


@pytest.fixture(params=ROGUES, scope="module")
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def url_of(honest: Server, scheme: str) -> str:
    return honest.addresses.data.replace("zmq", "tcp") if scheme == "zmq" else f"grpc://{honest.addresses.grpc}"


def check(client: Client, stop: int, start: int = 0) -> None:
    """The right bytes come, in order."""
    source = ToySource(TOY)
    hashes = [block.sha256() for block in client.blocks(start, stop)]
    assert hashes == [source.render(index).sha256() for index in range(start, stop)]


def client_of(urls: list[str], timeout: float = 20) -> Client:
    rest = ",".join(url.partition("://")[2] for url in urls[1:])
    url = urls[0] + (f",{rest}" if rest else "")
    return connect(url, TOY, timeout=timeout, fingerprint=ToySource.fingerprint)


@st.composite
def mutated(draw: st.DrawFn) -> list[bytes]:
    """A true message of which bytes were changed, cut or put in; or none at all."""
    frames = list(draw(st.sampled_from([*MESSAGES, WELCOME])))
    for _ in range(draw(st.integers(0, 3))):
        which = draw(st.integers(0, len(frames) - 1))
        begin = draw(st.integers(0, len(frames[which])))
        end = begin + draw(st.integers(0, 9))
        frames[which] = frames[which][:begin] + draw(st.binary(max_size=9)) + frames[which][end:]
    return draw(st.one_of(st.just(frames), st.lists(st.binary(max_size=40), min_size=1, max_size=4)))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts=st.lists(st.lists(mutated(), min_size=1, max_size=8), min_size=1, max_size=3))
def test_whatever_rogues_answer_the_honest_workers_bytes_come(
    honest: Server, scheme: str, scripts: list[list[list[bytes]]]
):
    def played(script: list[list[bytes]], heard: int) -> list[list[bytes]]:
        return [WELCOME, script[0]] if heard == 0 else [script[heard % len(script)]]

    with ExitStack() as stack:
        rogues = [stack.enter_context(ROGUES[scheme](partial(played, script))) for script in scripts]
        check(stack.enter_context(client_of([url_of(honest, scheme), *rogues])), 8)


def test_a_bombardment_leaves_nothing_behind(honest: Server, scheme: str):
    """Every rogue answers OPEN with four hundred messages, any further word with twenty, of which few are true."""
    held = []
    for turn in range(4):
        with ExitStack() as stack:
            rogues = []
            for seed in range(6):
                fire = iter(garbage(100_000, seed=10 * turn + seed))

                def volley(heard: int, fire: Iterator[list[bytes]] = fire) -> list[list[bytes]]:
                    bombs = [] if heard else [[bomb] for bomb in BOMBS]
                    return [*([] if heard else [WELCOME]), *(next(fire) for _ in range(20 if heard else 400)), *bombs]

                rogues.append(stack.enter_context(ROGUES[scheme](volley)))
            check(stack.enter_context(client_of([url_of(honest, scheme), *rogues])), 100)
        held.append(resident())
    assert held[-1] - held[1] < GROWTH, held


def test_who_answers_only_that_it_serves_is_not_waited_for(honest: Server, scheme: str):
    """It takes every ask and gives nothing, as fast as anybody: the asks go on to the honest worker."""
    numbers = count()

    def silent(heard: int) -> list[list[bytes]]:
        next(numbers)
        return [WELCOME]

    with ROGUES[scheme](silent) as rogue, client_of([url_of(honest, scheme), rogue], timeout=6) as client:
        check(client, 12)
    assert next(numbers) > 1, "it was asked"


def test_among_rogues_alone_the_wait_ends_with_a_reason(scheme: str):
    fire = iter(garbage(100_000, seed=5))
    with (
        ROGUES[scheme](lambda heard: [WELCOME, *(next(fire) for _ in range(9))]) as rogue,
        pytest.raises(PairstreamError, match=r"127\.0\.0\.1"),
        client_of([rogue], timeout=1.0) as client,
    ):
        check(client, 8)
