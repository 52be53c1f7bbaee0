"""Alignment and uniformity are told of every objective."""

from __future__ import annotations

import pytest
import torch

from trainer.objectives.alignment_uniformity import alignment_uniformity
from trainer.objectives.joint_embedding import JointEmbedding
from trainer.objectives.objective import Views
from trainer.objectives.projector import projector
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


@pytest.mark.parametrize("sizes", [(), (8, 3)])
def test_behind_a_projector_they_are_of_the_encoder_all_the_same(sizes: tuple[int, ...]) -> None:
    objective = JointEmbedding(alignment_uniformity, projector(4, sizes))
    found = scalars_of(objective(Views(a=X, b=Y, x=X, y=Y, theta=torch.empty(6, 2, 0))) | {"embeddings": (X, Y)})
    assert found["alignment"] == pytest.approx(float(alignment_uniformity(X, Y).alignment))
    assert found["uniformity"] == pytest.approx(float(alignment_uniformity(X, Y).uniformity))
    assert ("projected_alignment" in found) == bool(sizes)
