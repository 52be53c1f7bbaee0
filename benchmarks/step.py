"""Optimiser steps per second: a loop written by hand in plain PyTorch, and `trainer fit` fed by a worker, in turns.

python -m benchmarks.step                      on a CPU, of two cores at least
python -m benchmarks.step --device cuda --batch_pairs 768 --precision bf16-mixed --dtype float16 --turns 8

Both train the same ResNet-18 by the same loss. The loop by hand has its batches on the device before it begins, and
does nothing beside: no stream, cursor, schedule, journal or metrics. `trainer fit` has all that, with a record of every
step, and its blocks come from a worker process on other cores. The two take turns in one process, on a CPU after every
step: what else runs on a machine may change its pace by half within seconds. A step of fit is what lies between two
moves of its optimiser; it is compared with the turns by hand before and after it.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch
from rich.console import Console
from rich.table import Table
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from pairstream import connect, console
from pairstream.errors import ConfigError
from tests.toys.worker_process import WorkerProcess
from trainer.compiling import compile_encoder
from trainer.config import Compile, FitSettings, SpecChoice
from trainer.fit import fit
from trainer.journal import read_journal
from trainer.model import untrained_model
from trainer.objectives.alignment_uniformity import alignment_uniformity
from trainer.plan import new_plan

#: Turns before the clock starts, in which memory is taken and code is tuned.
WARM: Final = 5
#: Steps of a turn, and steps of fit before its clock starts in each. A card computes ahead of its processor, and blocks
#: are received ahead of the card: so there a turn is longer, and begins when those that came meanwhile are used.
TURN: Final = {"cpu": 1, "cuda": 50}
LEAD: Final = {"cpu": 0, "cuda": 10}
#: Batches that the loop by hand takes in turns.
PRELOADED: Final = 4
LEAST_RATIO, MOST_WAITING = 0.97, 0.01


@dataclass(frozen=True, kw_only=True)
class StepSettings:
    """Compare the steps per second of a loop by hand with those of trainer fit."""

    device: Literal["cpu", "cuda"] = "cpu"
    """Where both train: cpu or cuda."""
    batch_pairs: int = 64
    """Pairs of a step, and of a block."""
    width: int = 64
    """Channels of the ResNet-18's first layer."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """32-true or bf16-mixed."""
    compile: Compile = "off"
    """Whether both train a compiled encoder: off, on or reduce-overhead."""
    dtype: Literal["float32", "float16"] = "float32"
    """Of the samples that the worker sends."""
    turns: int = 80
    """Turns of each; one step on a CPU, fifty on a card."""
    trainer_cores: int = 0
    """Cores for training, the others are the worker's; 0: one on a CPU, four beside a card."""

    def __post_init__(self) -> None:
        if self.turns < 2:
            raise ConfigError(f"turns={self.turns}: quartiles are of several; use at least 2")


class ByHand:
    """The loop as one would write it, on batches that are there already."""

    def __init__(self, settings: FitSettings, device: str) -> None:
        plan = new_plan(settings)
        with connect(settings.stream, plan.spec, experiment="by-hand") as client:
            audio = [torch.from_numpy(client.fetch(index).audio.copy()).to(device) for index in range(PRELOADED)]
        self._batches = [(batch[:, 0], batch[:, 1]) for batch in audio]
        self._device = device
        self._mixed = plan.recipe.precision == "bf16-mixed"
        self._model = untrained_model(plan.recipe, plan.seed).to(device).train()
        compile_encoder(self._model.encoder, settings.compile)
        self.optimiser = torch.optim.SGD(self._model.parameters(), lr=plan.recipe.lr, weight_decay=1e-6)

    def train(self, steps: int) -> None:
        """So many steps; when it returns, the device has done all of them."""
        for step in range(steps):
            torch.compiler.cudagraph_mark_step_begin()
            a, b = self._batches[step % PRELOADED]
            with torch.autocast(self._device, torch.bfloat16) if self._mixed else nullcontext():
                loss = alignment_uniformity(self._model(a), self._model(b)).loss
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
        loss.item()


