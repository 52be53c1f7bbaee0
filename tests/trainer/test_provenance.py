"""Provenance: versions, git, machine; and that a run's sessions are written down."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from tiny_training import but

from pairstream.errors import RenderError
from trainer.config import FitSettings
from trainer.fit import fit
from trainer.plan import new_plan
from trainer.provenance import git_state, machine, provenance, versions
from trainer.run_folder import RunFolder
from trainer.sessions import session

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one committed file, code.py."""
    (tmp_path / "code.py").write_text("first\n")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "code.py"], [*author, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True, timeout=30)
    return tmp_path


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    state = git_state(repository / "code.py")
    assert state is not None
    assert len(state["commit"]) == 40
    assert not state["dirty"]


def test_a_changed_file_makes_it_dirty(repository: Path) -> None:
    (repository / "code.py").write_text("second\n")
    state = git_state(repository / "code.py")
    assert state is not None
    assert state["dirty"]


def test_code_that_only_lies_in_a_repository_is_not_of_it(repository: Path) -> None:
    (repository / "installed.py").write_text("of a package\n")
    assert git_state(repository / "installed.py") is None


def test_outside_a_repository_or_without_git_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code.py").touch()
    assert git_state(tmp_path / "code.py") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(Path(__file__)) is None
    assert "git" not in provenance()


def test_versions_and_machine_are_those_of_this_process() -> None:
    assert versions()["torch"] == torch.__version__
    assert machine()["threads"] == torch.get_num_threads()
    assert machine()["cores"] >= 1


def test_a_session_has_a_beginning_an_end_and_an_outcome(tiny: FitSettings) -> None:
    folder = RunFolder(tiny.run)
    folder.create(new_plan(tiny), tiny)
    times = iter([START, START + timedelta(minutes=1)])
    with session(folder, lambda: next(times)):
        assert "ended" not in folder.stored()["sessions"][0]
    (entry,) = folder.stored()["sessions"]
    assert (entry["started"], entry["ended"]) == ("2026-01-02T03:04:05+00:00", "2026-01-02T03:05:05+00:00")
    assert entry["outcome"] == "done"


def test_a_session_that_failed_says_why(tiny: FitSettings) -> None:
    folder = RunFolder(tiny.run)
    folder.create(new_plan(tiny), tiny)
    with pytest.raises(RenderError), session(folder):
        raise RenderError("the toy broke")
    assert folder.stored()["sessions"][0]["outcome"] == "RenderError: the toy broke"


def test_a_resumed_run_has_two_sessions(tiny: FitSettings) -> None:
    fit(tiny)
    fit(but(tiny, resume=True))
    sessions = RunFolder(tiny.run).stored()["sessions"]
    assert [entry["outcome"] for entry in sessions] == ["done", "done"]
    assert (tiny.run / "README.md").read_text().count("| done |") == 2
