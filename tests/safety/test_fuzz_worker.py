"""A live worker under fire: no crash, no hang, no growth, one line in the log, and the honest get their bytes."""

from __future__ import annotations

import logging
import re
import socket
import struct
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
import zmq
from garbage import BOMBS, garbage
from resident import resident
from toy_source import TOY, ToySource, open_toy

from benchmarks.raw_zeromq import GREETING, PING, READY, announced, raw_peer, shake_hands, until_hung_up
from pairstream import Client, connect, sharing
from pairstream.codec import decode, encode
from pairstream.grpc_wire import METHOD, SERVICE, pieces
from pairstream.header import MAX_HEADER_BYTES
from pairstream.messages import Failed, Open, Opened, Want
from synth_server.complaints import ANSWERED, REMEMBERED, Complaints
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server
from synth_server.zmq_door import ZmqDoor

pytestmark = pytest.mark.slow  # they wait for what is refused

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)
#: Bytes that a worker may hold more after a bombardment than after the first.
GROWTH = 24 << 20


@pytest.fixture
def worker(caplog: pytest.LogCaptureFixture) -> Iterator[Server]:
    caplog.set_level(logging.WARNING)
    with Server(SETTINGS, open_toy, WorkerMetrics()) as server:
        yield server


def malformed(worker: Server) -> int:
    with urllib.request.urlopen(worker.addresses.http + "/metrics", timeout=5) as response:
        found = re.search(r"^pairstream_worker_malformed_messages_total (\S+)", response.read().decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def check(client: Client, begin: int, count: int = 10) -> None:
    """An honest client gets the right bytes."""
    source = ToySource(TOY)
    blocks = list(client.blocks(begin, begin + count))
    assert [block.sha256() for block in blocks] == [
        source.render(index).sha256() for index in range(begin, begin + count)
    ]


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if " sent " in record.getMessage()]


@contextmanager
def dealer(worker: Server) -> Iterator[zmq.Socket[bytes]]:
    context = zmq.Context()
    enemy = context.socket(zmq.DEALER)
    enemy.setsockopt(zmq.SNDTIMEO, 10_000)
    enemy.connect(worker.addresses.data.replace("zmq://", "tcp://"))
    yield enemy
    enemy.close(linger=0)
    context.term()


def bombard(honest: Client, enemy: zmq.Socket[bytes], count: int, *, seed: int, begin: int) -> None:
    """Send garbage, and none of what the worker answers is read; an honest client asks all the while."""
    for number, frames in enumerate(garbage(count, seed)):
        enemy.send_multipart(frames)
        if number % (count // 5) == 0:
            check(honest, begin + 10 * number // (count // 5))


def settle(enemy: zmq.Socket[bytes]) -> None:
    """Wait until the worker has come to the end of what was sent."""
    last = Want(digest="ef" * 32, indices=(77,), experiment="the last")
    enemy.send_multipart(encode(last))
    answer: object = None
    while not (isinstance(answer, Failed) and answer.digest == last.digest):
        assert enemy.poll(20_000), "the worker says nothing"
        frames = enemy.recv_multipart()
        answer = None if sharing.is_sharing(frames) else decode(frames)


def test_garbage_over_zeromq_harms_nobody_and_is_logged_once(worker: Server, caplog: pytest.LogCaptureFixture):
    with connect(worker.addresses.data, TOY, timeout=10) as honest, dealer(worker) as enemy:
        bombard(honest, enemy, 1_000, seed=3, begin=0)
        check(honest, 100)
        assert malformed(worker) > 300
    assert len(complaints(caplog)) == 1


@pytest.mark.slow
def test_ten_thousand_malformed_messages_leave_nothing_behind(worker: Server, caplog: pytest.LogCaptureFixture):
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        held = []
        for seed in range(5):
            with dealer(worker) as enemy:
                bombard(honest, enemy, 10_000, seed=seed, begin=100 * seed)
                settle(enemy)
                check(honest, 100 * seed + 60)
            held.append(resident())
        assert held[-1] - held[1] < GROWTH, held
    assert malformed(worker) > 10_000
    (line,) = complaints(caplog)
    assert " at 127.0.0.1 sent " in line


def test_garbage_over_grpc_harms_nobody_and_is_logged_once(worker: Server, caplog: pytest.LogCaptureFixture):
    babble = [piece for frames in garbage(300, seed=4) for piece in pieces(frames)]
    with (
        connect(f"grpc://{worker.addresses.grpc}", TOY, timeout=10) as honest,
        grpc.insecure_channel(worker.addresses.grpc) as channel,
    ):
        check(honest, 0)
        for _ in channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter([*babble, *BOMBS]), timeout=20):
            pass
        check(honest, 10)
    assert malformed(worker) > 100
    assert len(complaints(caplog)) == 1


def test_a_message_of_grpc_that_is_too_long_ends_its_stream_alone(worker: Server):
    with (
        connect(f"grpc://{worker.addresses.grpc}", TOY, timeout=10) as honest,
        grpc.insecure_channel(worker.addresses.grpc, [("grpc.max_send_message_length", -1)]) as channel,
    ):
        call = channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter([bytes(8 << 20)]), timeout=10)
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
        assert caught.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)
        check(honest, 0)


