"""Summary: a run in a few numbers, for `summary.json` and for whoever called `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.meter import Spent
from trainer.plan import Plan
from trainer.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class HitRates:
    """hit@1 among `pairs` held-out pairs, of the untrained and of the trained encoder."""

    before: float
    after: float
    pairs: int
    of: str
    """What the pairs are."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run came to. Hit rates and losses are None where they were not measured."""

    run: str
    digest: str
    learned_from: str
    """The stream, recordings or both, in words."""
    finished: bool
    """Whether all steps of the plan are done; false after SIGTERM or SIGINT."""
    steps: int
    pairs: int
    seconds: float
    """Wall time of the training, interruptions left out."""
    pairs_per_second: float
    trainer_wait_fraction: float
    """Share of that time spent waiting for data."""
    loss_first: float | None
    loss_last: float | None
    hit_at_1_before: float | None
    hit_at_1_after: float | None
    chance: float | None
    held_out: int
    held_out_of: str
    """What the held-out pairs are."""
    checkpoint: str


def summarise(
    folder: RunFolder, plan: Plan, spent: Spent, records: Sequence[Mapping[str, Any]], hit: HitRates | None
) -> Summary:
    """Put the parts together."""
    return Summary(
        run=str(folder.path),
        digest=plan.spec.digest,
        learned_from=str(plan.data),
        finished=spent.steps >= plan.recipe.max_steps,
        steps=spent.steps,
        pairs=spent.pairs,
        seconds=spent.seconds,
        pairs_per_second=spent.pairs_per_second,
        trainer_wait_fraction=spent.wait_fraction,
        loss_first=records[0]["loss"] if records else None,
        loss_last=records[-1]["loss"] if records else None,
        hit_at_1_before=hit.before if hit else None,
        hit_at_1_after=hit.after if hit else None,
        chance=1.0 / hit.pairs if hit else None,
        held_out=hit.pairs if hit else 0,
        held_out_of=hit.of if hit else "",
        checkpoint=str(folder.newest_checkpoint() or ""),
    )
