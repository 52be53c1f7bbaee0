"""probe: what have encoders learned? Several checkpoints, sets and kinds of probe at once, beside two baselines.

In one run, with the same clips, splits and classifiers: log-mel statistics (no encoder at all), every different
encoder as it was before training, and the trained ones. It puts the parts together and owns none of their work.
"""

from __future__ import annotations

from collections.abc import Sequence

from pairstream.cores import usable_cores
from pairstream.errors import ConfigError
from trainer.device import device_of
from trainer.probe_settings import ProbeName, ProbeSettings
from trainer.probes.cache import Cache
from trainer.probes.few_shot import FewShot
from trainer.probes.linear import Linear
from trainer.probes.measure import Measurement, Scored
from trainer.probes.mlp import Mlp
from trainer.probes.named import named_checkpoints
from trainer.probes.nearest import Nearest
from trainer.probes.probe import Probe
from trainer.probes.rows import refuse_twins
from trainer.probes.subjects import log_mel_subject, trained_subject, untrained_subjects
from trainer.probes.telling import Telling
from trainer.recordings import Recordings, read_manifest

SHOTS = (1, 5, 10)


def probe(settings: ProbeSettings) -> list[Scored]:
    """Every probe on every layer of every subject on every folder of recordings, in the order of the tables.

    Raises:
        ConfigError: a setting that cannot be meant.
        MemoryLimitError: there is too little memory.
        CheckpointError: a checkpoint that cannot be used.
        DataError: a manifest or clip that cannot be used.
    """
    probes = probes_of(settings)
    manifests = [read_manifest(folder) for folder in settings.data]
    _refuse_namesakes(manifests)
    named = named_checkpoints(settings.checkpoint, settings.every_checkpoint)
    trained = [trained_subject(path, label) for path, label in named]
    refuse_twins(trained)
    subjects = [log_mel_subject(), *untrained_subjects(trained, settings.untrained), *trained]
    telling = Telling(settings.quiet)
    measurement = Measurement(
        Cache(settings.cache), device_of(settings.accelerator), settings.jobs or usable_cores(), telling
    )
    layers = settings.layer or ["pooled", "final"]
    embedded = [one for recordings in manifests for one in measurement.embedded(recordings, subjects, layers)]
    return measurement.scored(embedded, probes)


def _refuse_namesakes(manifests: Sequence[Recordings]) -> None:
    names = [recordings.name for recordings in manifests]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"two folders of recordings are called {twice[0]}; a table needs a name for each")


def probes_of(settings: ProbeSettings) -> list[Probe]:
    """The probes that are asked for, with their settings."""
    kinds: dict[ProbeName, list[Probe]] = {
        "linear": [Linear(c=None if settings.c == "chosen" else settings.c)],
        "mlp": [Mlp()],
        "knn": [Nearest()],
        "few-shot": [FewShot(k=k) for k in SHOTS],
    }
    return [probe for name in dict.fromkeys(settings.probe or kinds) for probe in kinds[name]]
