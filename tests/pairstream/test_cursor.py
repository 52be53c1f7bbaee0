"""Who takes which index: every rank its own, all ranks together every one, also when their number changes."""

from __future__ import annotations

from itertools import chain, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.cursor import Cursor, Share
from pairstream.errors import CheckpointError, ConfigError


@given(st.integers(0, 100), st.integers(1, 7), st.integers(1, 5))
def test_ranks_together_take_every_index_once(start: int, world: int, rounds: int):
    shares = [list(islice(Cursor(next=start).indices(Share(rank=r, world=world)), rounds)) for r in range(world)]
    assert sorted(chain(*shares)) == list(range(start, start + world * rounds))


@given(st.integers(0, 100), st.integers(1, 7), st.integers(1, 7), st.integers(1, 5))
def test_the_number_of_ranks_may_change_without_gap_or_repeat(start: int, before: int, after: int, rounds: int):
    shares = [Share(rank=r, world=before) for r in range(before)]
    last = [list(islice(Cursor(next=start).indices(share), rounds))[-1] for share in shares]
    states = {Cursor(next=start).after(index, share) for index, share in zip(last, shares, strict=True)}
    assert states == {Cursor(next=start + before * rounds)}
    (resumed,) = states
    firsts = [next(resumed.indices(Share(rank=r, world=after))) for r in range(after)]
    assert firsts == list(range(start + before * rounds, start + before * rounds + after))


def test_the_state_is_one_integer_and_comes_back():
    assert Cursor(next=7).state_dict() == {"next": 7}
    assert Cursor.from_state_dict({"next": 7}) == Cursor(next=7)


@pytest.mark.parametrize("state", [{}, {"next": -1}, {"next": 1.5}, {"next": True}])
def test_a_state_that_is_none_is_refused(state: dict[str, object]):
    with pytest.raises(CheckpointError, match="next"):
        Cursor.from_state_dict(state)


@pytest.mark.parametrize(("rank", "world"), [(1, 1), (-1, 2), (0, 0)])
def test_a_rank_that_does_not_exist_is_refused(rank: int, world: int):
    with pytest.raises(ConfigError, match=f"rank={rank}"):
        Share(rank=rank, world=world)
