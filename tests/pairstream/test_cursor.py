"""Where an experiment stands: a few integers that come back, and gaps that say what was taken."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.cursor import MAX_GAPS, Cursor, Share
from pairstream.errors import CheckpointError, ConfigError


def test_the_state_of_an_exact_experiment_is_one_integer_and_comes_back():
    assert Cursor(next=7).state_dict() == {"next": 7}
    assert Cursor.from_state_dict({"next": 7}) == Cursor(next=7)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=30))
def test_the_gaps_say_what_was_taken_and_survive_a_checkpoint(jumps: list[tuple[int, int]]):
    cursor, taken, index = Cursor(), [], 0
    for skipped, blocks in jumps:
        index += skipped
        for _ in range(blocks):
            taken.append(index)
            cursor = Cursor.from_state_dict(cursor.after(index * 8, 8, 8).state_dict())
            index += 1
    assert list(cursor.taken()) == taken
    assert list(cursor.taken(start=5)) == [index for index in taken if index >= 5]
    assert len(cursor.gaps) <= len(jumps)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.data())
def test_a_consumer_may_be_behind_whoever_reads_ahead(skips: list[int], data: st.DataObject):
    taken = [sum(skips[: number + 1]) + number for number in range(len(skips))]
    ahead = Cursor()
    for index in taken:
        ahead = ahead.after(index * 8, 8, 8)
    behind = data.draw(st.integers(0, len(taken) - 1))
    cursor = ahead.after(taken[behind] * 8, 8, 8)
    assert list(cursor.taken()) == taken[: behind + 1]
    assert cursor.next == taken[behind] + 1


def test_in_the_middle_of_a_block_the_state_says_where():
    cursor = Cursor(next=3).after(3 * 8, 4, 8)
    assert cursor.state_dict() == {"next": 3, "pair": 4}
    assert cursor.position(8) == 28
    assert Cursor.from_state_dict(cursor.state_dict()).after(28, 4, 8) == Cursor(next=4)


def test_a_cursor_forgets_its_oldest_gaps_and_says_so():
    cursor = Cursor()
    for number in range(MAX_GAPS + 2):
        cursor = cursor.after((2 * number + 1) * 8, 8, 8)
    assert len(cursor.gaps) == MAX_GAPS
    assert cursor.state_dict()["known"] == 3
    assert list(islice(cursor.taken(start=3), 3)) == [3, 5, 7]
    with pytest.raises(CheckpointError, match="below index 3 are forgotten"):
        next(cursor.taken())


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"next": -1},
        {"next": 1.5},
        {"next": True},
        {"next": 3, "pair": -1},
        {"next": 3, "gaps": 7},
        {"next": 3, "gaps": [[1]]},
        {"next": 3, "gaps": [[1, "2"]]},
        {"next": 9, "gaps": [[4, 5], [1, 2]]},
    ],
)
def test_a_state_that_is_none_is_refused(state: dict[str, object]):
    with pytest.raises(CheckpointError, match=r"next|gaps"):
        Cursor.from_state_dict(state)


@pytest.mark.parametrize(("rank", "world"), [(1, 1), (-1, 2), (0, 0)])
def test_a_rank_that_does_not_exist_is_refused(rank: int, world: int):
    with pytest.raises(ConfigError, match=f"rank={rank}"):
        Share(rank=rank, world=world)
