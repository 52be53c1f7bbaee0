"""JointEmbedding: an objective that is a formula of two views' embeddings, with a projector before it or none.

The formulas are in the files beside this one: `alignment_uniformity`, `nt_xent`, `vicreg`, `barlow_twins`. They own no
parameters and gather nothing; here they are given the pairs of all processes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor, nn

from trainer.objectives.gathering import of_all
from trainer.objectives.objective import Objective, Views
from trainer.objectives.yardstick import YARDSTICK


class Terms(Protocol):
    """A NamedTuple of scalars, one of which is `loss`."""

    @property
    def loss(self) -> Tensor:
        """What is minimised."""

    def _asdict(self) -> dict[str, Tensor]: ...


class JointEmbedding(Objective):
    """`formula` of the projected embeddings (N, D) of both views."""

    def __init__(self, formula: Callable[[Tensor, Tensor], Terms], projector: nn.Sequential) -> None:
        super().__init__()
        self.projector = projector
        self._formula = formula

    def forward(self, views: Views) -> dict[str, Tensor]:
        """The formula's terms. The projector sees one view after the other, as the encoder does.

        Alignment and uniformity are names of what the encoder says (`yardstick`): behind a projector they are called
        otherwise.
        """
        x, y = (of_all(self.projector(view)) for view in (views.x, views.y))
        terms = self._formula(x, y)._asdict()
        if not len(self.projector):
            return terms
        return {f"projected_{name}" if name in YARDSTICK else name: value for name, value in terms.items()}
