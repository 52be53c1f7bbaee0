"""Regression of theta beside an objective."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pairstream.errors import ConfigError
from trainer.objectives.objective import Objective, Views
from trainer.objectives.theta import WithTheta, theta_error


class Seven(Objective):
    """A loss of 7, which notes after which steps it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[float] = []

    def forward(self, views: Views) -> dict[str, Tensor]:
        return {"loss": torch.tensor(7.0), "luck": torch.tensor(1.0)}

    def after_step(self, encoder: nn.Module, done: float) -> None:
        self.told.append(done)


def rows(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_error_is_the_mean_square_over_views_and_parameters() -> None:
    theta, guessed = rows(0, 3, 2, 4), rows(1, 6, 4)
    squares = [
        (float(guessed[3 * view + pair, at]) - float(theta[pair, view, at])) ** 2
        for pair in range(3)
        for view in range(2)
        for at in range(4)
    ]
    assert float(theta_error(guessed, theta)) == pytest.approx(sum(squares) / 24, abs=1e-6)


def test_the_head_reads_each_view_s_own_theta_and_its_error_is_weighted() -> None:
    objective = WithTheta(Seven(), inputs=4, parameters=4, weight=0.25)
    with torch.no_grad():
        objective.head.weight.copy_(torch.eye(4))
        objective.head.bias.fill_(0.0)
    theta = rows(0, 3, 2, 4)
    views = Views(torch.zeros(3), torch.zeros(3), theta[:, 0], theta[:, 1] + 1.0, theta)  # right of a, 1 off of b
    terms = objective(views)
    assert float(terms["theta_error"]) == pytest.approx(0.5, abs=1e-6)
    assert float(terms["loss"].detach()) == pytest.approx(7.0 + 0.25 * 0.5, abs=1e-6)
    assert float(terms["luck"]) == 1.0


def test_the_gradient_reaches_head_and_encoder() -> None:
    objective = WithTheta(Seven(), inputs=4, parameters=3, weight=1.0)
    x, y = rows(0, 5, 4).requires_grad_(), rows(1, 5, 4).requires_grad_()
    objective(Views(x, y, x, y, rows(2, 5, 2, 3)))["loss"].backward()
    assert all(value.grad is not None and bool(value.grad.any()) for value in (x, y, objective.head.weight))


def test_the_objective_beside_it_is_told_of_steps() -> None:
    seven = Seven()
    WithTheta(seven, inputs=4, parameters=1, weight=1.0).after_step(nn.Identity(), 0.5)
    assert seven.told == [0.5]


def test_a_stream_without_theta_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"theta_weight=0\.5, but this stream carries no theta"):
        WithTheta(Seven(), inputs=4, parameters=0, weight=0.5)
