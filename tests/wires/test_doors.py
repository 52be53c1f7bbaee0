"""What is particular to one wire: where it listens, when memory is shared, and what it makes of garbage."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from sites import SETTINGS, Site
from toy_source import TOY, ToySource, open_toy

from pairstream import connect
from pairstream.errors import BindError, ConfigError, ProtocolError, WorkerUnavailableError
from pairstream.grpc_wire import METHOD, SERVICE, Assembler
from pairstream.header import pack
from pairstream.worker_url import WorkerUrl, parse_workers
from synth_server.metrics import WorkerMetrics
from synth_server.server import Server


@pytest.fixture
def ipc() -> Iterator[Site]:
    with Site("ipc") as site:
        yield site


def expected(count: int) -> list[str]:
    return [ToySource(TOY).render(index).sha256() for index in range(count)]


def test_one_worker_listens_on_tcp_and_on_a_unix_socket(tmp_path: Path, ipc: Site):
    path = f"{ipc.folder}/both.sock"
    settings = replace(SETTINGS, bind=f"tcp://127.0.0.1:0,ipc://{path}")
    with Server(settings, open_toy, WorkerMetrics()) as server:
        assert server.addresses.all_data[1] == f"zmq://{path}"
        for url in server.addresses.all_data:
            with connect(url, TOY, timeout=5) as client:
                assert [block.sha256() for block in client.blocks(stop=5)] == expected(5)
    assert not Path(path).exists()


def test_the_socket_of_a_killed_worker_is_replaced(ipc: Site):
    ipc.stop()
    path = Path(ipc.folder) / "worker.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    ipc.start()
    assert ipc.connect().fetch(0).index == 0


@pytest.mark.parametrize(("kind", "says"), [("worker", "another worker listens"), ("file", "no socket")])
def test_a_path_that_is_taken_is_one_clear_error(ipc: Site, kind: str, says: str):
    path = Path(ipc.folder) / "worker.sock"
    if kind == "file":
        path = Path(ipc.folder) / "notes.txt"
        path.write_text("precious")
    with pytest.raises(BindError, match=says):
        Server(replace(SETTINGS, bind=f"ipc://{path}"), open_toy, WorkerMetrics())
    assert path.exists()


def test_a_folder_that_is_not_there_is_one_clear_error():
    with pytest.raises(BindError, match="no folder /nowhere"):
        Server(replace(SETTINGS, bind="ipc:///nowhere/worker.sock"), open_toy, WorkerMetrics())


@pytest.mark.parametrize("make", [lambda url: replace(SETTINGS, bind=url), WorkerUrl.parse])
def test_a_path_that_is_too_long_is_one_clear_error(make):
    with pytest.raises(ConfigError, match="at most 107 bytes, this one 121"):
        make("ipc:///" + "x" * 120)


@pytest.mark.parametrize(
    "url",
    [
        "zmq://a:1,zmq://a:1",
        "zmq://a:1,",
        "ipc://a:1",
        "ipc://relative/path",
        "grpc:///path",
        "tcp:///path",
        "tcp://a:0",
        "shm://",
        "zmq://a:70000",
    ],
)
def test_a_url_that_cannot_be_meant_is_quoted(url: str):
    with pytest.raises(ConfigError):
        parse_workers(url)


def test_workers_are_named_by_their_full_urls():
    urls = parse_workers("zmq://a:1, [::1]:2,ipc:///run/x.sock")
    assert [str(url) for url in urls] == ["zmq://a:1", "zmq://[::1]:2", "ipc:///run/x.sock"]


def test_a_worker_that_shares_no_memory_serves_all_the_same_unless_it_must():
    with Site("shm", no_shared_memory=True) as site:
        with pytest.raises(WorkerUnavailableError, match="shared memory is off here"):
            site.connect(timeout=0.5)
        site.scheme = "zmq"
        assert [block.sha256() for block in site.connect().blocks(stop=5)] == expected(5)


def test_a_worker_that_cannot_be_met_serves_all_the_same_unless_it_must(monkeypatch: pytest.MonkeyPatch):
    """As in another container: its socket of that name is not here."""

    def nowhere(place: str, token: bytes, fd: int) -> socket.socket:
        raise ConnectionRefusedError("Connection refused")

    with Site("shm") as site:
        monkeypatch.setattr("pairstream.sharer.hand_over", nowhere)
        with pytest.raises(WorkerUnavailableError, match="cannot be met on this host"):
            site.connect(timeout=0.5)
        site.scheme = "zmq"
        assert [block.sha256() for block in site.connect().blocks(stop=5)] == expected(5)


def test_noise_on_grpc_is_told_logged_once_and_harms_nobody(caplog: pytest.LogCaptureFixture):
    noise = [b"", b"\xc1", b"x" * 60_000, pack("want", {}), pack("shm", {}), pack("block", {})] * 5
    with Site("grpc") as site, caplog.at_level(logging.WARNING):
        with grpc.insecure_channel(site.url.removeprefix("grpc://")) as channel:
            answers = channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter(noise), timeout=10)
            assert all(b"refused" in answer for answer in answers)
        assert [block.sha256() for block in site.connect().blocks(stop=5)] == expected(5)
    assert len([record for record in caplog.records if "sent a message" in record.getMessage()]) == 1


def test_a_grpc_server_that_talks_nonsense_is_an_error_that_says_so():
    def babble(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.send_initial_metadata(())
        next(requests)
        yield b"\xc1"

    handler = grpc.method_handlers_generic_handler(SERVICE, {METHOD: grpc.stream_stream_rpc_method_handler(babble)})
    server = grpc.server(ThreadPoolExecutor(2))
    port = server.add_insecure_port("127.0.0.1:0")
    server.add_generic_rpc_handlers((handler,))
    server.start()
    try:
        with pytest.raises(ProtocolError, match="not msgpack"):
            connect(f"grpc://127.0.0.1:{port}", TOY, timeout=5)
    finally:
        server.stop(None).wait(5)


def test_a_block_larger_than_any_that_was_asked_for_is_refused_before_memory_is_taken():
    layout = {"pairs": 2**30, "parameters": 1, "samples": 2**30, "dtype": "float32"}
    with pytest.raises(ProtocolError, match="at most 100 were expected"):
        Assembler(100).add(pack("block", {"digest": "ab" * 32, "index": 0} | layout))


def test_a_block_longer_than_its_header_says_is_refused():
    layout = {"pairs": 1, "parameters": 1, "samples": 1, "dtype": "float32"}
    assembler = Assembler(100)
    assert assembler.add(pack("block", {"digest": "ab" * 32, "index": 0} | layout)) is None
    with pytest.raises(ProtocolError, match="9 bytes of an array that lacked 8"):
        assembler.add(bytes(9))
