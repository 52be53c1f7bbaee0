"""Figures: which are drawn of what, and that what is in them is what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from trainer.config import FitSettings
from trainer.figures.alignment import draw_alignment
from trainer.figures.draw import draw
from trainer.figures.map import project
from trainer.figures.series import series_along
from trainer.plan import Plan, new_plan
from trainer.probes.cache import Cache
from trainer.probes.linear import Linear
from trainer.probes.measure import Embedded, Scored
from trainer.probes.report import report_of
from trainer.probes.subjects import UNTRAINED, Subject, log_mel_subject
from trainer.recordings import Recordings

PLAN = new_plan(FitSettings(run="run", preset="demo"))  # type: ignore[arg-type]
CLIPS, CLASSES = 120, 12


def recordings(name: str) -> Recordings:
    return Recordings(
        name=name,
        files=tuple(Path(str(number)) for number in range(CLIPS)),
        labels=np.array([f"class {number % CLASSES}" for number in range(CLIPS)]),
        parts=np.array([str(number // 40) for number in range(CLIPS)]),
        fixed_split=False,
        groups=np.arange(CLIPS),
    )


def subject(source: str, plan: Plan, step: int | None) -> Subject:
    identity, trained = f"{source}{step}", source != UNTRAINED
    said = {"structure": "one", "plan": plan, "seed": plan.seed, "step": step}
    return Subject(source=source, identity=identity, trained=trained, **said)  # type: ignore[arg-type]


def subjects(deltas: tuple[float, ...], seeds: int, steps: tuple[int, ...]) -> list[Subject]:
    found = [log_mel_subject(), subject(UNTRAINED, PLAN, None)]
    for delta in deltas:
        for seed in range(seeds):
            plan = replace(PLAN, seed=seed, spec=replace(PLAN.spec, delta=delta))
            found += [subject(f"runs/{delta}-{seed}", plan, step) for step in steps]
    return found


def measured(cache: Cache, of: list[Subject], names: tuple[str, ...]) -> list[Scored]:
    """Accuracies by chance; embeddings in which the class is to be seen."""
    random = np.random.default_rng(0)
    scored = []
    for data in map(recordings, names):
        for one in of:
            for layer in ("pooled", "final") if one.plan else ("",):
                embedded = Embedded(recordings=data, subject=one, layer=layer, name=f"{data.name}{one.identity}{layer}")
                vectors = random.standard_normal((CLIPS, 8)) + 2 * np.arange(CLIPS)[:, None] % CLASSES
                cache.put(embedded.name, vectors.astype(np.float32))
                right = random.random((1, CLIPS)) < 0.3 + 0.1 * random.random()
                scored.append(Scored(embedded=embedded, probe=Linear(), right=right))
    return scored


@pytest.mark.slow
def test_there_is_a_figure_for_whatever_was_varied(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    scored = measured(cache, subjects((0.05, 0.25), 2, (100, 200)), ("birds", "bells"))
    paths = list(draw(report_of(scored), scored, cache, "pca", tmp_path))
    names = ["accuracy-linear", "delta-linear", "map-bells-pca", "map-birds-pca", "steps-linear"]
    assert sorted(path.stem for path in paths) == names
    for path in paths:
        height, width, _ = imread(path).shape
        assert 300 < height < 3_000
        assert 300 < width < 3_000


def test_what_was_not_varied_has_no_figure(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    scored = measured(cache, subjects((0.05,), 1, (100,)), ("birds",))
    paths = draw(report_of(scored), scored, cache, "pca", tmp_path)
    assert sorted(path.stem for path in paths) == ["accuracy-linear", "map-birds-pca"]


def test_a_series_is_the_mean_over_seeds_at_each_value(tmp_path: Path) -> None:
    scored = measured(Cache(tmp_path), subjects((0.25, 0.05), 2, (100,)), ("birds",))
    report = report_of(scored)
    found = series_along("spec.delta", report, scored)
    assert [(one.data, one.layer, one.xs) for one in found] == [
        ("birds", layer, (0.05, 0.25)) for layer in ("pooled", "final")
    ]
    for one in found:
        for x, estimate in zip(one.xs, one.estimates, strict=True):
            assert estimate == report.cell("linear", f"delta={x:g}, {one.layer}", "birds")


def test_alignment_and_uniformity_come_from_the_journals(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    lines = [f'{{"step": {step}, "alignment": {1 / step}, "uniformity": {-step / 10}}}' for step in range(1, 30)]
    (run / "metrics.jsonl").write_text("\n".join(['{"step": 0}', *lines]) + "\n")
    assert (
        draw_alignment([("mine", run), ("none", tmp_path / "none")], tmp_path) == tmp_path / "alignment-uniformity.png"
    )
    assert draw_alignment([("none", tmp_path / "none")], tmp_path) is None


def test_a_principal_component_is_where_the_variance_is() -> None:
    random = np.random.default_rng(0)
    line = random.standard_normal((50, 1))
    vectors = (line @ np.ones((1, 6)) + 0.01 * random.standard_normal((50, 6))).astype(np.float32)
    points, says = project(vectors, "pca")
    assert abs(np.corrcoef(points[:, 0], line[:, 0])[0, 1]) > 0.999
    assert says[0] == "component 1 (100% of variance)"


@pytest.mark.slow
def test_neighbours_stay_neighbours_under_t_sne() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 25)
    vectors = (10 * np.eye(4)[groups] + random.standard_normal((100, 4))).astype(np.float32)
    points, says = project(vectors, "tsne")
    distances = np.linalg.norm(points[:, None] - points, axis=2) + 1e9 * np.eye(100)
    assert (groups[distances.argmin(axis=1)] == groups).mean() > 0.95
    assert says == ("t-SNE 1", "t-SNE 2")
