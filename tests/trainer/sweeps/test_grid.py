"""Grids: what a user says, every combination of it, and what the runs are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pairstream.errors import ConfigError
from trainer.sweeps.experiment import plan_experiments
from trainer.sweeps.grid import arguments, combinations, names, read_grids, said_grid

DELTAS: dict[str, Any] = {"preset": "demo", "spec.delta": 0.1}


@pytest.mark.parametrize(
    ("word", "name", "values"),
    [
        ("seed=0,1,2", "seed", [0, 1, 2]),
        ("--spec.delta=0.05,0.1", "spec.delta", [0.05, 0.1]),
        ("max-steps=7", "max_steps", [7]),
        ("spec.delta={pitch: 0.05, rest: 0.25},0.1", "spec.delta", [{"pitch": 0.05, "rest": 0.25}, 0.1]),
        ("objective=nt-xent,vicreg", "objective", ["nt-xent", "vicreg"]),
        ("compile=off,on", "compile", ["off", "on"]),
        ("data.jitter=true,false", "data.jitter", [True, False]),
    ],
)
def test_a_word_is_a_setting_with_values(word: str, name: str, values: list[Any]) -> None:
    assert said_grid([word]) == {name: values}


@pytest.mark.parametrize("word", ["seed", "seed=", "=1", "seed=[1", ""])
def test_a_word_that_is_no_setting_is_quoted(word: str) -> None:
    with pytest.raises(ConfigError, match="write it as spec"):
        said_grid([word])


def test_every_combination_of_every_grid_is_run_once() -> None:
    grids = [{"a": [1, 2], "b": ["x", "y"]}, {"a": [1], "b": ["x", "z"]}]
    assert combinations(grids) == [
        {"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}, {"a": 1, "b": "z"},
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["run", "resume", "stream", "threads"])
def test_what_the_sweep_says_itself_is_not_for_the_grid(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is said by the sweep itself"):
        combinations([{name: [1]}])


@pytest.mark.parametrize("text", ["a: [1, 2]\nb: x\n", '[{"a": [1, 2], "b": "x"}]'])
def test_a_file_holds_grids_as_yaml_or_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "grid").write_text(text)
    assert read_grids(tmp_path / "grid") == [{"a": [1, 2], "b": ["x"]}]


@pytest.mark.parametrize("text", ["", "- 1\n", "a: [", "just words", "{}"])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "grid").write_text(text)
    with pytest.raises(ConfigError, match=r"grid (holds|cannot)"):
        read_grids(tmp_path / "grid")


@pytest.mark.parametrize(
    ("runs", "called"),
    [
        ([{"a": 1}], ["run"]),
        ([{"spec.delta": 0.1, "seed": 0}, {"spec.delta": 0.2, "seed": 0}], ["delta0.1", "delta0.2"]),
        ([{"spec.seed": 0, "seed": 0}, {"spec.seed": 1, "seed": 1}], ["spec.seed0-seed0", "spec.seed1-seed1"]),
        ([{"a": 1}, {"a": 1, "b": "x"}], ["run", "bx"]),
    ],
)
def test_a_run_is_called_by_what_differs(runs: list[dict[str, Any]], called: list[str]) -> None:
    assert names(runs) == called


def test_a_name_is_good_for_a_folder() -> None:
    (name, _) = names([{"spec.delta": {"pitch": 0.1}}, {"spec.delta": 0.1}])
    assert name.isalnum()


def test_values_become_the_flags_of_fit() -> None:
    run = {
        "spec.delta": {"pitch": 0.1, "rest": 0.2},
        "seed": 3,
        "preset": "demo",
        "any_arithmetic": True,
        "data.jitter": False,
    }
    flags = ['--spec.delta={"pitch": 0.1, "rest": 0.2}', "--seed=3", "--preset=demo", "--any_arithmetic"]
    assert arguments(run) == [*flags, "--data.jitter=false"]
    assert arguments({"any_arithmetic": False, "data.jitter": True, "compile": "on"}) == [
        "--data.jitter=true", "--compile=on",
    ]  # fmt: skip


def test_what_the_grid_says_is_what_the_run_does(tmp_path: Path) -> None:
    runs = combinations([said_grid(["data.jitter=true,false", "data.recordings=clips", "compile=on"])])
    planned = plan_experiments(runs, tmp_path, ["local://"])
    assert [one.plan.data.jitter for one in planned] == [True, False]


def test_a_setting_that_is_said_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="says seed a second time"):
        said_grid(["seed=0", "--seed=1"])


@pytest.mark.slow
def test_runs_of_one_spec_follow_each_other_on_one_stream(tmp_path: Path) -> None:
    runs = [{"preset": "demo", "seed": seed, "spec.delta": delta} for seed in (0, 1) for delta in (0.1, 0.2, 0.3)]
    found = plan_experiments(runs, tmp_path, ["zmq://one:1", "zmq://two:2"])
    assert [one.plan.spec.delta for one in found] == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3]
    assert [one.stream[6:9] for one in found] == ["one", "one", "two", "two", "one", "one"]


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([{"preset": "huge"}], "the run --preset=huge of the grid cannot be"),
        ([DELTAS | {"lr": -1.0}], r"lr=-1\.0"),
        ([DELTAS, DELTAS | {"seed": 0}], "two runs of the grid are the same"),
    ],
)
def test_a_run_that_cannot_be_is_told_before_any_begins(tmp_path: Path, runs: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan_experiments(runs, tmp_path, ["local://"])


def test_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(ConfigError, match="holds something else"):
        plan_experiments([{"preset": "demo"}], tmp_path, ["local://"])


def test_a_folder_of_something_else_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigError, match="holds something else"):
        plan_experiments([DELTAS], tmp_path, ["local://"])
