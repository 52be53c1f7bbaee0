"""The client over real transports: the same bytes, in order, and every wait ends with a reason."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from functools import partial
from itertools import islice

import pytest
import zmq
from toy_server import serve
from toy_source import TOY, ToySource, open_toy

from pairstream import Client, StreamSpec, connect
from pairstream.block import PairBlock
from pairstream.errors import (
    ConfigError,
    ProtocolError,
    RefusedError,
    RenderError,
    StreamTimeoutError,
    WorkerUnavailableError,
)
from pairstream.local_transport import LocalTransport
from pairstream.source import OpenSource
from synth_server.server import Server


def local(spec: StreamSpec = TOY, open_source: OpenSource = open_toy, timeout: float = 5.0) -> Client:
    return Client(LocalTransport(open_source), spec, experiment="test", timeout=timeout, credit_bytes=1 << 20)


def hashes(client: Client, count: int = 12) -> list[str]:
    return [block.sha256() for block in islice(client.blocks(), count)]


@pytest.fixture(scope="module")
def worker() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_local_and_zmq_give_the_same_bytes(worker: Server, dtype: str):
    spec = StreamSpec.from_dict(TOY.as_dict() | {"dtype": dtype})
    reference = ToySource(spec)
    expected = [reference.render(index).sha256() for index in range(12)]
    with local(spec) as here, connect(worker.addresses.data, spec, timeout=5) as there:
        assert hashes(here) == expected
        assert hashes(there) == expected


def test_fetch_gives_any_block_at_any_time_also_between_others(worker: Server):
    with connect(worker.addresses.data, TOY, timeout=5) as client:
        stream = client.blocks(start=10)
        indices = [next(stream).index, client.fetch(3).index, next(stream).index, client.fetch(2**40).index]
        assert indices == [10, 3, 11, 2**40]


def test_a_stream_that_has_a_stop_ends(worker: Server):
    with connect(worker.addresses.data, TOY, timeout=5) as client:
        assert [block.index for block in client.blocks(start=2, stop=5)] == [2, 3, 4]
        assert list(client.blocks(start=2, stop=2)) == []


def test_the_client_never_asks_for_more_than_its_credit():
    sources: list[ToySource] = []

    def open_source(spec: StreamSpec) -> ToySource:
        sources.append(ToySource(spec))
        return sources[-1]

    credit = 3 * TOY.audio_bytes
    with Client(LocalTransport(open_source), TOY, experiment="test", timeout=5, credit_bytes=credit) as client:
        assert client.credit == 3
        stream = client.blocks()
        next(stream)
        client._turn(0)
        client._turn(0)
        client._turn(0)
        client._turn(0)
        assert sources[0].rendered == [0, 1, 2, 3]


def test_a_worker_that_is_not_there_is_an_error_that_says_where_and_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(WorkerUnavailableError, match=f"127.0.0.1:{port}.*nothing listens there.*synth-server serve"):
        connect(f"zmq://127.0.0.1:{port}", TOY, timeout=0.5)


def test_something_that_accepts_and_says_nothing_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(WorkerUnavailableError, match=r"waited 0\.\d s"):
        connect(f"zmq://127.0.0.1:{mute.getsockname()[1]}", TOY, timeout=0.5)


def test_a_router_that_talks_nonsense_is_an_error_that_says_so():
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        port = router.bind_to_random_port("tcp://127.0.0.1")

        def babble() -> None:
            client, *_ = router.recv_multipart()
            router.send_multipart([client, b"\xc1", b"what?"])

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(ProtocolError, match="not msgpack"):
            connect(f"zmq://127.0.0.1:{port}", TOY, timeout=5)
        thread.join()
        router.close(linger=0)


def test_a_spec_that_the_worker_refuses_is_an_error_with_its_reason(worker: Server):
    with pytest.raises(RefusedError, match="synth='theremin' is not a toy"):
        connect(worker.addresses.data, StreamSpec(synth="theremin"), timeout=5)
    with pytest.raises(RefusedError, match="lower block_pairs"):
        connect(worker.addresses.data, StreamSpec(block_pairs=100_000), timeout=5)
    with pytest.raises(RefusedError, match="not a toy"):
        local(StreamSpec(synth="theremin"))


def test_a_block_that_cannot_be_rendered_is_an_error_and_the_next_ones_come():
    broken = partial(ToySource, broken=frozenset([1]))
    with serve(broken) as server, connect(server.addresses.data, TOY, timeout=5) as client:
        assert client.fetch(0).index == 0
        with pytest.raises(RenderError, match=r"block 1 of stream .* this one is broken"):
            client.fetch(1)
        assert client.fetch(2).index == 2


def test_however_long_the_reason_it_is_said_and_costs_no_worker():
    class Verbose(ToySource):
        def render(self, index: int) -> PairBlock:
            if index == 1:
                raise RenderError("the compiler says " + "x" * 100_000)
            return super().render(index)

    with serve(Verbose) as server, connect(server.addresses.data, TOY, timeout=5) as client:
        with pytest.raises(RenderError, match="the compiler says xxx"):
            client.fetch(1)
        assert client.fetch(2).index == 2


@pytest.mark.parametrize("index", [-1, 2**63, 2**64])
def test_an_index_of_no_block_is_refused(index: int):
    with local() as client, pytest.raises(ConfigError, match="is no block of a stream"):
        client.fetch(index)


def test_a_block_that_could_not_be_rendered_once_is_asked_for_anew():
    sources: list[ToySource] = []

    def open_source(spec: StreamSpec) -> ToySource:
        sources.append(ToySource(spec, broken=frozenset([1])))
        return sources[-1]

    with serve(open_source) as server, connect(server.addresses.data, TOY, timeout=5) as client:
        with pytest.raises(RenderError):
            client.fetch(1)
        with pytest.raises(RenderError):
            client.fetch(1)
        for source in sources:
            source.broken = frozenset()
        assert client.fetch(1).index == 1


@pytest.mark.slow
def test_a_worker_that_dies_and_stays_away_ends_the_wait_with_a_reason():
    with serve() as server:
        client = connect(server.addresses.data, TOY, timeout=1.5, credit_bytes=1)
        stream = client.blocks()
        next(stream)
    with client, pytest.raises(WorkerUnavailableError, match=r"waited 1\.\d s for block \d+ .*nothing listens there"):
        for _ in stream:
            pass


@pytest.mark.slow
def test_a_worker_that_dawdles_ends_the_wait_with_a_reason_and_is_complained_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pairstream.client.COMPLAIN_SECONDS", 0.2)
    release = threading.Event()

    class Stuck(ToySource):
        def render(self, index: int):
            if self.spec == TOY:
                release.wait(10)
            return super().render(index)

    with serve(Stuck) as server:
        with (
            caplog.at_level(logging.WARNING),
            connect(server.addresses.data, TOY, timeout=1) as client,
            pytest.raises(StreamTimeoutError, match=r"block 0 .*asked of zmq.*has not sent it"),
        ):
            client.fetch(0)
        release.set()
    assert any("waiting for" in record.message and "has not sent it" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    "url",
    [
        "dns+zmq://worker",
        "dns+zmq://a:1,b:1",
        "dns+local://x:1",
        "dns+",
        "zmq://a:1,zmq://a:1",
        "",
        "127.0.0.1:5555",
        "http://x:1",
        "zmq://",
        "zmq://host",
        "zmq://host:0",
        "zmq://a:1,a:1",
        "local://x",
    ],
)
def test_a_url_that_is_none_is_quoted(url: str):
    with pytest.raises(ConfigError):
        connect(url, TOY)


def test_a_timeout_must_be_positive():
    with pytest.raises(ConfigError, match="timeout=0"):
        local(timeout=0)
