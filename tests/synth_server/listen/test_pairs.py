"""Pairs alone are the pairs of their blocks; few are fetched at a time, and each once."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from pairstream import StreamSpec, connect
from pairstream.errors import ConfigError, RefusedError, RenderError, StreamTimeoutError
from synth_server.listen.clients import KEPT, Clients
from synth_server.listen.pairs import BusyError, Pairs
from synth_server.listen.recent import Recent

SHORT = {"seconds": 0.1, "control_rate": 100}


def local(**changes: object) -> Pairs:
    return Pairs(Clients("local://", timeout=20.0), timeout=20.0, at_once=2, cache_bytes=1 << 20)


@pytest.mark.parametrize(
    "spec",
    [
        StreamSpec(block_pairs=5, **SHORT),
        StreamSpec(block_pairs=1, **SHORT),
        StreamSpec(block_pairs=4, synth="voice-fm", dtype="float16", delta={"pitch": 0.0, "rest": 0.1}, **SHORT),
        StreamSpec(block_pairs=3, synth="parametric", oscillators={"sine": 1}, sampling="unit", seed=7, **SHORT),
        StreamSpec(block_pairs=3, layers=3, **SHORT),
        pytest.param(StreamSpec(block_pairs=3, engine="torchsynth", **SHORT), marks=pytest.mark.slow),
    ],
    ids=["voice", "one-pair-blocks", "groups", "parametric", "layers", "torchsynth"],
)
def test_a_pair_alone_is_the_pair_of_its_block(spec: StreamSpec):
    pairs = local()
    with connect("local://", spec) as client:
        block = client.fetch(11)
    for number in range(spec.block_pairs):
        pair = pairs.pair(spec, 11, number)
        assert np.array_equal(pair.theta, block.theta[number])
        assert np.array_equal(pair.audio, block.audio[number])
    assert pairs.block(spec, 11).sha256() == block.sha256()
    pairs.close()


def test_the_same_theta_stands_behind_every_delta():
    pairs = local()
    deltas = (0.0, 0.001, 0.002)
    zero, one, two = (pairs.pair(StreamSpec(delta=delta, **SHORT), 1, 2).theta for delta in deltas)
    assert np.array_equal(zero[0], zero[1])
    inside = ((zero > 0.1) & (zero < 0.9)).all(axis=0)
    assert inside.sum() > 20
    assert np.allclose(2 * (one - zero)[:, inside], (two - zero)[:, inside], atol=1e-6)
    pairs.close()


@pytest.mark.parametrize(
    ("spec", "index", "pair", "error"),
    [
        (StreamSpec(), 0, 128, ConfigError),
        (StreamSpec(), 1 << 50, 0, ConfigError),
        (StreamSpec(seconds=61.0), 0, 0, RefusedError),
        (StreamSpec(seconds=30.0, sample_rate=48_000), 0, 0, RefusedError),
    ],
)
def test_too_much_is_refused_before_anything_is_connected(spec: StreamSpec, index: int, pair: int, error: type):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("connected")

    pairs = Pairs(Clients("zmq://nowhere:1", timeout=1, connect=never), timeout=1, at_once=1, cache_bytes=0)
    with pytest.raises(error):
        pairs.pair(spec, index, pair)


class SlowClients:
    """Clients whose every fetch waits for the test."""

    def __init__(self) -> None:
        self.fetched: list[int] = []
        self.began, self.go = threading.Semaphore(0), threading.Event()

    def call(self, spec: StreamSpec, work):
        return work(SimpleNamespace(fetch=self.fetch))

    def fetch(self, index: int) -> SimpleNamespace:
        self.fetched.append(index)
        self.began.release()
        assert self.go.wait(10)
        return SimpleNamespace(theta=np.zeros((1, 2, 1), np.float32), audio=np.zeros((1, 2, 4), np.float32))


def in_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_one_pair_too_many_is_told_so_in_time_and_what_two_ask_for_is_fetched_once():
    clients = SlowClients()
    pairs = Pairs(clients, timeout=0.2, at_once=1, cache_bytes=1 << 20)
    first = in_thread(lambda: pairs.pair(StreamSpec(), 0, 0))
    assert clients.began.acquire(timeout=10)
    with pytest.raises(BusyError, match="try again"):
        pairs.pair(StreamSpec(), 0, 1)
    with pytest.raises(StreamTimeoutError, match="another visitor"):
        pairs.pair(StreamSpec(), 0, 0)
    clients.go.set()
    first.join(10)
    assert pairs.pair(StreamSpec(), 0, 0).pair == 0
    assert clients.fetched == [0]


def test_what_failed_is_tried_again():
    recent: Recent[np.ndarray] = Recent(100)
    with pytest.raises(ZeroDivisionError):
        recent.get("key", lambda: 1 // 0, 1)
    assert recent.get("key", lambda: np.zeros(2), 1).shape == (2,)


def test_the_cache_is_bounded_in_bytes():
    recent: Recent[np.ndarray] = Recent(100)
    made: list[str] = []

    def get(key: str, size: int) -> None:
        recent.get(key, lambda: made.append(key) or np.zeros(size, np.uint8), 1)

    for key, size in (("a", 40), ("b", 40), ("a", 40), ("c", 40), ("a", 40), ("b", 40), ("big", 101), ("big", 101)):
        get(key, size)
        assert recent.bytes <= 100
    assert made == ["a", "b", "c", "b", "big", "big"]


class FakeClient:
    def __init__(self, url: str, spec: StreamSpec, **_: object) -> None:
        self.spec, self.closed = spec, False

    def close(self) -> None:
        self.closed = True


def test_connections_are_used_again_but_few_are_kept_and_none_that_failed():
    made: list[FakeClient] = []

    def opened(*arguments: object, **named: object) -> FakeClient:
        made.append(FakeClient(*arguments, **named))
        return made[-1]

    clients = Clients("zmq://somewhere:1", timeout=1, connect=opened)
    for seed in (*range(KEPT + 2), KEPT + 1):
        clients.call(StreamSpec(seed=seed), id)
    assert [client.closed for client in made] == [True, True] + [False] * KEPT
    with pytest.raises(ZeroDivisionError):
        clients.call(StreamSpec(seed=5), lambda _: 1 // 0)
    assert made[5].closed
    clients.call(StreamSpec(seed=6), lambda _: clients.close())
    assert all(client.closed for client in made)


def test_a_connection_that_went_stale_while_it_was_idle_is_replaced():
    made: list[FakeClient] = []

    def opened(*arguments: object, **named: object) -> FakeClient:
        made.append(FakeClient(*arguments, **named))
        return made[-1]

    def work(client: FakeClient) -> FakeClient:
        if client is made[0] and used:
            raise RenderError("not open here")
        used.append(client)
        return client

    used: list[FakeClient] = []
    clients = Clients("zmq://somewhere:1", timeout=1, connect=opened)
    assert clients.call(StreamSpec(), work) is made[0]
    assert clients.call(StreamSpec(), work) is made[1]
    assert (made[0].closed, made[1].closed) == (True, False)
    with pytest.raises(RenderError, match="really"):
        clients.call(StreamSpec(seed=1), lambda _: _raise(RenderError("really")))


def _raise(error: Exception) -> None:
    raise error
