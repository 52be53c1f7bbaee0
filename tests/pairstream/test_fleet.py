"""Workers that share a stream, are found by name, leave, and come back: the client's blocks go on in order."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest
from toy_server import SETTINGS, serve
from toy_source import TOY, ToySource

from pairstream import StreamSpec, connect
from pairstream.errors import WorkerUnavailableError
from synth_server.server import Server


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


@pytest.mark.parametrize(
    "wire", ["zmq", pytest.param("tcp", marks=pytest.mark.slow), pytest.param("grpc", marks=pytest.mark.slow)]
)
def test_a_worker_that_was_started_again_while_nobody_listened_is_used_again(wire: str):
    with serve() as first:
        addresses = first.addresses
        name = f"grpc://{addresses.grpc}" if wire == "grpc" else addresses.data.replace("zmq:", f"{wire}:")
        with connect(name, TOY, timeout=10) as client:
            assert client.fetch(0).index == 0
            first.stop()
            bind, grpc = (address.rpartition("/")[2] for address in (addresses.data, addresses.grpc))
            with serve(settings=replace(SETTINGS, bind=f"tcp://{bind}", grpc=grpc)):
                time.sleep(1.5)  # the consumer is busy, and the connection is up again
                assert client.fetch(3).index == 3
