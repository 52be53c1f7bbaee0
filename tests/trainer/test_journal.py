"""The journal, also after a process that was killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_training import record

from trainer.journal import Journal, read_journal


def write(path: Path, steps: list[int], upto: int = 0) -> None:
    journal = Journal(path, upto)
    for step in steps:
        journal.record(record(step))
    journal.close()


@pytest.mark.parametrize(("upto", "steps"), [(0, [5]), (2, [1, 2, 5]), (3, [1, 2, 3, 5]), (9, [1, 2, 3, 5])])
def test_a_resumed_run_drops_what_it_will_do_again(tmp_path: Path, upto: int, steps: list[int]) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, [1, 2, 3])
    write(path, [5], upto=upto)
    assert [line["step"] for line in read_journal(path)] == steps


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, [1, 2])
    path.write_text(path.read_text()[:-20])
    assert [line["step"] for line in read_journal(path)] == [1]


def test_a_loss_that_is_no_number_is_null(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    journal = Journal(path)
    journal.record(record(1, loss=float("nan")))
    journal.close()
    assert read_journal(path)[0]["loss"] is None


def test_what_an_objective_names_is_on_the_line_like_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    journal = Journal(path)
    journal.record(record(1, variance=0.5))
    journal.close()
    (line,) = read_journal(path)
    assert (line["variance"], line["uniformity"]) == (0.5, -2.0)
    assert "terms" not in line


def test_no_file_is_no_records(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "metrics.jsonl") == []
