"""Numbers for items: a function of (seed, purpose, number), uniform, and unrelated between purposes."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.draws import Purpose, uniform

GOLDEN = [0.9995491144521872, 0.7297306403560883, 0.6185401214165763]


@pytest.mark.parametrize("width", [1, 4, 6])
def test_an_item_has_the_same_numbers_in_whatever_company(width: int) -> None:
    many = uniform(7, Purpose.CROPS, 100, 20, width)
    assert many.shape == (20, width)
    assert np.array_equal(uniform(7, Purpose.CROPS, 105, 3, width), many[5:8])
    far = uniform(7, Purpose.CROPS, 1 << 60, 2, width)
    assert not np.array_equal(far, many[:2])


def test_they_are_known_forever() -> None:
    assert uniform(1, Purpose.AUGMENTATION, 4711, 1, 3)[0].tolist() == GOLDEN


def test_they_are_uniform_and_purposes_and_seeds_are_unrelated() -> None:
    drawn = [uniform(seed, purpose, 0, 4_000, 1)[:, 0] for seed in (0, 1) for purpose in Purpose]
    for numbers in drawn:
        assert 0.0 < numbers.min() < 0.01
        assert 0.99 < numbers.max() < 1.0
        assert numbers.mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(np.corrcoef(drawn) - np.eye(len(drawn))).max() < 0.06
