"""Two processes with half of the pairs each have the gradients of one with all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gathered_gradients
import pytest
import torch

from trainer.objectives.gathering import of_all


def test_a_process_alone_has_what_it_has() -> None:
    x = torch.ones(2, 3)
    assert of_all(x) is x


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_gradients_of_every_gathered_objective_are_those_of_one_process(tmp_path: Path) -> None:
    command = [sys.executable, gathered_gradients.__file__]
    ranks = [
        subprocess.Popen([*command, str(rank), "2", str(tmp_path / "meet")], stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    said = [[json.loads(line) for line in rank.communicate(timeout=140)[0].splitlines()] for rank in ranks]
    for lines in said:
        assert {line["name"] for line in lines} == {"alignment-uniformity", "vicreg", "barlow-twins", "nt-xent"}
        for line in lines:
            assert any(abs(value) > 1e-3 for value in line["alone"])
            assert line["together"] == pytest.approx(line["alone"], rel=1e-3, abs=1e-5), line["name"]
