"""theta -> both views: the law of the paper, its published figures, and one delta per group."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from pairstream.spec import StreamSpec
from synth_server.patches import load_patch
from synth_server.perturb import FLOOR, perturb
from synth_server.sampling import sample

VOICE = load_patch("voice")
GOLDEN = "10ea3d7d49adf2627905d59ac3c7add90a37c7547029343a3e200ca33ab2535e"


def views_of(spec: StreamSpec, index: int = 0) -> np.ndarray:
    return perturb(spec, VOICE, index, sample(spec, VOICE, index))


def test_views_have_the_same_bits_everywhere() -> None:
    views = views_of(StreamSpec(seed=42), 4711)
    assert hashlib.sha256(views.tobytes()).hexdigest() == GOLDEN


def test_views_are_float32_between_the_floor_and_one() -> None:
    views = views_of(StreamSpec(delta=0.5))
    assert (views.shape, views.dtype, views.flags.c_contiguous) == ((128, 2, 78), np.float32, True)
    assert views.min() == np.float32(FLOOR)
    assert views.max() == 1.0


def test_without_delta_both_views_are_theta() -> None:
    spec = StreamSpec(delta=0.0)
    theta = np.maximum(sample(spec, VOICE, 3), np.float32(FLOOR))
    assert np.array_equal(views_of(spec, 3), np.stack([theta, theta], axis=1))


def test_deviations_are_normal_independent_and_as_large_as_delta() -> None:
    spec = StreamSpec(delta=0.01, block_pairs=4000)
    views = perturb(spec, VOICE, 0, np.full((4000, 78), 0.5, np.float32))
    deviations = (views.astype(np.float64) - 0.5) / 0.01
    assert deviations.mean() == pytest.approx(0.0, abs=0.006)
    assert deviations.std() == pytest.approx(1.0, abs=0.005)
    assert (deviations**4).mean() == pytest.approx(3.0, abs=0.05)
    between = np.corrcoef(deviations[:, 0].ravel(), deviations[:, 1].ravel())[0, 1]
    assert abs(between) < 0.01
    assert np.abs(np.corrcoef(deviations[:, 0].T) - np.eye(78)).max() < 0.08


def test_the_same_pair_at_two_deltas_moves_the_same_way() -> None:
    theta = np.full((128, 78), 0.5, np.float32)
    small, large = (perturb(StreamSpec(delta=delta), VOICE, 2, theta) - 0.5 for delta in (0.01, 0.02))
    assert np.allclose(2 * small, large, atol=1e-6)


def test_each_group_has_its_own_delta() -> None:
    spec = StreamSpec(delta={"pitch": 0.0, "mix": 0.3, "rest": 0.01}, block_pairs=500)
    moved = np.abs(perturb(spec, VOICE, 0, np.full((500, 78), 0.5, np.float32)) - 0.5).mean(axis=(0, 1))
    for column, parameter in enumerate(VOICE.parameters):
        mean = spec.delta_of(parameter.group) * np.sqrt(2 / np.pi)
        assert moved[column] == pytest.approx(mean, rel=0.15)


def test_a_pair_is_the_same_in_blocks_of_any_size() -> None:
    large, small = StreamSpec(block_pairs=60), StreamSpec(block_pairs=20)
    assert np.array_equal(views_of(large, 1), np.concatenate([views_of(small, index) for index in (3, 4, 5)]))


@pytest.mark.parametrize(
    ("delta", "apart", "clipped"),
    [
        (0.01, (1.4, 0.03, 0.5), (0.002, 0.007)),
        (0.05, (6.9, 0.14, 2.3), (0.012, 0.033)),
        (0.10, (13.3, 0.27, 4.0), (0.023, 0.063)),
        (0.25, (29.3, 0.56, 7.1), (0.066, 0.142)),
        (0.50, (46.0, 0.80, 8.9), (0.15, 0.24)),
    ],
)
def test_the_views_differ_as_much_as_in_synthax(
    delta: float, apart: tuple[float, float, float], clipped: tuple[float, float]
) -> None:
    views = views_of(StreamSpec(delta=delta, block_pairs=4000))
    human = VOICE.scale.to_human(views)
    for label, mean in zip(("keyboard.midi_f0", "adsr_1.attack", "lfo_1.frequency"), apart, strict=True):
        between = np.abs(human[:, 0] - human[:, 1])[:, VOICE.columns[label]]
        assert between.mean() == pytest.approx(mean, rel=0.07)
    # SynthAX' noise level has no curve, so it is clipped less often: one parameter in 78.
    assert (views == np.float32(FLOOR)).mean() == pytest.approx(clipped[0], abs=0.01)
    assert (views == 1.0).mean() == pytest.approx(clipped[1], abs=0.012)
