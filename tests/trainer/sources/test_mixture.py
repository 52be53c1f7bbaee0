"""A mixture: the stream's batches with some rows of recordings in their stead."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from clips_folder import write_folder

from pairstream import StreamSpec
from pairstream.batches import Batches
from pairstream.cursor import Share
from pairstream.torch import PairBatch, PairStream
from trainer.sources.clips_in_memory import ClipsInMemory, read_clips
from trainer.sources.folder import files_of
from trainer.sources.mixture import Mixture, real_rows
from trainer.sources.recordings import RecordedPairs

SPEC = StreamSpec(synth="toy", block_pairs=4, seconds=0.5)
pytestmark = pytest.mark.usefixtures("_tone_streams")


@pytest.fixture
def clips(tmp_path: Path) -> ClipsInMemory:
    return read_clips(files_of(write_folder(tmp_path)), rate=16_000, crop=8_000)


def mixture(clips: ClipsInMemory, share: float, rank: int = 0, world: int = 1) -> Mixture:
    stream = PairStream("local://", SPEC, batch_pairs=8, rank=rank, world=world)
    batches = Batches(block_pairs=4, batch_pairs=8, share=Share(rank=rank, world=world))
    return Mixture(stream, RecordedPairs(clips, seed=0), batches, share=share, seed=0)


def some(of: Mixture, count: int = 3) -> list[PairBatch]:
    return list(islice(of, count))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 1.0])
def test_the_share_is_kept_over_batches_to_a_row(share: float) -> None:
    counts = [len(real_rows(0, begin, 6, share)) for begin in range(0, 600, 6)]
    assert np.abs(np.cumsum(counts) - share * 6 * np.arange(1, 101)).max() <= 0.5
    assert max(counts) - min(counts) <= 1


def test_every_row_is_as_likely_to_be_real() -> None:
    rows = np.concatenate([real_rows(7, begin, 8, 0.25) for begin in range(0, 32_000, 8)])
    assert np.bincount(rows, minlength=8) == pytest.approx(1_000, rel=0.1)


def test_rows_are_the_streams_or_the_recordings_of_the_same_numbers(clips: ClipsInMemory) -> None:
    plain = PairStream("local://", SPEC, batch_pairs=8)
    for batch, stream in zip(some(mixture(clips, 0.4)), plain, strict=False):
        first = batch.index * 4
        real = real_rows(0, first, 8, 0.4)
        recorded = torch.from_numpy(RecordedPairs(clips, seed=0).audio(first, 8))
        expected = torch.where(
            torch.isin(torch.arange(8), torch.from_numpy(real))[:, None, None], recorded, stream.audio
        )
        assert torch.equal(batch.audio, expected)
        assert batch.theta.shape == (8, 2, 0)


def test_ranks_partition_every_batch(clips: ClipsInMemory) -> None:
    parts = [some(mixture(clips, 0.4, rank, 2)) for rank in range(2)]
    for number, whole in enumerate(some(mixture(clips, 0.4))):
        assert torch.equal(torch.cat([part[number].audio for part in parts]), whole.audio)


def test_going_on_from_a_state_is_going_on(clips: ClipsInMemory) -> None:
    first = mixture(clips, 0.4)
    expected = some(first, 4)
    state = first.state_after(expected[1])
    assert state == {"next": 4, "fingerprint": "toy", "recordings": clips.digest}
    later = mixture(clips, 0.4)
    later.load_state_dict(state)
    assert torch.equal(some(later, 1)[0].audio, expected[2].audio)
