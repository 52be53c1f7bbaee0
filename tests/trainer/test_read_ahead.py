"""Batches that are read ahead come in order, with their errors, and nobody is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import torch

from pairstream.errors import StreamTimeoutError
from pairstream.torch import PairBatch
from trainer.read_ahead import DEPTH, ReadAhead, ToCard


def batch(index: int) -> PairBatch:
    return PairBatch(index, torch.zeros(2, 2, 3), torch.full((2, 2, 8), float(index)))


def handed(sent: PairBatch) -> Callable[[], PairBatch]:
    return lambda: sent


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_all_batches_come_in_their_order() -> None:
    ahead = ReadAhead([batch(index) for index in range(20)], handed)
    assert [got.index for got in ahead] == list(range(20))
    assert not reading_threads()


def test_a_batch_is_sent_before_it_is_asked_for_and_no_more_than_a_few_are() -> None:
    asked, enough = [], threading.Event()

    def endless() -> Iterator[PairBatch]:
        index = 0
        while True:
            asked.append(index)
            if index == DEPTH + 1:
                enough.set()
            yield batch(index)
            index += 1

    batches = iter(ReadAhead(endless(), handed))
    assert next(batches).index == 0
    assert enough.wait(10)
    assert max(asked) <= DEPTH + 2
    batches.close()  # type: ignore[attr-defined]
    assert not reading_threads()


def test_an_error_of_the_stream_comes_in_the_place_of_its_batch() -> None:
    def failing() -> Iterator[PairBatch]:
        yield batch(0)
        raise StreamTimeoutError("waited 60.0 s for block 1")

    batches = iter(ReadAhead(failing(), handed))
    assert next(batches).index == 0
    with pytest.raises(StreamTimeoutError, match="block 1"):
        next(batches)
    assert not reading_threads()


@pytest.mark.gpu
def test_on_a_card_the_batches_are_those_that_were_sent() -> None:
    def pinned() -> Iterator[PairBatch]:
        for index in range(50):
            yield PairBatch(index, torch.zeros(64, 2, 3), torch.full((64, 2, 16_000), float(index))).pin_memory()

    card = torch.device("cuda", torch.cuda.current_device())
    for index, got in enumerate(ReadAhead(pinned(), ToCard(card))):
        assert got.audio.device == card
        assert torch.equal(got.audio, torch.full_like(got.audio, float(index)))
