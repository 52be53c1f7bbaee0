"""The four probes: against oracles, and on data whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pairstream.errors import ConfigError
from trainer.probes.few_shot import FewShot, drawn
from trainer.probes.linear import Linear
from trainer.probes.mlp import Mlp
from trainer.probes.nearest import Nearest
from trainer.probes.probe import Labelled, Probe, standardised
from trainer.probes.scoring import scores
from trainer.probes.validation import validation_part
from trainer.recordings import Recordings

SMALL = Mlp(hidden=(32,), rates=(1e-2,), seeds=1)
PROBES: list[Probe] = [Linear(), Linear(c=0.1), Nearest(), FewShot(k=1, draws=3), FewShot(k=5, draws=3), SMALL]


def labelled(vectors: Any, classes: Any, groups: Any = None) -> Labelled:
    classes = np.asarray(classes)
    rows = np.asarray(vectors, dtype=np.float32)
    return Labelled(vectors=rows, classes=classes, groups=np.arange(len(rows)) if groups is None else groups)


def clouds(clips: int, classes: int, apart: float, seed: int = 0) -> Labelled:
    random = np.random.default_rng(seed)
    means = np.random.default_rng(99).standard_normal((classes, 8))
    named = np.arange(clips) % classes
    return labelled(apart * means[named] + random.standard_normal((clips, 8)), named)


def folder(classes: Any, parts: Any, groups: Any = None) -> Recordings:
    classes = np.asarray(classes)
    return Recordings(
        name="some",
        files=tuple(Path(str(number)) for number in range(len(classes))),
        labels=classes.astype(str),
        parts=np.asarray(parts).astype(str),
        fixed_split="test" in np.asarray(parts).astype(str),
        groups=np.arange(len(classes)) if groups is None else np.asarray(groups),
    )


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_what_is_far_apart_is_told_apart(probe: Probe) -> None:
    train, test = clouds(60, 3, 20.0), clouds(30, 3, 20.0, seed=1)
    assert (probe.predict(train, test.vectors, 0) == test.classes).all()


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_probe_does_the_same_for_the_same_repeat(probe: Probe) -> None:
    train, test = clouds(40, 4, 1.0), clouds(40, 4, 1.0, seed=1)
    one, other = (probe.predict(train, test.vectors, 2) for _ in "ab")
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_features_may_be_constant_huge_or_shifted(probe: Probe) -> None:
    train, test = clouds(60, 3, 20.0), clouds(30, 3, 20.0, seed=1)
    scale = np.float32([1e6, 1e-6, 1, 1, 1, 1, 1, 1])
    moved = [np.c_[part.vectors * scale + 5, np.full(len(part), 0.1)] for part in (train, test)]
    named = probe.predict(labelled(moved[0], train.classes), moved[1].astype(np.float32), 0)
    assert (named == test.classes).mean() > 0.95


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_what_can_be_known_only_by_leaking_is_not_known(probe: Probe) -> None:
    """Vectors say which group a clip is of, and nothing else; a group has one label and is in one fold."""
    random = np.random.default_rng(3)
    of_group = np.repeat(np.arange(60), 4)
    classes = np.repeat(random.permutation(np.arange(60) % 2), 4)
    vectors = random.standard_normal((60, 16)).astype(np.float32)[of_group]
    vectors += 0.01 * random.standard_normal(vectors.shape).astype(np.float32)
    apart = scores(probe, folder(classes, of_group % 5, of_group), vectors).mean()
    leaking = scores(probe, folder(classes, np.arange(240) % 4, of_group), vectors).mean()
    assert 0.3 < apart < 0.7
    if probe.name in ("linear", "mlp", "knn"):
        assert leaking > apart + 0.1


def test_every_tested_clip_is_scored_once_and_a_fixed_split_leaves_the_rest_out() -> None:
    data = clouds(30, 3, 20.0)
    assert scores(Nearest(), folder(data.classes, np.arange(30) // 10), data.vectors).shape == (1, 30)
    parts = ["train"] * 20 + ["test"] * 10
    assert scores(FewShot(k=2, draws=4), folder(data.classes, parts), data.vectors).shape == (4, 10)


@pytest.mark.parametrize("k", [1, 4, 9])
def test_the_nearest_are_those_of_a_brute_force(k: int) -> None:
    train, test = clouds(50, 3, 1.0), clouds(20, 3, 1.0, seed=1)
    a, b = standardised(train.vectors, test.vectors)
    named = []
    for vector in b.astype(np.float64):
        cosine = [float(vector @ row / np.linalg.norm(vector) / np.linalg.norm(row)) for row in a.astype(np.float64)]
        votes = train.classes[np.argsort(cosine)[::-1][:k]].tolist()
        named.append(min(set(votes), key=lambda one: (-votes.count(one), one)))
    np.testing.assert_array_equal(Nearest(k=k).predict(train, test.vectors, 0), named)


@pytest.mark.parametrize("k", [1, 3])
def test_few_shots_go_to_the_nearest_mean(k: int) -> None:
    train, test = clouds(40, 4, 1.0), clouds(20, 4, 1.0, seed=1)
    a, b = standardised(train.vectors, test.vectors)
    unit = a / np.linalg.norm(a, axis=1, keepdims=True)
    shown = drawn(train.classes, k, seed=7)
    means = [unit[[i for i in range(40) if shown[i] and train.classes[i] == one]].mean(axis=0) for one in range(4)]
    named = [int(np.argmax([vector @ mean / np.linalg.norm(mean) for mean in means])) for vector in b]
    np.testing.assert_array_equal(FewShot(k=k).predict(train, test.vectors, 7), named)


def test_draws_are_stratified_seeded_and_different() -> None:
    classes = np.array([0] * 10 + [1] * 20 + [2] * 3)
    draws = [drawn(classes, 5, seed) for seed in (0, 0, 1)]
    for chosen in draws:
        assert np.bincount(classes[chosen]).tolist() == [5, 5, 3]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_a_validation_part_is_stratified_and_keeps_groups_whole() -> None:
    classes, groups = np.arange(120) % 4, np.arange(120) // 6
    held = validation_part(classes, np.arange(120), seed=0)
    assert np.bincount(classes[held]).tolist() == [6, 6, 6, 6]
    held = validation_part(classes, groups, seed=0)
    assert 0.15 < held.mean() < 0.35
    assert not set(groups[held]) & set(groups[~held])
    assert (validation_part(classes, groups, seed=1) != held).any()


def test_a_class_of_few_clips_does_not_keep_the_others_from_being_judged() -> None:
    classes = np.repeat([0, 1, 2], [40, 40, 4])
    held = validation_part(classes, np.arange(84) % 4, seed=0)  # four speakers, each with a clip of the rare class
    assert held.any()
    assert np.bincount(classes[held], minlength=3).tolist() == [10, 10, 1]


@pytest.mark.parametrize("classes", [[0, 1], [0, 0, 1, 1], [0, 0, 0, 0, 0, 1]])
def test_a_validation_part_never_takes_the_last_clip_of_a_class(classes: list[int]) -> None:
    held = validation_part(np.array(classes), np.arange(len(classes)), seed=0)
    assert set(np.array(classes)[~held]) == set(classes)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_two_clips_are_enough_to_fit_a_probe(probe: Probe) -> None:
    train = labelled([[0.0, 1.0], [5.0, -1.0]], [0, 1])
    named = probe.predict(train, np.float32([[0.1, 1.0], [4.8, -1.0]]), 0)
    assert set(named) <= {0, 1}


def test_a_penalty_that_is_chosen_does_better_than_one_that_does_not_fit() -> None:
    """One feature of many says it all, faintly: a strong penalty drowns it."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((200, 60)).astype(np.float32)
    classes = (vectors[:, :3].sum(axis=1) > 0).astype(np.int64)
    recordings = folder(classes, np.arange(200) % 4)
    chosen, strong = (scores(Linear(c=c), recordings, vectors).mean() for c in (None, 1e-5))
    assert chosen > strong


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Linear(c=0.0), r"c=0\.0"),
        (lambda: Linear(c=float("nan")), "c=nan"),
        (lambda: Nearest(k=0), "k=0"),
        (lambda: FewShot(k=0), "k=0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()
