"""fit: one training run, from settings to a summary. It puts the parts together and owns none of their work.

On SIGTERM or SIGINT it ends after the step in hand; the summary then says `finished=False`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning.utilities import rank_zero_only

from pairstream.errors import PairstreamError
from pairstream.files import write_json
from trainer.agreement import SameStep
from trainer.checkpoints import read_checkpoint
from trainer.compiling import compile_encoder
from trainer.config import FitSettings
from trainer.data import StreamData
from trainer.device import device_of
from trainer.held_out import held_out_pairs, parameters_of_theta, recorded_held_out
from trainer.interrupt import StopOnSignal
from trainer.journal import read_journal
from trainer.ledger import Ledger
from trainer.lightning import lightning_trainer
from trainer.memory import enough_memory
from trainer.meter import Meter
from trainer.model import untrained_model
from trainer.module import PairModule
from trainer.plan import Plan, new_plan, resumed_plan
from trainer.records import Sink
from trainer.retrieval import hit_at_1
from trainer.run_folder import RunFolder
from trainer.run_readme import write_readme
from trainer.saving import SaveCheckpoints
from trainer.sessions import session
from trainer.sinks import open_sinks
from trainer.sources.build import read_recordings
from trainer.sources.clips_in_memory import ClipsInMemory
from trainer.sources.recordings import RecordedPairs
from trainer.summary import HitRates, Summary, summarise
from trainer.weights import check_weights

CHECKPOINTS_PER_RUN = 20
SHORTEST_INTERVAL = 50


def fit(settings: FitSettings) -> Summary:
    """Train as the settings say, or continue a run, and write all of it to the run folder.

    Raises:
        ConfigError: a setting that cannot be meant, or a run folder that exists already.
        CheckpointError: nothing to resume, or a damaged checkpoint.
        MemoryLimitError: the model, or a step of it, does not fit in memory.
        PairstreamError: the stream failed; the run can be resumed from its newest checkpoint.
    """
    folder = RunFolder(settings.run)
    if settings.resume_or_start:
        settings = replace(settings, resume=folder.config.exists())
    plan = _plan(folder, settings)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    with _enough_memory(plan):
        module = PairModule(plan, _parameters_of_theta(plan, settings))
    clips = read_recordings(plan)
    data = StreamData(plan, settings, Meter(), clips)
    pairs = _held_out(plan, settings, clips)
    if is_first_process() and not settings.resume:
        folder.create(plan, settings)
        write_readme(folder, plan)
    try:
        with session(folder) if is_first_process() else nullcontext(), _enough_memory(plan):
            _train(module, data, folder, settings)
    except PairstreamError:
        if is_first_process() and not settings.resume and data.meter.read().steps == 0:
            folder.discard()  # nothing was trained, so nothing is in the way of another try
        raise
    spent = data.meter.read()
    hit = (
        _hit_rates(module, pairs, device_of(settings.accelerator))
        if spent.steps >= plan.recipe.max_steps and pairs is not None
        else None
    )
    summary = summarise(folder, plan, spent, read_journal(folder.metrics), hit)
    if is_first_process():
        write_json(folder.summary, asdict(summary))
        write_readme(folder, plan, summary)
    return summary


def _plan(folder: RunFolder, settings: FitSettings) -> Plan:
    if settings.resume:
        return resumed_plan(settings, folder.stored_plan())
    if is_first_process():
        folder.refuse_existing()
    return new_plan(settings)


def _enough_memory(plan: Plan) -> AbstractContextManager[None]:
    return enough_memory(
        f"training in steps of {plan.batch_pairs} pairs",
        "use fewer --batch_pairs, a smaller --width or --precision bf16-mixed, in a new run",
    )


def _train(module: PairModule, data: StreamData, folder: RunFolder, settings: FitSettings) -> None:
    """Train to the last step of the plan; a run that is already there is only loaded."""
    newest = folder.newest_checkpoint() if settings.resume else None
    checkpoint: dict[str, Any] = read_checkpoint(newest) if newest else {"global_step": 0}
    done = int(checkpoint["global_step"])
    if done >= module.plan.recipe.max_steps:
        check_weights(checkpoint["state_dict"], module, newest or "the checkpoint")
        module.load_state_dict(checkpoint["state_dict"])
        data.load_state_dict(checkpoint[type(data).__qualname__])
        return
    marks = compile_encoder(module.model.encoder, settings.compile)
    every = settings.checkpoint_every or max(SHORTEST_INTERVAL, module.plan.recipe.max_steps // CHECKPOINTS_PER_RUN)
    told: AbstractContextManager[list[Sink]] = nullcontext([])
    if is_first_process():
        told = open_sinks(folder, module.plan, settings, done, data)
    with told as sinks:
        # In this order: a checkpoint is written after the cursor was moved.
        ledger, saving = Ledger(data, sinks, settings.log_every), SaveCheckpoints(folder, every)
        callbacks = [SameStep(), StopOnSignal(), *marks, ledger, saving]
        lightning_trainer(module.plan.recipe, settings, callbacks).fit(module, datamodule=data, ckpt_path=newest)


def _parameters_of_theta(plan: Plan, settings: FitSettings) -> int:
    if plan.recipe.theta_weight == 0:
        return 0
    return parameters_of_theta(settings.stream, plan.spec, timeout=settings.timeout)


def _held_out(plan: Plan, settings: FitSettings, clips: ClipsInMemory | None) -> NDArray[np.float32] | None:
    """Fetched before the training, so that a stream that cannot be had fails at once; of the stream, if one is used."""
    if not (settings.held_out and is_first_process()):
        return None
    if clips and not plan.data.streams:
        return recorded_held_out(RecordedPairs(clips, seed=plan.spec.seed), settings.held_out)
    return held_out_pairs(
        settings.stream, plan.spec, settings.held_out, experiment=settings.experiment, timeout=settings.timeout
    )


def _hit_rates(module: PairModule, pairs: NDArray[np.float32], device: torch.device) -> HitRates:
    untrained, trained = (untrained_model(module.plan.recipe, module.plan.seed) for _ in range(2))
    trained.load_state_dict(module.model.state_dict())  # not the one that was compiled for steps
    return HitRates(
        before=hit_at_1(untrained, pairs, device),
        after=hit_at_1(trained, pairs, device),
        pairs=len(pairs),
        of="pairs of the stream" if module.plan.data.streams else "other crops of the clips that it learned from",
    )


def is_first_process() -> bool:
    """Of several processes of one run, the first writes and speaks."""
    return bool(getattr(rank_zero_only, "rank", 0) == 0)
