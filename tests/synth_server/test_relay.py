"""A relay from the outside: the same bytes, each fetched once, and a reason when its workers are away."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from toy_source import TOY, ToySource, open_toy

from pairstream import connect
from pairstream.errors import RefusedError, RenderError, StreamTimeoutError, WorkerUnavailableError
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server
from synth_server.upstream import Upstream

HERE = {"bind": "tcp://127.0.0.1:0", "grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "drain_seconds": 2.0}


class Fetching(Upstream):
    """An upstream that does not wait long, since nothing here takes long."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        super().__init__(url, stop, timeout=1.0, retry_seconds=0.05)


@contextmanager
def a_relay(url: str) -> Iterator[Server]:
    upstream = Fetching(url, threading.Event())
    with Server(ServeSettings(upstream=url, **HERE), upstream, WorkerMetrics(), warm_up=upstream.reach) as server:
        yield server


class Counting:
    """Toy sources, and what they rendered."""

    def __init__(self, **toy: object) -> None:
        self.sources: list[ToySource] = []
        self._toy = toy

    def __call__(self, spec):
        if spec.synth != "toy":
            return open_toy(spec)
        self.sources.append(ToySource(spec, **self._toy))
        return self.sources[-1]

    @property
    def rendered(self) -> list[int]:
        return [index for source in self.sources for index in source.rendered]


def test_several_clients_of_a_relay_have_the_workers_bytes_and_each_block_is_fetched_once():
    counting = Counting()
    with (
        Server(ServeSettings(capacity=321, **HERE), counting, WorkerMetrics()) as worker,
        a_relay(worker.addresses.data) as relay,
    ):
        clients = [connect(relay.addresses.data, TOY, experiment=name, timeout=10) for name in ("a", "b", "c")]
        for group in zip(*(client.blocks(stop=60) for client in clients), strict=True):
            expected = ToySource(TOY).render(group[0].index).sha256()
            assert [block.sha256() for block in group] == [expected] * 3
        assert {client.fingerprint for client in clients} == {"toy 1"}
        assert {client.capacity for client in clients} == {321}
        for client in clients:
            client.close()
    assert sorted(counting.rendered) == list(range(60))


def test_a_relay_of_a_relay_is_a_relay():
    with (
        Server(ServeSettings(capacity=1, **HERE), open_toy, WorkerMetrics()) as worker,
        a_relay(worker.addresses.data) as near,
        a_relay(near.addresses.data) as nearer,
        connect(nearer.addresses.data, TOY, timeout=10) as client,
    ):
        assert [block.index for block in client.blocks(stop=5)] == [0, 1, 2, 3, 4]


def test_a_relay_asks_ahead_for_what_its_clients_ask(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    worker = Server(ServeSettings(capacity=1, **HERE), open_toy, WorkerMetrics())
    handle = worker._dispatcher.handle

    def overheard(client, message):
        asked.append(len(getattr(message, "indices", ())))
        return handle(client, message)

    monkeypatch.setattr(worker._dispatcher, "handle", overheard)
    with (
        worker,
        a_relay(worker.addresses.data) as relay,
        connect(relay.addresses.data, TOY, timeout=10) as client,
    ):
        assert len(list(client.blocks(stop=100))) == 100
    assert max(asked) > 10


def test_what_the_workers_refuse_or_fail_at_the_relay_does_too_with_their_reason():
    counting = Counting(broken=frozenset([3]))
    with (
        Server(ServeSettings(capacity=1, **HERE), counting, WorkerMetrics()) as worker,
        a_relay(worker.addresses.data) as relay,
    ):
        with connect(relay.addresses.data, TOY, timeout=5) as client, pytest.raises(RenderError, match="broken"):
            client.fetch(3)
        with pytest.raises(RefusedError, match="is not a toy"):
            connect(relay.addresses.data, TOY.__class__(synth="parametric"), timeout=5)


@pytest.mark.slow  # it waits until it knows
def test_a_relay_whose_worker_is_gone_says_so_and_goes_on_when_another_takes_its_place():
    worker = Server(ServeSettings(capacity=1, **HERE), open_toy, WorkerMetrics())
    worker.start()
    port = worker.addresses.data.rpartition(":")[2]
    with a_relay(worker.addresses.data) as relay, connect(relay.addresses.data, TOY, timeout=3) as client:
        assert client.fetch(0).index == 0
        worker.stop()
        with pytest.raises((StreamTimeoutError, WorkerUnavailableError)):
            client.fetch(1)
        assert client.stats().busy  # it was told to come back, not that there is no such block
        again = ServeSettings(**HERE | {"bind": f"tcp://127.0.0.1:{port}"}, capacity=1)
        with (
            Server(again, open_toy, WorkerMetrics()),
            connect(relay.addresses.data, TOY, timeout=20) as another,
        ):
            assert another.fetch(1).sha256() == ToySource(TOY).render(1).sha256()


@pytest.mark.slow
def test_a_relay_without_workers_is_not_ready_says_so_and_can_be_stopped(caplog: pytest.LogCaptureFixture):
    stop = threading.Event()
    upstream = Fetching("zmq://127.0.0.1:9", stop)

    class UntilHeard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "trying again" in record.getMessage():
                stop.set()

    logger, handler = logging.getLogger("synth_server.upstream"), UntilHeard()
    logger.addHandler(handler)
    relay = Server(ServeSettings(upstream="zmq://127.0.0.1:9", **HERE), upstream, WorkerMetrics(), upstream.reach)
    try:
        with pytest.raises(WorkerUnavailableError, match="told to stop"):
            relay.start()
    finally:
        relay.stop()
        logger.removeHandler(handler)
    assert "127.0.0.1:9" in caplog.text


def test_a_relay_loads_no_synthesizer():
    code = """
import sys, threading
from synth_server.config import ServeSettings
from synth_server.commands import serve
from synth_server.metrics import WorkerMetrics
from synth_server.describe import describe
settings = ServeSettings(upstream="zmq://127.0.0.1:9", bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0")
server = serve._relay(settings, WorkerMetrics(), threading.Event())
describe(settings.limits, server.addresses.data, settings.upstream)
from pairstream.spec import StreamSpec
settings.limits.check(StreamSpec())
server.stop()
print(sorted({"torch", "numba", "torchsynth"} & set(sys.modules)))
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60).strip() == "[]"
