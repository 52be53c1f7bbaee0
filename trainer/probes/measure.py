"""measure: many representations, probes and folders of recordings at once, on all cores, nothing twice.

First the embeddings that the cache lacks, folder by folder: each clip is decoded once for all encoders. Then the
scores that it lacks, each (folder, representation, probe) in some process of its own with one thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import torch
from numpy.typing import NDArray

from pairstream.errors import CheckpointError, DataError
from trainer.memory import enough_memory
from trainer.probes.cache import Cache, digest, digest_of_files
from trainer.probes.embedding import LOG_MEL, embed, layer_of
from trainer.probes.probe import Probe, Vectors
from trainer.probes.scoring import scores_of_file
from trainer.probes.subjects import Subject
from trainer.probes.telling import Telling
from trainer.recordings import Recordings

REMEDY = "probe fewer checkpoints at once, or use --accelerator cpu"


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """One layer of a subject on one folder of recordings: where its vectors lie in the cache."""

    recordings: Recordings
    subject: Subject
    layer: str
    """pooled, final, or nothing for log-mel."""
    name: str


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Whether each tested clip was named rightly by a probe: right (repeats, m)."""

    embedded: Embedded
    probe: Probe
    right: NDArray[np.bool_]


class Measurement:
    """What `measure` has at hand.

    Args:
        cache: where embeddings and scores are kept.
        device: where encoders run.
        jobs: threads that decode, and processes that fit probes.
        telling: hears how far it is.
    """

    def __init__(self, cache: Cache, device: torch.device, jobs: int, telling: Telling) -> None:
        self._cache = cache
        self._device = device
        self._jobs = jobs
        self._telling = telling

    def embedded(self, recordings: Recordings, subjects: Sequence[Subject], layers: Sequence[str]) -> list[Embedded]:
        """All subjects on one folder; what the cache lacks is computed, and both layers of it kept.

        Raises:
            DataError: a clip that cannot be used.
            CheckpointError: an encoder whose vectors are no numbers.
            MemoryLimitError: there is too little memory.
        """
        of_files = digest_of_files(recordings.files)
        found = [
            Embedded(recordings=recordings, subject=subject, layer=layer, name=f"{of_files}-{_name(subject, layer)}")
            for subject in subjects
            for layer in [layer for layer in subject.layers if layer in layers] or subject.layers[:1]
        ]
        missing = {one.subject.identity: one.subject for one in found if self._cache.get(one.name) is None}
        if missing:
            self._embed(recordings, of_files, list(missing.values()))
        return found

    def _embed(self, recordings: Recordings, of_files: str, missing: Sequence[Subject]) -> None:
        models = {subject.identity: subject.model for subject in missing if subject.model is not None}
        what = f"embedding {recordings.name} by {len(models)} encoders"
        with self._telling.part(what, len(recordings.files)) as told, enough_memory(what, REMEDY):
            vectors = embed(
                recordings.files,
                models,
                log_mel=any(subject.identity == LOG_MEL for subject in missing),
                device=self._device,
                threads=self._jobs,
                told=told,
            )
        if LOG_MEL in vectors:
            _refuse_deafening(recordings, vectors[LOG_MEL])
        _refuse_what_is_no_number(missing, vectors)
        for name, array in vectors.items():
            self._cache.put(f"{of_files}-{name}", array)

    def scored(self, embedded: Sequence[Embedded], probes: Sequence[Probe]) -> list[Scored]:
        """Every probe on every embedding, in that order."""
        tasks = [(probe, one, _scores_name(one, probe)) for one in embedded for probe in probes]
        found = {name: self._cache.get(name) for _, _, name in tasks}
        missing = {name: (probe, one) for probe, one, name in tasks if found[name] is None}
        calls = (joblib.delayed(scores_of_file)(*self._call(probe, one)) for probe, one in missing.values())
        with self._telling.part("probes", len(missing)) as told:
            for name, right in zip(missing, joblib.Parallel(self._jobs, return_as="generator")(calls), strict=True):
                self._cache.put(name, right)
                found[name] = right
                told(1)
        return [
            Scored(embedded=one, probe=probe, right=np.asarray(found[name], dtype=np.bool_))
            for probe, one, name in tasks
        ]

    def _call(self, probe: Probe, embedded: Embedded) -> tuple[Probe, Recordings, Path]:
        return probe, embedded.recordings, self._cache.path(embedded.name)


def _refuse_what_is_no_number(subjects: Sequence[Subject], vectors: Mapping[str, Vectors]) -> None:
    for subject in subjects:
        if any(name.startswith(subject.identity) and not np.isfinite(array).all() for name, array in vectors.items()):
            raise CheckpointError(
                f"{subject.source} gives vectors that are not finite numbers, so its training diverged; "
                "use an earlier checkpoint, or train with a lower learning rate"
            )


def _refuse_deafening(recordings: Recordings, vectors: Vectors) -> None:
    """Raises DataError: log-mel statistics, which no training has spoilt, are no numbers for a clip."""
    if bad := np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist():
        raise DataError(
            f"{recordings.files[bad[0]]}: its samples are so large that its picture is not of finite numbers; "
            "mend it or take it out of the manifest"
        )


def _name(subject: Subject, layer: str) -> str:
    return layer_of(subject.identity, layer) if layer else subject.identity


def _scores_name(embedded: Embedded, probe: Probe) -> str:
    """The scores follow from the vectors, the manifest, and the probe's settings and what it says that it does."""
    kept = embedded.recordings
    manifest = [kept.labels.tolist(), kept.parts.tolist(), kept.groups.tolist()]
    return f"{embedded.name}-{digest(repr(manifest), repr(probe), probe.about)}"
