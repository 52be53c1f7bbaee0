"""Stands at the ZeroMQ door: libzmq asks it at every handshake (ZAP, RFC 27) whether to let somebody in.

The serving thread answers along with all else. Until it has, the connection stays as it is, so this is also the time to
look who it is. What is answered is up to the gate (`gates.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import zmq

from synth_server.gates import Gate
from synth_server.tcp_peers import plain_host

#: Handshakes answered at once, so that clients that are in get their turn.
TURN: Final = 64


class Gatekeeper:
    """Answers for one ROUTER, from before it is bound.

    Args:
        context, router: whom it stands before.
        gate: who may come in.
        look: called before anybody who asked is answered.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        router: zmq.Socket[bytes],
        gate: Gate,
        look: Callable[[], object],
    ) -> None:
        self._gate = gate
        self._look = look
        self._zap = context.socket(zmq.ROUTER)
        self._zap.bind("inproc://zeromq.zap.01")
        router.zap_domain = b"pairs"  # without one, nobody is asked where there is no lock
        gate.lock(router)

    def register(self, poller: zmq.Poller) -> None:
        """Watch for libzmq's questions."""
        poller.register(self._zap, zmq.POLLIN)

    def answer(self) -> None:
        """Let those in, or not, who stand before the door."""
        questions = self._questions()
        if questions:
            self._look()
        for asker, empty, version, request, _, address, _, mechanism, *credentials in questions:
            welcome = self._gate.admits(mechanism, credentials, plain_host(address.decode("ascii", "replace")))
            code, text = (b"200", b"OK") if welcome else (b"400", b"unknown key")
            self._zap.send_multipart([asker, empty, version, request, code, text, b"", b""])

    def close(self) -> None:
        """Nobody comes in any more. Idempotent."""
        self._zap.close(linger=0)

    def _questions(self) -> list[list[bytes]]:
        questions: list[list[bytes]] = []
        while len(questions) < TURN:
            try:
                questions.append(self._zap.recv_multipart(zmq.DONTWAIT))
            except zmq.Again:
                break
        return questions
