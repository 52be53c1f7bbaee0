"""Rendezvous hashing: the same order for everyone, an even spread, and little that moves."""

from __future__ import annotations

from collections import Counter

from pairstream.routing import preference

WORKERS = [f"zmq://worker-{number}:5555" for number in range(5)]
DIGEST = "ab" * 32


def test_every_client_computes_the_same_order():
    assert preference(DIGEST, 7, WORKERS) == preference(DIGEST, 7, reversed(WORKERS))


def test_the_load_is_spread_evenly():
    counts = Counter(preference(DIGEST, index, WORKERS)[0] for index in range(5_000))
    assert all(850 < counts[worker] < 1_150 for worker in WORKERS)


def test_when_a_worker_leaves_only_its_own_blocks_move():
    for index in range(500):
        first, *others = preference(DIGEST, index, WORKERS)
        for gone in WORKERS:
            remaining = [worker for worker in WORKERS if worker != gone]
            expected = others[0] if gone == first else first
            assert preference(DIGEST, index, remaining)[0] == expected
