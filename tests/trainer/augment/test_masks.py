"""Masks over pictures: what is hidden, how much of it, and for whom."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.augment.masks import BANDS, FRAMES, Masks, masked
from trainer.augmentation import SETS, Augmentation

PICTURES = torch.from_numpy(np.random.default_rng(0).standard_normal((200, 1, 96, 64)).astype(np.float32))


def test_hidden_places_have_the_mean_and_all_others_are_as_they_were() -> None:
    picture = PICTURES[:1]
    hidden = masked(picture, torch.tensor([[10, 50]]), torch.tensor([[5, 0]]), FRAMES)
    assert torch.equal(hidden[0, 0, 10:15], picture.mean().expand(5, 64))
    assert torch.equal(hidden[0, 0, :10], picture[0, 0, :10])
    assert torch.equal(hidden[0, 0, 15:], picture[0, 0, 15:])
    bands = masked(picture, torch.tensor([[60]]), torch.tensor([[4]]), BANDS)
    assert torch.equal(bands[0, 0, :, 60:], picture.mean().expand(96, 4))


def test_masks_come_as_often_and_as_wide_as_the_settings_say() -> None:
    masks = Masks(Augmentation(masks_p=0.5, time_masks=1, time_mask_frames=20), seed=0)
    changed = (masks(PICTURES, 0, 0) != PICTURES).all(dim=3)[:, 0]
    width = changed.sum(dim=1)
    assert int(width.max()) == 20
    # A width of 0 is one of 21.
    assert float((width > 0).float().mean()) == pytest.approx(0.5 * 20 / 21, abs=0.1)
    assert float(width[width > 0].float().mean()) == pytest.approx(10.5, abs=1.5)
    often = Masks(Augmentation(masks_p=1.0, time_masks=4, time_mask_frames=20), seed=0)(PICTURES, 0, 0)
    assert (often != PICTURES).any(dim=0).all()


def test_a_picture_is_masked_by_its_own_number_and_view() -> None:
    masks = Masks(SETS["specaugment"], seed=0)
    whole = masks(PICTURES, 100, 1)
    assert torch.equal(masks(PICTURES[20:30], 120, 1), whole[20:30])
    assert not torch.equal(masks(PICTURES, 100, 0), whole)
    assert not torch.equal(Masks(SETS["specaugment"], seed=1)(PICTURES, 100, 1), whole)


def test_nothing_is_hidden_unless_said() -> None:
    assert Masks(Augmentation(), seed=0)(PICTURES, 0, 0) is PICTURES
