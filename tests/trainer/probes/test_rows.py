"""Which runs are one row, and what the rows are called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pairstream.errors import ConfigError
from trainer.config import FitSettings
from trainer.material import Material
from trainer.plan import Plan, new_plan
from trainer.probes.grouping import names_of
from trainer.probes.rows import refuse_twins, rows_of
from trainer.probes.subjects import UNTRAINED, Subject, log_mel_subject

PLAN = new_plan(FitSettings(run="run", preset="demo"))  # type: ignore[arg-type]


def of(plan: Plan, step: int | None = 200, label: str = "") -> Subject:
    said = {"label": label, "plan": plan, "seed": plan.seed, "step": step}
    return Subject(source="runs/some", identity=str(plan), structure="x", trained=True, **said)  # type: ignore[arg-type]


def with_delta(delta: float, seed: int = 0, stream_seed: int = 0) -> Plan:
    return replace(PLAN, spec=replace(PLAN.spec, delta=delta, seed=stream_seed), seed=seed)


def test_seeds_share_a_row_and_other_settings_do_not() -> None:
    subjects = [of(with_delta(0.1, seed)) for seed in (0, 1)] + [of(with_delta(0.1, 2, 7)), of(with_delta(0.5))]
    assert rows_of(subjects) == ["delta=0.1"] * 3 + ["delta=0.5"]


def test_an_only_experiment_needs_no_settings_to_be_told_from_others() -> None:
    assert rows_of([log_mel_subject(), of(PLAN), of(replace(PLAN, seed=3))]) == ["log-mel", "trained", "trained"]


def test_steps_are_rows_of_their_own() -> None:
    assert rows_of([of(PLAN, 50), of(PLAN, 200)]) == ["step=50", "step=200"]


def test_what_the_user_calls_it_comes_first() -> None:
    subjects = [of(PLAN, label="mine"), of(with_delta(0.5), label="mine"), of(with_delta(0.5), label="theirs")]
    assert rows_of(subjects) == ["mine delta=0.05", "mine delta=0.5", "theirs delta=0.5"]


def test_a_run_in_a_folder_called_untrained_is_no_baseline() -> None:
    subjects = [replace(of(PLAN), source=UNTRAINED), replace(of(PLAN, None), source=UNTRAINED, trained=False)]
    assert rows_of(subjects) == ["trained", "untrained"]


@pytest.mark.parametrize("other", [of(PLAN), replace(of(with_delta(0.05, seed=3)), identity=str(PLAN))])
def test_two_of_one_seed_or_of_the_same_weights_are_refused(other: Subject) -> None:
    with pytest.raises(ConfigError, match="are one training"):
        refuse_twins([of(PLAN), other])
    refuse_twins(
        [of(PLAN), of(with_delta(0.05, seed=1)), of(PLAN, step=50), of(PLAN, label="mine"), of(with_delta(0.5))]
    )


def test_untrained_encoders_are_told_apart_by_what_they_are_made_of() -> None:
    wide = replace(PLAN, recipe=replace(PLAN.recipe, width=32))
    subjects = [
        replace(of(plan, None), source=UNTRAINED, trained=False, structure=str(plan.recipe.width))
        for plan in (PLAN, replace(PLAN, seed=1), wide)
    ]
    assert rows_of(subjects) == ["untrained width=16", "untrained width=16", "untrained width=32"]
    assert rows_of(subjects[:2]) == ["untrained", "untrained"]


def test_of_recordings_alone_nothing_is_said_of_a_stream() -> None:
    real = replace(PLAN, data=Material(recordings="folder"))
    mixed = replace(with_delta(0.1), data=Material(recordings="folder", real=0.5))
    subjects = [of(PLAN), of(with_delta(0.1)), of(mixed), of(real), of(replace(real, spec=with_delta(0.5).spec))]
    assert rows_of(subjects) == ["delta=0.05", "delta=0.1", "real=0.5 delta=0.1", "real=1", "real=1"]


@pytest.mark.parametrize(
    ("experiments", "names"),
    [
        ([{"a": 1}], [""]),
        ([{"a": 1, "b": 1}, {"a": 2, "b": 2}], ["a=1", "a=2"]),
        ([{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}], ["a=1 b=1", "a=2 b=1", "a=2 b=2"]),
        ([{"lr": 0.1, "spec.delta": 0.1}, {"lr": 0.2, "spec.delta": 0.5}], ["delta=0.1", "delta=0.5"]),
        ([{"x": None}, {"x": 3}], ["", "x=3"]),
    ],
)
def test_names_are_no_longer_than_needed(experiments: list[dict[str, object]], names: list[str]) -> None:
    assert names_of(experiments) == names  # type: ignore[arg-type]
