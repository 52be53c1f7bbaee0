"""One suite over every wire: local, shm, ipc, tcp, grpc, and with locks. What it shows of one, it shows of all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar

import pytest
import torch
from sites import REMOTE, WIRES, Site
from toy_source import TOY, ToySource

from pairstream import StreamSpec
from pairstream.block import PairBlock
from pairstream.connect import _TRANSPORTS
from pairstream.errors import RefusedError, RenderError, WorkerUnavailableError
from pairstream.messages import Failed, Open, Opened, Want
from pairstream.transport import Event, Joined, Lost, Received, Transport

BIG = StreamSpec(synth="toy", sample_rate=16_000, seconds=1.0, block_pairs=80)  # 10.2 MB
TINY = replace(TOY, block_pairs=1, seconds=0.016)


#: tcp and ipc are parts of what shm goes through, and a lock adds only its handshake: these run with the slow tests.
SLOW = ("tcp", "ipc", "tcp+curve", "grpc+tls")


def marked(wires: Sequence[str]) -> list[Any]:
    return [pytest.param(wire, marks=[pytest.mark.slow] if wire in SLOW else []) for wire in wires]


@pytest.fixture(params=marked(WIRES))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with Site(request.param) as site:
        yield site


@pytest.fixture(params=marked(REMOTE))
def remote(request: pytest.FixtureRequest) -> Iterator[Site]:
    with Site(request.param) as site:
        yield site


def reference(spec: StreamSpec, count: int) -> list[str]:
    source = ToySource(spec)
    return [source.render(index).sha256() for index in range(count)]


def open_transport(site: Site, spec: StreamSpec = TOY) -> Transport:
    return _TRANSPORTS[site.scheme](site.url, spec, site.credentials)


def until(transport: Transport, kind: type[Event], seconds: float = 10.0) -> list[Event]:
    """What is reported up to and with the first event of this kind."""
    events: list[Event] = []
    for _ in range(round(seconds * 10)):
        events += transport.poll(0.1)
        if any(isinstance(event, kind) for event in events):
            return events
    raise AssertionError(f"no {kind.__name__} came, but {events}")


def messages(events: list[Event]) -> list[object]:
    return [event.message for event in events if isinstance(event, Received)]


@pytest.mark.parametrize(
    ("spec", "count"),
    [(TOY, 30), (replace(TOY, dtype="float16"), 12), (TINY, 100), (BIG, 3)],
    ids=["float32", "float16", "tiny", "10 MB"],
)
def test_the_same_bytes_in_order(site: Site, spec: StreamSpec, count: int):
    client = site.connect(spec)
    blocks = list(client.blocks(stop=count))
    assert [block.index for block in blocks] == list(range(count))
    assert [block.sha256() for block in blocks] == reference(spec, count)


def test_the_same_bytes_of_the_true_renderer():
    from synth_server.renderer import Renderer

    spec = StreamSpec(block_pairs=2, seconds=0.25)
    hashes = {}
    for wire in WIRES:
        with Site(wire, Renderer) as site:
            hashes[wire] = [block.sha256() for block in site.connect(spec, timeout=60).blocks(stop=2)]
    assert len({tuple(found) for found in hashes.values()}) == 1


def test_blocks_that_are_kept_stay_as_they_came(site: Site):
    """More than any credit, and more than there are slots of shared memory."""
    blocks = list(site.connect().blocks(stop=300))
    assert [block.sha256() for block in blocks] == reference(TOY, 300)


@pytest.mark.slow
def test_a_tensor_outlives_its_block_and_its_client(site: Site):
    client = site.connect(BIG)
    tensor = torch.from_numpy(client.fetch(0).audio)
    for block in client.blocks(start=1, stop=5):
        assert block.index
    client.close()
    expected = torch.from_numpy(ToySource(BIG).render(0).audio)
    assert torch.equal(tensor, expected)


def test_any_block_at_any_time(site: Site):
    client = site.connect()
    stream = client.blocks(start=10)
    indices = [next(stream).index, client.fetch(3).index, next(stream).index, client.fetch(2**40).index]
    assert indices == [10, 3, 11, 2**40]


def test_several_clients_at_once(site: Site):
    found: dict[int, list[str]] = {}

    def consume(number: int) -> None:
        found[number] = [block.sha256() for block in site.connect(experiment=f"number {number}").blocks(stop=40)]

    consumers = [threading.Thread(target=consume, args=(number,)) for number in range(4)]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join(30)
    assert found == dict.fromkeys(range(4), reference(TOY, 40))


def test_no_more_is_asked_for_than_the_credit(site: Site):
    class Counted(ToySource):
        rendered_by_all: ClassVar[Counter[int]] = Counter()

        def render(self, index: int) -> PairBlock:
            if self.spec == TOY:
                self.rendered_by_all[index] += 1
            return super().render(index)

    with Site(site.wire, Counted) as counted:
        stream = counted.connect(credit_bytes=3 * TOY.audio_bytes).blocks()
        assert [next(stream).index for _ in range(10)] == list(range(10))
        assert max(Counted.rendered_by_all) <= 9 + 3
        assert set(Counted.rendered_by_all.values()) == {1}


def test_a_spec_that_is_refused(site: Site):
    with pytest.raises(RefusedError, match="synth='theremin' is not a toy"):
        site.connect(StreamSpec(synth="theremin"))


def test_a_block_that_cannot_be_rendered(site: Site):
    class Broken(ToySource):
        def __init__(self, spec: StreamSpec) -> None:
            super().__init__(spec, broken=frozenset([1]))

    with Site(site.wire, Broken) as broken:
        client = broken.connect()
        assert client.fetch(0).index == 0
        with pytest.raises(RenderError, match=r"block 1 of stream .* this one is broken"):
            client.fetch(1)
        assert client.fetch(2).index == 2


def test_a_worker_that_is_stopped_and_started_again(remote: Site):
    client = remote.connect(credit_bytes=4 * TOY.audio_bytes, timeout=30)
    stream = client.blocks()
    received = [block.sha256() for block in islice(stream, 20)]
    remote.stop()
    remote.start()
    received += [block.sha256() for block in islice(stream, 40)]
    assert received == reference(TOY, 60)


def test_a_transport_tells_that_a_worker_is_lost_and_that_it_joined_again(remote: Site):
    transport = open_transport(remote)
    try:
        assert isinstance(until(transport, Joined)[-1], Joined)
        remote.stop()
        lost = next(event for event in until(transport, Lost) if isinstance(event, Lost))
        assert lost.worker == remote.url
        assert lost.reason
        remote.start()
        until(transport, Joined)
    finally:
        transport.close()


def test_workers_are_added_and_removed_while_a_transport_runs(remote: Site):
    with Site(remote.wire, like=remote) as other:
        transport = open_transport(remote)
        try:
            until(transport, Joined)
            transport.add(other.url)
            assert transport.workers == (remote.url, other.url)
            assert until(transport, Joined)[-1] == Joined(other.url)
            transport.remove(remote.url)
            assert transport.workers == (other.url,)
            remote.stop()
            transport.send(remote.url, Open(spec=TOY.as_dict(), experiment="gone"))
            transport.send(other.url, Open(spec=TOY.as_dict(), experiment="here"))
            events = until(transport, Received)
            assert {event.worker for event in events} == {other.url}
            assert isinstance(messages(events)[0], Opened)
        finally:
            transport.close()


def test_a_client_that_vanishes_harms_nobody(remote: Site):
    doomed = open_transport(remote, BIG)
    until(doomed, Joined)
    doomed.send(remote.url, Open(spec=BIG.as_dict(), experiment="doomed"))
    until(doomed, Received)
    doomed.send(remote.url, Want(digest=BIG.digest, indices=tuple(range(8)), experiment="doomed"))
    until(doomed, Received)
    doomed.close()  # without a Bye, blocks still on their way
    assert [block.sha256() for block in remote.connect().blocks(stop=20)] == reference(TOY, 20)


@pytest.mark.parametrize("wire", marked(["tcp", "ipc", "grpc"]))
def test_a_client_that_asks_and_does_not_read_is_refused_more(wire: str):
    """Its own memory bounds what shared memory holds; elsewhere the worker does."""
    with Site(wire, client_mib=64) as site:
        transport = open_transport(site, BIG)
        until(transport, Joined)
        transport.send(site.url, Open(spec=BIG.as_dict(), experiment="greedy"))
        until(transport, Received)
        want = Want(digest=BIG.digest, indices=(0, 1, 2, 3), experiment="greedy")
        transport.send(site.url, want)
        heard: list[object] = []
        while len(heard) < 4:
            heard += messages(until(transport, Received))
        for _ in range(20):  # the window has them now, so each is sent at once
            transport.send(site.url, want)
        assert [block.sha256() for block in site.connect().blocks(stop=20)] == reference(TOY, 20)
        assert site.server is not None
        doors = site.server._serving._doors
        assert max(door.backlog(client) for door in doors for client in clients_of(door)) <= 64 << 20
        while not any(isinstance(message, Failed) for message in heard):
            heard += messages(until(transport, Received))
        told = next(message for message in heard if isinstance(message, Failed))
        assert "you have not read" in told.reason
        transport.close()


def clients_of(door: object) -> list[bytes]:
    return list(vars(door).get("_leaving") or vars(door).get("_outlets") or ())


@pytest.mark.slow
def test_a_worker_that_is_not_there(remote: Site):
    remote.stop()
    with pytest.raises(WorkerUnavailableError, match="nothing listens there"):
        remote.connect(timeout=0.5)
