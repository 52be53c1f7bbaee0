"""Letting go of workers that take a connection and say nothing: at once, and no thread is left behind."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

from pairstream.grpc_link import CLOSE_SECONDS
from pairstream.grpc_transport import GrpcTransport


def test_a_worker_that_says_nothing_is_let_go_at_once():
    with ExitStack() as stack:
        mute = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        workers = [f"grpc://127.0.0.1:{one.getsockname()[1]}" for one in mute]
        transport = GrpcTransport(workers, 1 << 20)
        transport.poll(0.3)
        began = time.monotonic()
        transport.remove(workers[0])
        transport.close()
        assert time.monotonic() - began < CLOSE_SECONDS
        assert not {thread.name for thread in threading.enumerate()} & {f"read {worker}" for worker in workers}
