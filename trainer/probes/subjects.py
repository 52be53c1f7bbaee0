"""Subjects: what is probed. Encoders out of checkpoints, the same encoders untrained, and no encoder at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from trainer.checkpoints import load_trained
from trainer.encoders.encoder import Encoder
from trainer.model import AudioModel, untrained_model
from trainer.plan import Plan
from trainer.probes.cache import digest
from trainer.probes.embedding import LAYERS, LOG_MEL

UNTRAINED: Final = "untrained"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One encoder that is probed, or the log-mel baseline, which has neither plan nor model."""

    source: str
    """Where it comes from: a path, or what the baseline is called."""
    identity: str
    """The hash of everything that decides its vectors."""
    structure: str = ""
    """The encoder's layers and settings, without its weights."""
    label: str = ""
    """What the user calls it."""
    plan: Plan | None = None
    seed: int | None = None
    step: int | None = None
    """Optimiser steps that it was trained for, if its file says so."""
    trained: bool = False
    """Whether it is no baseline."""
    model: AudioModel | None = field(default=None, repr=False, compare=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Of log-mel one without a name; pooled alone where nothing follows the pooled layer."""
        if self.model is None:
            return ("",)
        return LAYERS if type(self.model.encoder).embed is not Encoder.embed else LAYERS[:1]


def log_mel_subject() -> Subject:
    """The baseline without an encoder."""
    return Subject(source=LOG_MEL, identity=LOG_MEL)


def trained_subject(path: Path, label: str = "") -> Subject:
    """The encoder of a run folder, a checkpoint file or an exported folder.

    Raises:
        CheckpointError: it cannot be used.
    """
    model, plan, step = load_trained(path)
    return replace(_subject(str(path), model, plan, plan.seed), label=label, step=step, trained=True)


def untrained_subjects(trained: Sequence[Subject], least: int) -> Iterator[Subject]:
    """Each different encoder among `trained` before its first step: with all their seeds, and more up to `least`."""
    seeds: dict[str, list[int]] = {}
    plans: dict[str, Plan] = {}
    for subject in trained:
        if subject.plan is not None:
            plans.setdefault(subject.structure, subject.plan)
            seeds.setdefault(subject.structure, []).append(subject.plan.seed)
    for structure, plan in plans.items():
        own = list(dict.fromkeys(seeds[structure]))
        more = [seed for seed in range(least + len(own)) if seed not in own][: max(0, least - len(own))]
        for seed in own + more:
            yield _subject(UNTRAINED, untrained_model(plan.recipe, seed), plan, seed)


def _subject(source: str, model: AudioModel, plan: Plan, seed: int) -> Subject:
    identity, structure = identity_of(model), structure_of(model)
    return Subject(source=source, identity=identity, structure=structure, plan=plan, seed=seed, model=model)


def structure_of(model: AudioModel) -> str:
    """Layers and settings of a model, without its weights."""
    return f"{model!r} {model.frontend.picture!r}"


def identity_of(model: AudioModel) -> str:
    """A hash of structure, settings, weights and buffers: equal for equal models, wherever they were saved."""
    parts: list[bytes | str] = [structure_of(model)]
    for name, tensor in sorted([*model.named_parameters(), *model.named_buffers()], key=lambda named: named[0]):
        array = tensor.detach().cpu().contiguous().numpy()
        parts += [f"{name} {array.dtype} {array.shape}", array.tobytes()]
    return digest(*parts)
