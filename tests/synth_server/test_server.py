"""A worker from the outside: health, status, metrics, sharing, drain, and whatever is thrown at its socket."""

from __future__ import annotations

import json
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from itertools import islice

import grpc
import pytest
import zmq
from grpc_health.v1 import health_pb2, health_pb2_grpc
from toy_source import TOY, ToySource, open_toy

from pairstream import connect
from pairstream.block import PairBlock
from pairstream.codec import decode, encode
from pairstream.errors import BindError, RenderError
from pairstream.messages import Busy, Failed, Open, Want
from pairstream.spec import StreamSpec
from pairstream.v1 import worker_pb2, worker_pb2_grpc
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.patches import load_patch
from synth_server.pulse import Pulse
from synth_server.server import Server

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)


@pytest.fixture
def worker() -> Iterator[Server]:
    with Server(SETTINGS, open_toy, WorkerMetrics()) as server:
        yield server


def page(server: Server, path: str) -> str:
    with urllib.request.urlopen(server.addresses.http + path, timeout=5) as response:
        return str(response.read().decode())


def health(server: Server) -> str:
    with grpc.insecure_channel(server.addresses.grpc) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def health_code(server: Server) -> int:
    try:
        with urllib.request.urlopen(server.addresses.http + "/healthz", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def status(server: Server) -> worker_pb2.StatusResponse:
    with grpc.insecure_channel(server.addresses.grpc) as channel:
        return worker_pb2_grpc.WorkerStub(channel).Status(worker_pb2.StatusRequest(), timeout=5)


def raw_client(server: Server) -> tuple[zmq.Context, zmq.Socket[bytes]]:
    context = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.setsockopt(zmq.LINGER, 500)
    dealer.connect(server.addresses.data.replace("zmq://", "tcp://"))
    return context, dealer


def test_a_worker_is_healthy_only_once_it_has_rendered_a_block():
    may_render = threading.Event()

    class Slow(ToySource):
        def render(self, index: int):
            assert may_render.wait(10)
            return super().render(index)

    server = Server(SETTINGS, Slow, WorkerMetrics())
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            page(server, "/healthz")
        while True:
            try:
                assert health(server) == "NOT_SERVING"
                break
            except grpc.RpcError:  # the server thread has not come to that line yet
                continue
        may_render.set()
        starting.join(10)
        assert page(server, "/healthz") == "ready\n"
        assert health(server) == "SERVING"
    finally:
        may_render.set()
        server.stop()


def test_questions_for_its_health_do_not_pile_up_before_a_worker_that_is_stuck(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("synth_server.server.Pulse", partial(Pulse, lately=0.0, patience=0.05))
    stuck, go_on = threading.Event(), threading.Event()

    class Stuck(ToySource):
        def render(self, index: int) -> PairBlock:
            if stuck.is_set():
                go_on.wait(20)
            return super().render(index)

    sources: list[Stuck] = []

    def open_source(spec: StreamSpec) -> Stuck:
        sources.append(Stuck(spec))
        return sources[-1]

    with Server(SETTINGS, open_source, WorkerMetrics()) as server:
        stuck.set()
        before = sum(len(source.rendered) for source in sources)
        assert [health_code(server) for _ in range(6)] == [503] * 6
        go_on.set()
        with connect(server.addresses.data, TOY, timeout=10) as client:
            assert client.fetch(0).index == 0
    assert sum(len(source.rendered) for source in sources) <= before + 3


def test_a_worker_that_cannot_render_does_not_start():
    class Broken(ToySource):
        def render(self, index: int):
            raise RenderError("no memory")

    with pytest.raises(RenderError, match="no memory"), Server(SETTINGS, Broken, WorkerMetrics()):
        pass


def test_describe_says_what_may_be_asked(worker: Server):
    with grpc.insecure_channel(worker.addresses.grpc) as channel:
        answer = worker_pb2_grpc.WorkerStub(channel).Describe(worker_pb2.DescribeRequest(), timeout=5)
    assert answer.data_url == worker.addresses.data
    assert {synth.name: len(synth.parameters) for synth in answer.synths} == {
        "voice": 78,
        "voice-fm": 130,
        "parametric": 340,
    }
    first, expected = answer.synths[0].parameters[0], load_patch("voice").parameters[0]
    assert (first.module, first.name, first.maximum) == (expected.module, expected.name, expected.maximum)
    assert answer.engines
    assert answer.limits.block_bytes == 256 << 20
    assert {synth.name: {kind.kind: kind.number for kind in synth.oscillators} for synth in answer.synths} == {
        "voice": {},
        "voice-fm": {},
        "parametric": {"sine": 2, "square_saw": 2, "fm_sine": 1, "fm_square_saw": 1},
    }
    assert answer.limits.oscillators == 24


def test_experiments_share_what_is_rendered_once(worker: Server):
    for name in ("first", "second"):
        with connect(worker.addresses.data, TOY, experiment=name, timeout=5) as client:
            assert len(list(client.blocks(stop=10))) == 10
    answer = status(worker)
    (stream,) = (stream for stream in answer.streams if stream.digest == TOY.digest)
    assert (stream.blocks_rendered, stream.blocks_served) == (10, 20)
    assert StreamSpec.from_dict(json.loads(stream.spec_json)) == TOY
    served = {entry.name: (entry.blocks_served, entry.last_index) for entry in answer.experiments}
    assert served == {"first": (10, 9), "second": (10, 9)}
    assert answer.ready
    assert 0 < answer.window_bytes <= answer.window_limit_bytes


def test_the_metrics_count_what_happened(worker: Server):
    with connect(worker.addresses.data, TOY, timeout=5) as client:
        blocks = list(client.blocks(stop=10))
    text = page(worker, "/metrics")
    for line in (
        "pairstream_worker_ready 1.0",
        "pairstream_worker_blocks_rendered_total 10.0",
        "pairstream_worker_pairs_rendered_total 40.0",
        "pairstream_worker_blocks_served_total 10.0",
        f"pairstream_worker_served_bytes_total {float(sum(block.nbytes for block in blocks))}",
        'pairstream_worker_stage_seconds_count{stage="encode"} 10.0',
    ):
        assert line in text.splitlines()


def test_there_is_nothing_else_to_read(worker: Server):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        page(worker, "/etc/passwd")


def test_ports_that_are_taken_are_one_clear_error(worker: Server):
    ports = {
        "bind": worker.addresses.data.replace("zmq", "tcp"),
        "grpc": worker.addresses.grpc,
        "http": worker.addresses.http.removeprefix("http://"),
    }
    free = {"bind": "tcp://127.0.0.1:0", "grpc": "127.0.0.1:0", "http": "127.0.0.1:0"}
    for flag, address in ports.items():
        with pytest.raises(BindError, match=f"choose another --{flag}"):
            Server(ServeSettings(**free | {flag: address}), open_toy, WorkerMetrics())


def test_noise_on_the_socket_harms_nobody(worker: Server):
    rng = random.Random(0)
    context, dealer = raw_client(worker)
    with connect(worker.addresses.data, TOY, timeout=5) as client:
        stream = client.blocks()
        for _ in range(300):
            dealer.send_multipart([rng.randbytes(rng.randrange(60)) for _ in range(rng.randrange(1, 5))])
        assert [next(stream).index for _ in range(20)] == list(range(20))
    dealer.close(linger=0)
    context.term()
    assert health(worker) == "SERVING"


def test_a_client_that_asks_for_too_much_is_told_so(worker: Server):
    context, dealer = raw_client(worker)
    dealer.send_multipart(encode(Open(spec=TOY.as_dict(), experiment="greedy")))
    assert dealer.poll(5_000)
    dealer.recv_multipart()
    dealer.send_multipart(encode(Want(digest=TOY.digest, indices=tuple(range(1_000)), experiment="greedy")))
    served: list[int] = []
    refused: tuple[int, ...] = ()
    while len(served) + len(refused) < 1_000:
        assert dealer.poll(5_000)
        answer = decode(dealer.recv_multipart())
        if isinstance(answer, Busy):
            refused = answer.indices
            assert "lower the credit" in answer.reason
            assert answer.retry_seconds > 0
        else:
            assert isinstance(answer, PairBlock)
            served.append(answer.index)
    assert sorted([*served, *refused]) == list(range(1_000))
    assert len(served) == 128
    assert 'pairstream_worker_sheds_total{bound="client_blocks"} 872.0' in page(worker, "/metrics").splitlines()
    dealer.close(linger=0)
    context.term()


def test_a_block_of_a_stream_that_was_never_opened_is_refused(worker: Server):
    context, dealer = raw_client(worker)
    dealer.send_multipart(encode(Want(digest="ab" * 32, indices=(1,), experiment="x")))
    assert dealer.poll(5_000)
    answer = decode(dealer.recv_multipart())
    assert isinstance(answer, Failed)
    assert "send OPEN first" in answer.reason
    dealer.close(linger=0)
    context.term()


@pytest.mark.slow
def test_a_drained_worker_finishes_what_is_in_the_making():
    entered, release = threading.Event(), threading.Event()

    class Gated(ToySource):
        def render(self, index: int):
            if self.spec == TOY:
                entered.set()
                release.wait(5)
            return super().render(index)

    server = Server(SETTINGS, Gated, WorkerMetrics())
    server.start()
    with connect(server.addresses.data, TOY, timeout=5) as client:
        received: list[int] = []
        consumer = threading.Thread(target=lambda: received.extend(b.index for b in islice(client.blocks(), 1)))
        consumer.start()
        assert entered.wait(5)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        release.set()
        consumer.join(5)
        stopping.join(5)
    assert received == [0]
    assert not stopping.is_alive()
