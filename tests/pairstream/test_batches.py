"""Who takes which pairs: global batch b is the same whatever number of ranks divides it, and whenever that changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.batches import Batches, Follow, Slice, Start, assemble, check_following
from pairstream.block import PairBlock
from pairstream.cursor import Cursor, Share
from pairstream.errors import ConfigError


def batches(block_pairs: int, batch_pairs: int, rank: int = 0, world: int = 1) -> Batches:
    return Batches(block_pairs=block_pairs, batch_pairs=batch_pairs, share=Share(rank=rank, world=world))


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int]:
    """Pairs of a block and of a batch: one a whole multiple of the other."""
    small, times = draw(st.sampled_from([1, 4, 6, 12])), draw(st.integers(1, 5))
    return draw(st.sampled_from([(small, small * times), (small * times, small)]))


def divisors(number: int) -> list[int]:
    return [world for world in range(1, number + 1) if number % world == 0]


def block(index: int, pairs: int) -> PairBlock:
    """A block whose theta is the number of each pair in the stream."""
    numbers = np.arange(index * pairs, (index + 1) * pairs, dtype=np.float32)
    theta = np.repeat(numbers, 2).reshape(pairs, 2, 1)
    return PairBlock(index=index, digest="ab" * 32, theta=theta, audio=np.zeros((pairs, 2, 2), np.float32))


def run(subject: Batches, cursor: Cursor, steps: int, ahead: int = 3) -> tuple[list[list[int]], Cursor, list[int]]:
    """What a rank gets: the pairs of each batch, the cursor after them, and the blocks that were fetched."""
    fetched: list[int] = []

    def fetch(indices: Iterator[int]) -> Iterator[PairBlock]:
        queue: list[int] = list(islice(indices, ahead))
        while queue:
            fetched.append(queue.pop(0))
            queue += islice(indices, 1)
            yield block(fetched[-1], subject.block_pairs)

    taken = []
    parts = subject.exact(cursor.position(subject.block_pairs))
    for first, pieces in islice(assemble(fetch, parts), steps):
        taken.append([int(x) for piece, one in pieces for x in one.theta[piece.first : piece.stop, 0, 0]])
        cursor = subject.after(cursor, first.index, first.first)
    return taken, cursor, fetched


@given(shapes(), st.integers(0, 3), st.lists(st.tuples(st.integers(0, 99), st.integers(1, 3)), max_size=5))
def test_a_global_batch_is_the_same_pairs_in_the_same_order_whatever_the_ranks_and_whenever_they_change(
    shape: tuple[int, int], start: int, sessions: list[tuple[int, int]]
):
    block_pairs, batch_pairs = shape
    cursor, seen = Cursor(next=start), []
    for choice, steps in sessions:
        worlds = divisors(batch_pairs)
        world = worlds[choice % len(worlds)]
        ranks = [run(batches(block_pairs, batch_pairs, rank, world), cursor, steps) for rank in range(world)]
        states = {str(after.state_dict()) for _, after, _ in ranks}
        assert len(states) == 1, "every rank must keep the same cursor"
        cursor = Cursor.from_state_dict(ranks[0][1].state_dict())
        seen += [list(chain(*(taken[step] for taken, _, _ in ranks))) for step in range(steps)]
        for _, _, fetched in ranks:
            assert len(fetched) == len(set(fetched)), "no rank fetches a block twice"
    begin = start * block_pairs
    assert seen == [list(range(begin + b * batch_pairs, begin + (b + 1) * batch_pairs)) for b in range(len(seen))]


def test_a_block_per_rank_is_the_round_that_it_looks_like():
    subjects = [batches(8, 24, rank, 3) for rank in range(3)]
    assert [[part[0].index for part in islice(subject.exact(0), 3)] for subject in subjects] == [
        [0, 3, 6],
        [1, 4, 7],
        [2, 5, 8],
    ]


def test_a_part_may_be_a_slice_of_a_block_or_span_several():
    assert batches(128, 32, rank=1, world=2).part(96) == (Slice(0, 112, 128),)
    assert batches(128, 384, rank=1, world=2).part(0) == (Slice(1, 64, 128), Slice(2, 0, 128))


@pytest.mark.parametrize(
    ("batch", "world", "says"), [(100, 1, "divisor"), (0, 1, "divisor"), (128, 3, "multiple of 3")]
)
def test_a_batch_that_cannot_be_cut_is_refused(batch: int, world: int, says: str):
    with pytest.raises(ConfigError, match=f"batch_pairs={batch}.*{says}"):
        batches(128, batch, world=world)


@given(
    shapes(), st.integers(0, 5), st.integers(0, 20), st.lists(st.none() | st.integers(0, 400), min_size=1, max_size=40)
)
def test_live_never_goes_back_jumps_only_when_it_must_and_its_gaps_tell(
    shape: tuple[int, int], max_lag: int, start: int, heads: list[int | None]
):
    block_pairs, batch_pairs = shape
    subject, told = batches(block_pairs, batch_pairs), iter(heads)
    parts = subject.live(start * block_pairs, lambda: next(told), max_lag)
    cursor, position, taken = Cursor(next=start), start * block_pairs, set()
    for head in heads:
        part = next(parts)
        begin = part[0].index * block_pairs + part[0].first
        lag = -1 if head is None else head - position // block_pairs
        assert begin == (head * block_pairs if lag > max_lag and position % block_pairs == 0 else position)
        position = begin + batch_pairs
        cursor = subject.after(cursor, part[0].index, part[0].first)
        taken |= {piece.index for piece in part}
    assert list(cursor.taken(start)) == sorted(taken)
    assert cursor.position(block_pairs) == position


@pytest.mark.parametrize(("begin", "batch_pairs"), [(64, 256), (32, 64), (64, 128)])
def test_live_jumps_also_from_where_its_batches_meet_no_block_s_end(begin: int, batch_pairs: int):
    parts = batches(128, batch_pairs).live(begin, lambda: 1_000, 16)
    first = next(parts)[0]
    assert (first.index, first.first) == (1_000, 0)


@pytest.mark.parametrize(
    ("follow", "start", "max_lag", "world", "says"),
    [
        ("lively", 0, 1, 1, "follow='lively'"),
        ("exact", -1, 1, 1, "start=-1"),
        ("exact", 2**63, 1, 1, "start=9223372036854775808"),
        ("exact", "last", 1, 1, "start='last'"),
        ("live", 0, -1, 1, "max_lag=-1"),
        ("live", 0, 1, 2, "2 ranks"),
        ("exact", "head", 1, 2, "2 ranks"),
    ],
)
def test_a_way_to_follow_that_cannot_be_meant_is_refused(
    follow: Follow, start: Start, max_lag: int, world: int, says: str
):
    with pytest.raises(ConfigError, match=says):
        check_following(follow, start, max_lag, Share(world=world))
