"""SpecAugment: bands and frames of a log-mel picture that are not shown.

Park et al., "SpecAugment", Interspeech 2019, without its time warping. What is hidden gets the picture's mean, which
says nothing; 0, which the paper's code leaves there, is a rather loud sound in this front end.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.augmentation import Augmentation
from trainer.draws import Purpose, uniform

#: Axes of pictures (B, 1, frames, bands).
FRAMES, BANDS = 2, 3


class Masks:
    """Hides parts of pictures as the settings say: the same for (seed, pair, view), whatever the batch.

    Args:
        settings: how many masks, how large, how often.
        seed: which chances of all.
    """

    def __init__(self, settings: Augmentation, *, seed: int) -> None:
        self._settings = settings
        self._seed = seed

    def __call__(self, pictures: Tensor, first: int, view: int) -> Tensor:
        """Pictures (N, 1, frames, bands) of one view of the pairs first, first + 1, … -> with parts of them hidden."""
        said = self._settings
        if not said.of_pictures:
            return pictures
        count = said.time_masks + said.band_masks
        dice = uniform(self._seed, Purpose.MASKS, first, len(pictures), 2 * count * 3)
        mine = dice.reshape(len(pictures), 2, count, 3)[:, view]
        pictures = self._hide(pictures, mine[:, : said.time_masks], said.time_mask_frames, FRAMES)
        return self._hide(pictures, mine[:, said.time_masks :], said.band_mask_bands, BANDS)

    def _hide(self, pictures: Tensor, dice: NDArray[np.float64], most: int, axis: int) -> Tensor:
        """Masks of up to `most` places, one for each of the dice (N, masks, 3): whether, how wide, where."""
        if not dice.shape[1]:
            return pictures
        size = pictures.shape[axis]
        width = np.floor(dice[..., 1] * (min(most, size) + 1)) * (dice[..., 0] < self._settings.masks_p)
        first = np.floor(dice[..., 2] * (size - width + 1))
        places = torch.from_numpy(np.stack([first, width]).astype(np.int64)).to(pictures.device)
        return masked(pictures, places[0], places[1], axis)


def masked(pictures: Tensor, first: Tensor, width: Tensor, axis: int) -> Tensor:
    """Pictures (B, 1, frames, bands) without the places first … first + width - 1 (B, masks) of an axis, 2 or 3."""
    places = torch.arange(pictures.shape[axis], device=pictures.device)
    hidden = ((places >= first[..., None]) & (places < (first + width)[..., None])).any(dim=1)
    hidden = hidden[:, None, :, None] if axis == FRAMES else hidden[:, None, None, :]
    return torch.where(hidden, pictures.mean(dim=(2, 3), keepdim=True), pictures)
