"""Those who attack a worker, in a process of their own: `fire.py` starts it, and stops and continues it.

python -m benchmarks.attackers ATTACK URL FOLDER RATE, and a line on stdin for every question of how often.
"""

from __future__ import annotations

import random
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import zmq

from benchmarks.raw_zeromq import announced, raw_peer, shake_hands, until_hung_up
from pairstream.codec import encode
from pairstream.messages import Open, Want

#: Seconds that a single attack may take.
PATIENCE = 5.0


def stranger(url: str, folder: Path) -> Callable[[], None]:
    """Comes with a CURVE key that nobody knows, another one each time."""
    context = zmq.Context()
    server = (folder / "curve/worker.public").read_text().split('"')[1].encode()

    def attack() -> None:
        enemy = context.socket(zmq.DEALER)
        enemy.linger = 0
        enemy.curve_publickey, enemy.curve_secretkey = zmq.curve_keypair()
        enemy.curve_serverkey = server
        monitor = enemy.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        enemy.connect(url.replace("zmq", "tcp"))
        monitor.poll(PATIENCE * 1_000)
        enemy.disable_monitor()
        monitor.close()
        enemy.close()

    return attack


def expired(url: str, folder: Path) -> Callable[[], None]:
    """Shows a certificate of the right authority that has expired."""
    context = ssl.create_default_context(cafile=str(folder / "tls/ca.pem"))
    context.load_cert_chain(folder / "eve.pem")
    context.set_alpn_protocols(["h2"])
    host, port = url.removeprefix("grpc://").split(":")

    def attack() -> None:
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as enemy:
            try:
                with context.wrap_socket(enemy, server_hostname=host) as wrapped:
                    assert not wrapped.recv(1)
            except (ssl.SSLError, ConnectionError):
                return

    return attack


def gigabytes(url: str, _: Path) -> Callable[[], None]:
    """Announces a frame of 4 GB."""

    def attack() -> None:
        with raw_peer(url) as enemy:
            shake_hands(enemy)
            enemy.sendall(announced(4 << 30))
            until_hung_up(enemy)

    return attack


def nonsense(url: str, _: Path) -> Callable[[], None]:
    """Sends messages of which a few bytes were changed, and reads no answer."""
    rng = random.Random(1)
    enemy = zmq.Context().socket(zmq.DEALER)
    enemy.connect(url.replace("zmq", "tcp"))
    messages = (Open(spec={}, experiment="x"), Want(digest="ab" * 32, indices=(1, 2, 3), experiment="x"))
    headers = [bytes(encode(message)[0]) for message in messages]

    def attack() -> None:
        changed = bytearray(rng.choice(headers))
        for _ in range(8):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        enemy.send(changed)

    return attack


ATTACKS = {"keys": stranger, "certificates": expired, "lengths": gigabytes, "garbage": nonsense}


def main(name: str, url: str, folder: Path, rate: float) -> None:
    """Attack so often a second, until stdin ends."""
    attack = ATTACKS[name](url, folder)
    fired = 0

    def answer() -> None:
        for _ in sys.stdin:
            print(fired, flush=True)

    questions = threading.Thread(target=answer, daemon=True)
    questions.start()
    while questions.is_alive():
        began = time.monotonic()
        attack()
        fired += 1
        time.sleep(max(0.0, 1 / rate - (time.monotonic() - began)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
