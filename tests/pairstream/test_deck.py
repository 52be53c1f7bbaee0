"""A deck deals every number once per pass, in an order that is the same everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.deck import Deck
from pairstream.errors import ConfigError


@given(st.integers(1, 50), st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_every_pass_deals_every_number_once(size: int, seed: int, turn: int) -> None:
    deck = Deck(size=size, seed=seed)
    dealt = [deck.index(turn * size + card) for card in range(size)]
    assert sorted(dealt) == list(range(size))


@given(st.integers(1, 20), st.integers(0, 100), st.integers(1, 60))
def test_many_places_at_once_are_the_places_one_by_one(size: int, first: int, count: int) -> None:
    deck = Deck(size=size, seed=3)
    assert deck.indices(first, count).tolist() == [deck.index(place) for place in range(first, first + count)]


GOLDEN = [0, 2, 1, 3, 3, 2, 1, 0, 2, 1, 3, 0]


def test_the_order_is_known_forever_and_differs_between_passes_and_seeds() -> None:
    assert [Deck(size=4, seed=0).index(place) for place in range(12)] == GOLDEN
    orders = {tuple(Deck(size=20, seed=seed).indices(20 * turn, 20)) for seed in (0, 1) for turn in (0, 1)}
    assert len(orders) == 4


def test_a_deck_without_cards_is_refused() -> None:
    with pytest.raises(ConfigError, match="a pool of 0 has nothing"):
        Deck(size=0)


@pytest.mark.parametrize("seed", [-1, 1 << 64, True])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match="of a pool is out of range"):
        Deck(size=3, seed=seed)


def test_of_no_places_there_are_no_numbers() -> None:
    assert Deck(size=3).indices(0, 0).tolist() == []
