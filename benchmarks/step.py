"""Optimiser steps per second: a loop written by hand in plain PyTorch, and `trainer fit` fed by a worker, in turns.

python -m benchmarks.step                      on a CPU, of two cores at least
python -m benchmarks.step --device cuda --batch_pairs 768 --precision bf16-mixed --dtype float16 --steps 200

Both train the same ResNet-18 by the same loss. The loop by hand has its batches on the device before it begins, and
does nothing beside: no stream, cursor, schedule, journal or metrics. `trainer fit` has all that, with its defaults, and
its blocks come from a worker process on other cores. Each is timed from its eleventh step on, without the checkpoint at
the end, and the order of the two changes from round to round.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from rich.console import Console
from rich.table import Table

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

#: Steps before the clock starts, in which memory is taken and code is tuned; fit makes a record as often.
WARM = 10
#: Batches that the loop by hand takes in turns.
PRELOADED = 4
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
    steps: int = 20
    """Steps that are timed in each turn, a multiple of 10."""
    rounds: int = 4
    """Turns of each."""
    trainer_cores: int = 0
    """Cores for training, the others are the worker's; 0: one on a CPU, four beside a card."""

    def __post_init__(self) -> None:
        if self.steps < WARM or self.steps % WARM:
            raise ConfigError(f"steps={self.steps}: fit makes a record every {WARM} steps; use a multiple of that")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a turn came to; `waiting` is the share of its time that fit waited for data."""

    steps_per_second: float
    waiting: float = 0.0


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
        self._optimiser = torch.optim.SGD(self._model.parameters(), lr=plan.recipe.lr, weight_decay=1e-6)

    def turn(self, steps: int) -> Turn:
        """Time `steps` steps, after some that warm up."""
        self._train(WARM)
        began = time.perf_counter()
        self._train(steps)
        return Turn(steps_per_second=steps / (time.perf_counter() - began))

    def _train(self, steps: int) -> None:
        for step in range(steps):
            torch.compiler.cudagraph_mark_step_begin()
            a, b = self._batches[step % PRELOADED]
            with torch.autocast(self._device, torch.bfloat16) if self._mixed else nullcontext():
                loss = alignment_uniformity(self._model(a), self._model(b)).loss
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
        loss.item()  # the device has done all of it


def turn_of_fit(settings: FitSettings) -> Turn:
    """Time a whole run from its tenth step to its last, as its own records do."""
    fit(settings)
    records = {record["step"]: record for record in read_journal(settings.run / "metrics.jsonl")}
    first, last = records[WARM], records[settings.max_steps]
    seconds = last["seconds"] - first["seconds"]
    waited = last["waited"] - first["waited"]
    return Turn(steps_per_second=(last["step"] - WARM) / seconds, waiting=waited / seconds)


def race(settings: StepSettings, url: str, folder: Path, threads: int) -> dict[str, list[Turn]]:
    """The turns of both, in an order that changes."""
    steps = WARM + settings.steps
    told = FitSettings(
        run=folder, stream=url, preset="paper", max_steps=steps, width=settings.width, precision=settings.precision,
        spec=SpecChoice(block_pairs=settings.batch_pairs, dtype=settings.dtype), threads=threads, held_out=0,
        log_every=WARM, checkpoint_every=steps, accelerator="cpu" if settings.device == "cpu" else "gpu", quiet=True,
        compile=settings.compile,
    )  # fmt: skip
    torch.set_num_threads(threads)
    by_hand = ByHand(told, settings.device)
    contestants: dict[str, Callable[[int], Turn]] = {
        "by hand": lambda _: by_hand.turn(settings.steps),
        "trainer fit": lambda number: turn_of_fit(replace(told, run=folder / str(number))),
    }
    turns: dict[str, list[Turn]] = {name: [] for name in contestants}
    for number in range(settings.rounds):
        for name in sorted(contestants, reverse=bool(number % 2)):
            turns[name].append(contestants[name](number))
            print(f"round {number + 1}: {name}, {turns[name][-1].steps_per_second:.3f} steps/s", flush=True)
    return turns


def report(settings: StepSettings, turns: dict[str, list[Turn]]) -> int:
    """Print the medians; 1 if fit is slower, or waits longer, than it should."""
    speed = {name: statistics.median(turn.steps_per_second for turn in taken) for name, taken in turns.items()}
    pairs = zip(turns["trainer fit"], turns["by hand"], strict=True)
    ratio = statistics.median(fitted.steps_per_second / plain.steps_per_second for fitted, plain in pairs)
    waiting = statistics.median(turn.waiting for turn in turns["trainer fit"])
    table = Table("", "steps/s", "pairs/s", title=" ".join(f"{name}={value}" for name, value in vars(settings).items()))
    for name, value in speed.items():
        table.add_row(name, f"{value:.3f}", f"{value * settings.batch_pairs:,.1f}")
    Console().print(table)
    print(f"fit / by hand, median of {settings.rounds} rounds: {ratio:.3f} (at least {LEAST_RATIO})")
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
        return report(settings, race(settings, worker.url, Path(folder), ours))


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, with settings as flags."""
    command = console.Command(name="run", settings=StepSettings, run="benchmarks.step:run")
    return console.main("step", "Steps per second, by hand and by fit.", [command], ["run", *(argv or sys.argv[1:])])


if __name__ == "__main__":
    sys.exit(main())
