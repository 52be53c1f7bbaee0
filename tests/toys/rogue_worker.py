"""Workers that answer with whatever a test gives them, over ZeroMQ and over gRPC.

One thing they do not do: to send a block of the right shape with wrong bytes. Nobody could tell, as a block carries no
signature: who is let in as a worker is a matter of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

import grpc
import zmq
from toy_source import TOY, ToySource

from pairstream.block import PairBlock
from pairstream.codec import decode
from pairstream.errors import ProtocolError
from pairstream.grpc_wire import METHOD, SERVICE, Assembler, pieces
from pairstream.messages import Message

#: What is sent for the n-th message of the clients, n = 0, 1, …
Answers = Callable[[int], list[list[bytes]]]


def poisoned(message: Message | None) -> bool:
    """Whether it is a block with bytes that are not its own."""
    if not isinstance(message, PairBlock) or message.digest != TOY.digest:
        return False
    return message.sha256() != ToySource(TOY).render(message.index).sha256()


@contextmanager
def zmq_rogue(answers: Answers) -> Iterator[str]:
    """The URL of one that speaks ZeroMQ."""
    stop = Event()
    with zmq.Context() as context:
        router = context.socket(zmq.ROUTER)
        router.linger = 0
        port = router.bind_to_random_port("tcp://127.0.0.1")
        thread = Thread(target=_serve, args=(router, answers, stop))
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{port}"
        finally:
            stop.set()
            thread.join()
            router.close()


def _serve(router: zmq.Socket[bytes], answers: Answers, stop: Event) -> None:
    heard = 0
    while not stop.is_set():
        if not router.poll(20):
            continue
        client, *_ = router.recv_multipart()
        for frames in answers(heard):
            try:
                poison = poisoned(decode(frames))
            except ProtocolError:
                poison = False
            if not poison:
                router.send_multipart([client, *frames])
        heard += 1


@contextmanager
def grpc_rogue(answers: Answers) -> Iterator[str]:
    """The URL of one that speaks gRPC."""
    server = grpc.server(ThreadPoolExecutor(8))
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(_conversation(answers))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


def _conversation(answers: Answers) -> Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]:
    def converse(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.send_initial_metadata(())
        client = Assembler(max_block_bytes=1 << 20)  # makes of the pieces what the client will
        for heard, _ in enumerate(requests):
            for frames in answers(heard):
                for piece in pieces(frames):
                    try:
                        if poisoned(client.add(piece)):
                            return
                    except ProtocolError:
                        pass
                    yield piece

    return converse
