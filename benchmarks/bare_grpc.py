"""grpcio and nothing else: bytes in the messages of grpc_wire.py, sent by a handler and looked at by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import grpc
import numpy as np
import torch

from pairstream.grpc_wire import CHANNEL_OPTIONS, pieces, receive_limit


@contextmanager
def bare_server(nbytes: int, blocks: int) -> Iterator[int]:
    """Sends so many blocks in turn to whoever calls; yields its port."""
    held = [list(pieces([b"", b"", np.full(nbytes, number, np.uint8).data]))[1:] for number in range(blocks)]

    def converse(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        while context.is_active():
            for block in held:
                yield from block

    server = grpc.server(ThreadPoolExecutor(1), options=CHANNEL_OPTIONS)
    handler = grpc.stream_stream_rpc_method_handler(converse)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bare", {"Converse": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


@contextmanager
def bare_client(port: str, nbytes: int) -> Iterator[Iterator[torch.Tensor]]:
    """An empty tensor for every block that has arrived, whose bytes are dropped."""
    done, nothing = Event(), torch.empty(nbytes, dtype=torch.uint8)

    def requests() -> Iterator[bytes]:
        done.wait()
        yield from ()

    with grpc.insecure_channel(f"127.0.0.1:{port}", options=(*CHANNEL_OPTIONS, receive_limit(nbytes))) as channel:
        call = channel.stream_stream("/bare/Converse")(requests())

        def arrived() -> Iterator[torch.Tensor]:
            got = 0
            for piece in call:
                got += len(piece)
                if got >= nbytes:
                    got -= nbytes
                    yield nothing

        try:
            yield arrived()
        finally:
            done.set()
            call.cancel()