class Turns:
    """A hook behind every move of an optimiser: lets the loop by hand have its turn when fit has had one.

    Attributes:
        of_fit, by_hand: seconds of each turn; one more by hand than of fit, before the first.
    """

    def __init__(self, by_hand: ByHand, device: str) -> None:
        self.of_fit: list[float] = []
        self.by_hand: list[float] = []
        self._loop = by_hand
        self._device = device
        self._steps = TURN[device]  # the first call is the end of a turn that was not timed
        self._began = 0.0

    def __call__(self, optimiser: Optimizer, args: Any, kwargs: Any) -> None:
        if optimiser is self._loop.optimiser:
            return
        if self._steps == TURN[self._device]:
            if self._began:
                self.of_fit.append(self._now() - self._began)
            self._steps = -LEAD[self._device]
            self._take_turn()
        if self._steps == 0:
            self._began = self._now()
        self._steps += 1

    def _take_turn(self) -> None:
        began = self._now()
        self._loop.train(TURN[self._device])
        self.by_hand.append(self._now() - began)

    def _now(self) -> float:
        if self._device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def race(settings: StepSettings, url: str, folder: Path, threads: int) -> tuple[Turns, float]:
    """The turns of both, and the seconds that fit waited for data from the first timed one on."""
    steps_of_turn = LEAD[settings.device] + TURN[settings.device]
    steps = 1 + (WARM + settings.turns) * steps_of_turn
    told = FitSettings(
        run=folder / "run", stream=url, preset="paper", max_steps=steps, width=settings.width,
        precision=settings.precision, spec=SpecChoice(block_pairs=settings.batch_pairs, dtype=settings.dtype),
        threads=threads, held_out=0, log_every=1, checkpoint_every=steps, quiet=True, compile=settings.compile,
        accelerator="cpu" if settings.device == "cpu" else "gpu",
    )  # fmt: skip
    torch.set_num_threads(threads)
    by_hand = ByHand(told, settings.device)
    turns = Turns(by_hand, settings.device)
    hook = register_optimizer_step_post_hook(turns)
    try:
        fit(told)
    finally:
        hook.remove()
    waited = {record["step"]: record["waited"] for record in read_journal(told.run / "metrics.jsonl")}
    return turns, waited[steps] - waited[1 + WARM * steps_of_turn]


def report(settings: StepSettings, turns: Turns, waited: float) -> int:
    """Print the medians; 1 if fit is slower, or waits longer, than it should."""
    of_fit = turns.of_fit[WARM:]
    before, after = turns.by_hand[WARM:-1], turns.by_hand[WARM + 1 :]
    ratios = [(a + b) / 2 / own for own, a, b in zip(of_fit, before, after, strict=True)]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    waiting = waited / sum(of_fit)
    table = Table("", "steps/s", "pairs/s", title=" ".join(f"{name}={value}" for name, value in vars(settings).items()))
    for name, seconds in (("by hand", before), ("trainer fit", of_fit)):
        speed = TURN[settings.device] / statistics.median(seconds)
        table.add_row(name, f"{speed:.3f}", f"{speed * settings.batch_pairs:,.1f}")
    Console().print(table)
    print(
        f"fit / by hand, median of {len(ratios)} turns: {ratio:.3f} (at least {LEAST_RATIO}), "
        f"quartiles {low:.3f} and {high:.3f}"
    )
    print(f"time that fit waits for data: {waiting:.2%} (at most {MOST_WAITING:.0%})")
    return int(ratio < LEAST_RATIO or waiting > MOST_WAITING)


def run(settings: StepSettings) -> int:
    """Start a worker, measure and report."""
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    cores = sorted(os.sched_getaffinity(0))
    ours = settings.trainer_cores or (1 if settings.device == "cpu" else 4)
    if len(cores) <= ours:
        raise ConfigError(f"{len(cores)} cores are too few for a trainer on {ours} and a worker on others")
    os.sched_setaffinity(0, cores[ours:])  # a process takes over its parent's
    with WorkerProcess() as worker, tempfile.TemporaryDirectory() as folder:
        os.sched_setaffinity(0, cores[:ours])
        print(f"trainer on {ours} of {len(cores)} cores, worker on the others", flush=True)
        return report(settings, *race(settings, worker.url, Path(folder), ours))


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, with settings as flags."""
    command = console.Command(name="run", settings=StepSettings, run="benchmarks.step:run")
    return console.main("step", "Steps per second, by hand and by fit.", [command], ["run", *(argv or sys.argv[1:])])


if __name__ == "__main__":
    sys.exit(main())
