"""Who comes to the ROUTER and how they leave: said once for each host, and no more than is known."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zmq
from toy_source import TOY, open_toy

from benchmarks.raw_zeromq import announced, raw_peer, shake_hands, until_hung_up
from pairstream import connect
from pairstream.codec import encode
from pairstream.messages import Bye, Open
from synth_server.config import ServeSettings
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server
from synth_server.sources import Sources

SETTINGS = ServeSettings(bind="tcp://127.0.0.1:0", grpc="127.0.0.1:0", http="127.0.0.1:0", drain_seconds=2, capacity=1)
OPEN = [bytes(frame) for frame in encode(Open(spec=TOY.as_dict(), experiment="x"))]


@pytest.fixture
def worker(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[Server]:
    caplog.set_level(logging.INFO)
    settings = replace(SETTINGS, bind=f"tcp://127.0.0.1:0,ipc://{tmp_path}/worker")
    with Server(settings, open_toy, WorkerMetrics()) as server:
        yield server


def clients(worker: Server) -> int:
    return worker._dispatcher.clients


def soon(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def dealer() -> Iterator[Callable[[str], zmq.Socket[bytes]]]:
    """Makes clients that keep to no rule but ZeroMQ's."""
    with zmq.Context() as context:
        sockets = []

        def connected(endpoint: str = "") -> zmq.Socket[bytes]:
            sockets.append(context.socket(zmq.DEALER))
            sockets[-1].linger = 0
            if endpoint:
                sockets[-1].connect(endpoint.replace("zmq:///", "ipc:///").replace("zmq://", "tcp://"))
            return sockets[-1]

        yield connected
        for socket in sockets:
            socket.close()


def test_a_client_that_vanishes_is_counted_no_longer_and_named_once(worker: Server, dealer, caplog):
    for _ in range(3):
        client = dealer(worker.addresses.data)
        client.send_multipart(OPEN)
        client.recv_multipart()
        assert clients(worker) == 1
        client.close()
        soon(lambda: clients(worker) == 0)
    (line,) = warnings(caplog)
    assert line.startswith("a connection from 127.0.0.1 broke without a good-bye")


def test_over_a_unix_socket_too(worker: Server, dealer, caplog):
    client = dealer(worker.addresses.all_data[1])
    client.send_multipart(OPEN)
    client.recv_multipart()
    assert clients(worker) == 1
    client.close()
    soon(lambda: clients(worker) == 0)
    (line,) = warnings(caplog)
    assert line.startswith("a connection from this machine broke")


def test_who_says_good_bye_is_not_complained_of(worker: Server, dealer, caplog):
    for place in worker.addresses.all_data:
        with connect(place, TOY, timeout=10) as honest:
            honest.fetch(0)
        soon(lambda: clients(worker) == 0)
    client = dealer(worker.addresses.data)
    client.send_multipart([bytes(frame) for frame in encode(Bye(reason="done"))])
    client.close(linger=1_000)
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        honest.fetch(1)
    assert not warnings(caplog)


def test_a_length_of_4_gb_ends_its_connection_which_is_logged_once(worker: Server, caplog):
    for length in (4 << 30, (1 << 64) - 1, 65_600 + 2_000):
        with raw_peer(worker.addresses.data) as enemy:
            shake_hands(enemy)
            enemy.sendall(announced(length))
            until_hung_up(enemy)
    soon(lambda: bool(warnings(caplog)))
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        honest.fetch(0)
    (line,) = warnings(caplog)
    assert line.startswith("a connection from 127.0.0.1 broke")
    assert "a frame of more than 65536 bytes" in line


def test_who_only_looks_whether_the_port_is_open_is_no_news(worker: Server, caplog):
    for _ in range(20):
        with raw_peer(worker.addresses.data):
            pass
    with connect(worker.addresses.data, TOY, timeout=10) as honest:
        honest.fetch(0)
    assert not warnings(caplog)


def test_who_comes_with_keys_where_there_are_none_is_named_once(worker: Server, dealer, caplog):
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(15) + b"\x00" + bytes(31)
    for _ in range(4):
        with raw_peer(worker.addresses.data) as stranger:
            stranger.sendall(greeting)
            until_hung_up(stranger)
    soon(lambda: "failed in the handshake" in caplog.text)
    named = [line for line in warnings(caplog) if "127.0.0.1" in line]
    assert len(named) <= 1
    assert len(warnings(caplog)) - len(named) <= 1  # ZeroMQ may be done with it before anybody can look who it is


def test_who_comes_before_the_worker_is_ready_waits_inside_and_not_before_the_door(dealer):
    """A first start compiles for many seconds. A handshake that takes as long would be broken off."""
    came, ready = threading.Event(), threading.Event()

    def warm_up(sources: Sources) -> int:
        came.set()
        assert ready.wait(10)
        return 1

    server = Server(SETTINGS, open_toy, WorkerMetrics(), warm_up)
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        assert came.wait(10)
        client = dealer()
        monitor = client.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        client.connect(server.addresses.data.replace("zmq", "tcp"))
        client.send_multipart(OPEN)
        assert monitor.poll(5_000)
        assert not client.poll(50), "nobody is served yet"
        ready.set()
        assert client.poll(5_000)
    finally:
        client.disable_monitor()
        monitor.close()
        ready.set()
        starting.join()
        server.stop()


def test_a_crowd_that_comes_and_goes_leaves_nothing_behind(worker: Server, dealer):
    for _ in range(50):
        client = dealer(worker.addresses.data)
        client.send_multipart(OPEN)
        client.recv_multipart()
        client.close()
    soon(lambda: clients(worker) == 0)
    connections = worker._serving._doors[0]._connections
    assert not connections._open
    assert not connections._ended
    assert not connections._of_client
    assert not +connections._ending


@pytest.mark.slow
def test_a_client_that_is_killed_is_counted_no_longer(worker: Server):
    script = f"""
from pairstream import connect, StreamSpec
client = connect({worker.addresses.data!r}, StreamSpec.from_dict({TOY.as_dict()!r}), timeout=10)
client.fetch(0)
print("here", flush=True)
input()
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"here\n"
    assert clients(worker) == 1
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    soon(lambda: clients(worker) == 0)
