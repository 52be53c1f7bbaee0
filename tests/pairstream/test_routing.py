"""Rendezvous hashing: the same order for everyone, a spread by capacity, and little that moves."""

from __future__ import annotations

import math
from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.routing import Router, preference

WORKERS = [f"zmq://worker-{number}:5555" for number in range(5)]
DIGEST = "ab" * 32
GOLDEN_FIRSTS = ["3", "3", "2", "3", "2", "3", "1", "2", "3", "3", "3", "3"]
GOLDEN_SCORE, GOLDEN_SCORE_1500 = 0.5562833455168142, 0.9995705432925259
GOLDEN_ORDER = [3, 1, 2]
MASK = (1 << 64) - 1

fleets = st.dictionaries(
    st.integers(0, 99).map("zmq://10.0.0.{}:5555".format), st.integers(1, 1 << 14), min_size=1, max_size=8
)


def slow_score(digest: str, index: int, worker: str, capacity: int) -> tuple[float, int]:
    """docs/protocol.md, word by word, without numpy."""

    def mix(word: int) -> int:
        word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
        return word ^ word >> 31

    block = mix((int(digest[:16], 16) + index * 0x9E3779B97F4A7C15) & MASK)
    word = mix(block ^ int.from_bytes(sha256(worker.encode()).digest()[:8], "big"))
    score = ((word >> 12) + 0.5) * 2.0**-52
    k = int(math.log2(capacity))
    eighths = math.ceil(8 * 2**k / capacity)
    half = math.sqrt(score)
    quarter = math.sqrt(half)
    eighth = math.sqrt(quarter)
    score = {8: score, 7: half * quarter * eighth, 6: half * quarter, 5: half * eighth}[eighths]
    for _ in range(k):
        score = math.sqrt(score)
    return score, word >> 12


@given(st.integers(0, (1 << 63) - 1), fleets)
def test_the_order_is_that_of_the_protocol_to_the_last_bit(index: int, capacities: dict[str, int]):
    slow = sorted(sorted(capacities), key=lambda name: slow_score(DIGEST, index, name, capacities[name]), reverse=True)
    router = Router(DIGEST, capacities)
    assert router.order(index) == preference(DIGEST, index, dict(reversed(capacities.items()))) == slow
    assert router.first(index) == slow[0]


def test_these_are_the_golden_values_of_the_protocol():
    capacities = {"zmq://10.0.0.1:5555": 1_000, "zmq://10.0.0.2:5555": 1_000, "zmq://10.0.0.3:5555": 4_000}
    assert [Router(DIGEST, capacities).first(index)[-6] for index in range(12)] == GOLDEN_FIRSTS
    assert slow_score(DIGEST, 7, "zmq://10.0.0.1:5555", 1)[0] == GOLDEN_SCORE
    assert slow_score(DIGEST, 7, "zmq://10.0.0.1:5555", 1_500)[0] == GOLDEN_SCORE_1500
    assert preference(DIGEST, 2**62, capacities) == [f"zmq://10.0.0.{last}:5555" for last in GOLDEN_ORDER]


def test_nobody_is_asked_where_nobody_is():
    assert Router(DIGEST, {}).first(3) is None
    assert Router(DIGEST, {}).order(3) == []


@pytest.mark.parametrize("capacities", [[1, 1, 1, 1, 1], [1, 2, 4, 8, 16], [1_000, 1_024, 1_500, 2_047, 2_048]])
def test_every_worker_gets_its_share_of_the_capacity(capacities: list[int]):
    """Within four standard deviations, of the steps within the capacities."""
    blocks, router = 20_000, Router(DIGEST, dict(zip(WORKERS, capacities, strict=True)))
    counts = Counter(router.first(index) for index in range(blocks))
    weights = [max(8 / e * 2**k for e in (8, 7, 6, 5) for k in range(12) if 8 / e * 2**k <= c) for c in capacities]
    for worker, weight in zip(WORKERS, weights, strict=True):
        share = weight / sum(weights)
        assert abs(counts[worker] - blocks * share) < 4 * math.sqrt(blocks * share * (1 - share))


def test_the_second_choice_is_spread_as_well():
    """Else all that a lost worker served would fall upon one other."""
    router = Router(DIGEST, dict.fromkeys(WORKERS, 64))
    seconds = Counter(order[1] for order in map(router.order, range(2_000)) if order[0] == WORKERS[0])
    expected = seconds.total() / 4
    assert all(abs(seconds[worker] - expected) < 4 * math.sqrt(expected) for worker in WORKERS[1:])


@given(fleets, st.data())
def test_when_a_worker_leaves_or_joins_only_its_own_blocks_move(capacities: dict[str, int], data: st.DataObject):
    gone = data.draw(st.sampled_from(sorted(capacities)))
    all_of_them = Router(DIGEST, capacities)
    remaining = Router(DIGEST, {name: capacity for name, capacity in capacities.items() if name != gone})
    for index in range(64):
        assert [name for name in all_of_them.order(index) if name != gone] == remaining.order(index)


@given(fleets, st.integers(1, 1 << 14), st.data())
def test_when_a_capacity_changes_blocks_move_only_to_or_from_that_worker(
    capacities: dict[str, int], capacity: int, data: st.DataObject
):
    changed = data.draw(st.sampled_from(sorted(capacities)))
    before, after = Router(DIGEST, capacities), Router(DIGEST, capacities | {changed: capacity})
    for index in range(128):
        if (was := before.first(index)) != (now := after.first(index)):
            assert (now if capacity > capacities[changed] else was) == changed
