"""The client over real transports: the same bytes, in order, and every wait ends with a reason."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

import pytest
import zmq
from toy_source import TOY, ToySource, open_toy

from pairstream import Client, StreamSpec, connect
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
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)


def serve(open_source: OpenSource = open_toy, settings: ServeSettings = SETTINGS) -> Server:
    return Server(settings, open_source, WorkerMetrics())


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


def test_two_workers_share_the_blocks_of_one_client():
    sources: list[ToySource] = []

    def open_source(spec: StreamSpec) -> ToySource:
        source = ToySource(spec)
        sources.append(source)
        return source

    with serve(open_source) as first, serve(open_source) as second:
        both = f"{first.addresses.data},{second.addresses.data.removeprefix('zmq://')}"
        with connect(both, TOY, timeout=5) as client:
            assert [block.index for block in client.blocks(stop=400)] == list(range(400))
    rendered = [source.rendered for source in sources if source.spec == TOY]
    assert sorted(rendered[0] + rendered[1]) == list(range(400))
    assert min(map(len, rendered)) > 100


def test_a_worker_that_leaves_is_replaced_by_the_other_one():
    with serve() as first, serve() as second:
        both = f"{first.addresses.data},{second.addresses.data.removeprefix('zmq://')}"
        with connect(both, TOY, timeout=5) as client:
            stream = client.blocks()
            before = [next(stream).index for _ in range(10)]
            first.stop()
            assert before + [next(stream).index for _ in range(30)] == list(range(40))


@pytest.fixture
def name_service(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the resolver knows, looked up as often as the client turns."""
    names: dict[str, list[str]] = {}

    def getaddrinfo(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if not names.get(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr("pairstream.client.LONGEST_TICK_SECONDS", 0.01)
    monkeypatch.setattr("pairstream.discovery.EAGER_SECONDS", 0.0)
    monkeypatch.setattr("pairstream.discovery.EVERY_SECONDS", 0.0)
    return names


def twins() -> tuple[Server, Server, int]:
    """Two workers on the same port of two addresses, as behind one name."""
    first = serve()
    port = int(first.addresses.data.rpartition(":")[2])
    return first, serve(settings=replace(SETTINGS, bind=f"tcp://127.0.0.2:{port}")), port


def test_workers_behind_a_name_are_found_join_and_leave_while_the_stream_runs(name_service: dict[str, list[str]]):
    first, second, port = twins()
    with first, second:
        name_service["worker"] = ["127.0.0.1"]
        with connect(f"dns+zmq://worker:{port}", TOY, timeout=10, credit_bytes=4 * TOY.audio_bytes) as client:
            stream = client.blocks()
            received = [next(stream).index for _ in range(20)]
            assert set(client.stats().received) == {first.addresses.data}
            name_service["worker"] = ["127.0.0.1", "127.0.0.2"]
            while second.addresses.data not in client.stats().received:
                received.append(next(stream).index)
            name_service["worker"] = ["127.0.0.2"]
            client._turn(0.01)
            assert client.stats().workers == 2, "a worker that has left the DNS only is still of use"
            first.stop()
            while first.addresses.data in client._transport.workers:
                received.append(next(stream).index)
            name_service["worker"] = []
            received += [next(stream).index for _ in range(20)]
    assert received == list(range(len(received)))


def test_a_name_without_addresses_is_waited_for_and_the_error_says_so(name_service: dict[str, list[str]]):
    with pytest.raises(WorkerUnavailableError, match=r"waited 0\.\d s .*worker was looked up \d+ times: .*not known"):
        connect("dns+zmq://worker:5555", TOY, timeout=0.5)


def test_a_worker_that_comes_back_is_used_again():
    expected = [ToySource(TOY).render(index).sha256() for index in range(60)]
    with serve() as first:
        port = first.addresses.data.rpartition(":")[2]
        with connect(first.addresses.data, TOY, timeout=10, credit_bytes=1) as client:
            stream = client.blocks()
            received = [next(stream).sha256() for _ in range(30)]
            first.stop()
            with serve(settings=replace(SETTINGS, bind=f"tcp://127.0.0.1:{port}")):
                received += [next(stream).sha256() for _ in range(30)]
    assert received == expected


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


@pytest.mark.slow
def test_a_worker_that_dies_and_stays_away_ends_the_wait_with_a_reason():
    with serve() as server:
        client = connect(server.addresses.data, TOY, timeout=1.5, credit_bytes=1)
        stream = client.blocks()
        next(stream)
    with client, pytest.raises(WorkerUnavailableError, match=r"waited 1\.\d s for block \d+ .*nothing listens there"):
        for _ in stream:
            pass


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
