"""Pairs of recordings: two crops of one clip, a pure function of (clips, seed, number), shared exactly by ranks."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from clips_folder import write_folder
from torch.utils.data import DataLoader

from pairstream.batches import Batches
from pairstream.cursor import Share
from pairstream.errors import DataError
from pairstream.torch import PairBatch
from trainer.sources.clips_in_memory import ClipsInMemory, read_clips
from trainer.sources.folder import files_of
from trainer.sources.recordings import RecordedPairs, RecordingsSource


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipsInMemory:
    folder = write_folder(tmp_path_factory.mktemp("clips"))
    return read_clips(files_of(folder), rate=16_000, crop=8_000)


def source(clips: ClipsInMemory, rank: int = 0, world: int = 1, seed: int = 0) -> RecordingsSource:
    batches = Batches(block_pairs=4, batch_pairs=8, share=Share(rank=rank, world=world))
    return RecordingsSource(RecordedPairs(clips, seed=seed), batches)


def some(of: RecordingsSource, count: int = 3) -> list[PairBatch]:
    return list(islice(of, count))


def test_both_views_are_of_one_clip_and_of_two_places(clips: ClipsInMemory) -> None:
    pairs = RecordedPairs(clips, seed=0).audio(0, 20)
    windows = np.lib.stride_tricks.sliding_window_view(clips.samples, 8_000)[:, ::125]
    for pair in pairs:
        starts = [int(np.flatnonzero((windows == view[::125]).all(axis=1))[0]) for view in pair]
        assert len({np.searchsorted(clips.starts, start, side="right") for start in starts}) == 1
        assert starts[0] != starts[1]


def test_without_jitter_both_views_are_the_same_crop(clips: ClipsInMemory) -> None:
    pairs = RecordedPairs(clips, seed=0, jitter=False).audio(0, 5)
    assert np.array_equal(pairs[:, 0], pairs[:, 1])


def test_pairs_are_a_function_of_their_number_and_the_seed(clips: ClipsInMemory) -> None:
    pairs = RecordedPairs(clips, seed=1)
    assert np.array_equal(pairs.audio(3, 9)[4:6], pairs.audio(7, 2))
    assert np.array_equal(pairs.chosen(3, np.array([0, 4, 5])), pairs.audio(3, 9)[[0, 4, 5]])
    assert pairs.chosen(3, np.array([], np.int64)).shape == (0, 2, 8_000)
    assert not np.array_equal(pairs.audio(0, 5), RecordedPairs(clips, seed=2).audio(0, 5))


def test_a_batch_is_a_pair_batch_without_theta(clips: ClipsInMemory) -> None:
    first, second, _ = some(source(clips))
    assert (first.audio.shape, first.theta.shape, first.index, first.pair) == ((8, 2, 8_000), (8, 2, 0), 0, 0)
    assert (second.index, second.pair) == (2, 0)


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_partition_every_batch(clips: ClipsInMemory, world: int) -> None:
    parts = [some(source(clips, rank, world)) for rank in range(world)]
    for number, whole in enumerate(some(source(clips))):
        assert torch.equal(torch.cat([part[number].audio for part in parts]), whole.audio)


def test_going_on_from_a_state_is_going_on(clips: ClipsInMemory) -> None:
    expected = some(source(clips), 4)
    state = source(clips).state_after(expected[1])
    assert {name: state[name] for name in ("next", "recordings")} == {"next": 4, "recordings": clips.digest}
    later = source(clips)
    later.load_state_dict(state)
    assert torch.equal(some(later, 1)[0].audio, expected[2].audio)


def test_other_recordings_are_refused_unless_the_state_says_nothing_of_them(clips: ClipsInMemory) -> None:
    state = source(clips).state_after(some(source(clips), 1)[0])
    with pytest.raises(DataError, match="not those that this run began with: 5 clips of digest"):
        source(clips).load_state_dict(state | {"recordings": "0" * 64})
    source(clips).load_state_dict({"next": 1})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_several_loader_processes_give_the_same_batches_in_the_same_order(clips: ClipsInMemory) -> None:
    loader: DataLoader[PairBatch] = DataLoader(source(clips), batch_size=None, num_workers=2)
    for batch, expected in zip(islice(loader, 5), some(source(clips), 5), strict=True):
        assert torch.equal(batch.audio, expected.audio)
        assert (batch.index, batch.pair) == (expected.index, expected.pair)
