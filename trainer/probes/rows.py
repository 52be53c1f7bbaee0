"""Rows: what a table calls each subject. Runs that differ in nothing but their seeds share one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from pairstream.errors import ConfigError
from trainer.plan import Plan
from trainer.probes.grouping import key_of, names_of, settings_of
from trainer.probes.subjects import UNTRAINED, Subject

TRAINED = "trained"

#: What decides an encoder before its first step, beside the seed.
OF_THE_ENCODER = ("recipe.encoder", "recipe.width", "recipe.projector", "recipe.frontend.")


def rows_of(subjects: Sequence[Subject]) -> list[str]:
    """The row of each subject: its source, `untrained` or `trained`, and what tells it from other rows."""
    trained = {_key(one): _settings(one) for one in subjects if one.trained}
    untrained = {one.structure: _of_the_encoder(one.plan) for one in subjects if not one.trained and one.plan}
    names: dict[Hashable, str] = {}
    for (key, settings), name in zip(trained.items(), names_of(list(trained.values())), strict=True):
        names[key] = name or str(settings["label"] or TRAINED)
    for structure, name in zip(untrained, names_of(list(untrained.values())), strict=True):
        names[structure] = f"{UNTRAINED} {name}".strip()
    return [names.get(_key(one) if one.trained else one.structure, one.source) for one in subjects]


def refuse_twins(subjects: Sequence[Subject]) -> None:
    """Raises ConfigError: two of one row are not two trainings, so no interval could be made of them."""
    seen: dict[Hashable, Subject] = {}
    for subject in [one for one in subjects if one.trained and one.plan]:
        assert subject.plan is not None
        for what in (subject.identity, (subject.plan.seed, subject.plan.spec.seed)):
            twin = seen.setdefault((_key(subject), what), subject)
            if twin is not subject:
                raise ConfigError(
                    f"{twin.source} and {subject.source} are one training, and would count as two in a row; name one "
                    "of them, or give each a row of its own with NAME=PATH"
                )


def _settings(subject: Subject) -> Mapping[str, Hashable]:
    assert subject.plan is not None, "what was trained has a plan"
    return settings_of(subject.plan, label=subject.label or None, step=subject.step)


def _key(subject: Subject) -> Hashable:
    return key_of(_settings(subject))


def _of_the_encoder(plan: Plan) -> dict[str, Hashable]:
    return {name: value for name, value in settings_of(plan).items() if name.startswith(OF_THE_ENCODER)}
