"""Impulse responses: how they decay, and those of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from clips_folder import write_clip

from pairstream.errors import DataError
from trainer.augment.rooms import artificial, read_responses

RATE = 16_000


def test_a_room_decays_by_60_decibels_in_its_time() -> None:
    seconds = torch.tensor([0.1, 0.3, 0.6])
    rooms = artificial(torch.arange(3), seconds, RATE, RATE)
    for room, time in zip(rooms, seconds, strict=True):
        tail = room[1:]
        early, late = (float(tail[at : at + 800].square().mean().log10() * 10) for at in (0, int(time * RATE / 2)))
        assert early - late == pytest.approx(30.0, abs=1.5)


def test_rooms_have_an_energy_of_1_and_are_unlike_each_other() -> None:
    rooms = artificial(torch.tensor([1, 2]), torch.tensor([0.3, 0.3]), RATE, RATE)
    np.testing.assert_allclose(rooms.square().sum(dim=1), 1.0, rtol=1e-5)
    assert abs(np.corrcoef(rooms[:, 1:].numpy())[0, 1]) < 0.2


def test_responses_of_a_folder_are_padded_to_the_longest_and_of_energy_1(tmp_path: Path) -> None:
    write_clip(tmp_path / "1.wav", 0.1)
    write_clip(tmp_path / "2.wav", 0.25)
    responses = read_responses(tmp_path, RATE)
    assert responses.shape == (2, 4_000)
    assert not responses[0, 1_600:].any()
    np.testing.assert_allclose(responses.square().sum(dim=1), 1.0, rtol=1e-5)


def test_a_folder_without_responses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no audio file"):
        read_responses(tmp_path, RATE)