@pytest.mark.parametrize("length", [MAX_HEADER_BYTES + 1, 4 << 30, (1 << 63) - 1, (1 << 64) - 1])
def test_a_length_of_gigabytes_is_not_believed(worker: Server, length: int, caplog: pytest.LogCaptureFixture):
    """A raw TCP client that speaks ZeroMQ, and announces a frame: the worker hangs up, and takes no memory for it."""
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        held = resident()
        for begin in (0, 10):
            with raw_peer(worker.addresses.data) as enemy:
                shake_hands(enemy)
                enemy.sendall(announced(length))
                until_hung_up(enemy)
            check(honest, begin)
        assert resident() - held < GROWTH
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("a connection from 127.0.0.1 broke without a good-bye")


@pytest.mark.parametrize(
    "noise", [b"", b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\xff" * 5_000, GREETING, GREETING + READY[:9]]
)
def test_what_does_not_speak_zeromq_harms_nobody(worker: Server, noise: bytes):
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        for _ in range(20):
            with raw_peer(worker.addresses.data) as enemy:
                enemy.sendall(noise)
        check(honest, 0)


def test_who_floods_with_heartbeats_and_hangs_up_harms_nobody(worker: Server, caplog: pytest.LogCaptureFixture):
    """libzmq would abort the whole process, if it had stopped to read from this connection."""
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        with raw_peer(worker.addresses.data) as enemy:
            shake_hands(enemy)
            enemy.sendall((b"\x00\x01x" + PING) * 10_000)
            enemy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it resets
        check(honest, 0)
        check(honest, 10)
    assert len(complaints(caplog)) <= 1  # a connection that is reset may take with it what was not read


def test_who_asks_for_much_and_is_gone_is_logged_once(
    worker: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.INFO)
    send = ZmqDoor.send
    with connect(worker.addresses.data, TOY, timeout=10) as honest, dealer(worker) as enemy:
        check(honest, 0, 20)  # they are in the window, so an answer is all of them at once
        monkeypatch.setattr(ZmqDoor, "send", lambda *to: "is gone" if len(to[2]) > 1 else send(*to))
        for _ in range(2):  # the second answer comes when all before it is done
            enemy.send_multipart(encode(Open(spec=TOY.as_dict(), experiment="enemy")))
            assert isinstance(decode(enemy.recv_multipart()), Opened)
            enemy.send_multipart(encode(Want(digest=TOY.digest, indices=tuple(range(20)), experiment="enemy")))
    assert 1 <= sum("is gone" in str(record.__dict__) for record in caplog.records) <= 2


def test_complaints_are_few_and_of_few():
    complaints = Complaints()
    assert [complaints.answer(b"a") for _ in range(ANSWERED + 2)] == [True] * ANSWERED + [False] * 2
    assert not complaints.first(b"a")
    assert complaints.first(b"b")
    for number in range(10 * REMEMBERED):
        complaints.answer(number.to_bytes(4, "big"))
    assert len(complaints._of) == REMEMBERED
    complaints.forget(b"unheard of")
