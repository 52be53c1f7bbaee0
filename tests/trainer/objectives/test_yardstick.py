"""Alignment and uniformity are told of every objective."""

from __future__ import annotations

import pytest
import torch

from trainer.objectives.alignment_uniformity import alignment_uniformity
from trainer.objectives.yardstick import scalars_of

X, Y = (torch.randn(6, 4, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))


def test_an_objective_without_them_is_measured_by_them() -> None:
    found = scalars_of({"loss": torch.tensor(3.0), "variance": torch.tensor(2.0), "embeddings": (X, Y)})
    terms = alignment_uniformity(X, Y)
    assert found.keys() == {"loss", "variance", "alignment", "uniformity"}
    assert (found["loss"], found["variance"]) == (3.0, 2.0)
    assert found["alignment"] == pytest.approx(float(terms.alignment))
    assert found["uniformity"] == pytest.approx(float(terms.uniformity))


def test_an_objective_that_names_them_is_believed() -> None:
    own = {"loss": torch.tensor(0.0), "alignment": torch.tensor(1.0), "uniformity": torch.tensor(-1.0)}
    assert scalars_of({**own, "embeddings": (X, Y)}) == {"loss": 0.0, "alignment": 1.0, "uniformity": -1.0}
