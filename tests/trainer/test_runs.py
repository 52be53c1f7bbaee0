"""The README of a run folder, and the table of runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_training import but

from pairstream.errors import CheckpointError, ConfigError
from trainer import cli
from trainer.config import FitSettings
from trainer.fit import fit
from trainer.run_folder import RunFolder
from trainer.runs import find_runs

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def test_the_readme_has_every_field_and_no_number_of_its_own(tiny: FitSettings) -> None:
    summary = fit(tiny)
    text = (tiny.run / "README.md").read_text()
    plan = RunFolder(tiny.run).stored_plan().as_dict()
    for name, value in {**plan["spec"], **plan["data"], **plan["recipe"]}.items():
        if value is not None:
            assert f"| {name} | " in text
    assert f"| loss_last | {summary.loss_last:,.4g} |" in text
    assert "hit_at_1" not in text


def test_runs_are_listed_with_what_they_came_to(tiny: FitSettings, tmp_path: Path) -> None:
    summary = fit(but(tiny, held_out=8))
    fit(but(tiny, run=tmp_path / "under" / "other", seed=3))
    (first, second), _ = find_runs(tmp_path)
    assert (first.folder, second.folder) == (tiny.run, tmp_path / "under" / "other")
    assert (first.steps, first.ended, first.hit_at_1) == (6, True, summary.hit_at_1_after)
    assert (second.plan.seed, second.hit_at_1) == (3, None)


def test_a_run_that_was_killed_is_listed_without_an_end(tiny: FitSettings) -> None:
    fit(tiny)
    RunFolder(tiny.run).summary.unlink()
    (run,), _ = find_runs(tiny.run)
    assert not run.ended
    assert run.steps == 6


def test_other_folders_with_a_config_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model": "another"}))
    assert find_runs(tmp_path) == ([], [])


def test_what_cannot_be_listed_is_said(tiny: FitSettings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        find_runs(tmp_path / "none")


def test_a_run_that_cannot_be_read_hides_no_other(
    tiny: FitSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tiny)
    other = tmp_path / "other"
    shutil.copytree(tiny.run, other)
    (other / "config.json").write_text("{")
    (run,), _ = find_runs(tmp_path)
    assert run.folder == tiny.run
    assert cli.main(["runs", str(tmp_path)]) == CheckpointError.exit_code
    assert "config.json cannot be read" in capsys.readouterr().err


def test_the_command_shows_a_row_per_run(
    tiny: FitSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    fit(tiny)
    capsys.readouterr()
    assert cli.main(["runs", str(tmp_path)]) == 0
    assert f"{tiny.run}" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert cli.main(["runs", str(tmp_path / "empty")]) == 0
    assert "there is no run" in capsys.readouterr().out
