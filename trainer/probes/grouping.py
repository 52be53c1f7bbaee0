"""Which runs are repetitions of one experiment, and what tells the experiments apart.

Runs whose plans agree in everything but the seeds (of the encoder and of the stream), and that have done
equally many steps, are one experiment, whose accuracy is their mean. A row of a table is then called by those
settings that are needed to tell it from the other rows: `delta=0.1`, not all forty of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from trainer.plan import Plan

SEEDS = frozenset({"seed", "spec.seed"})

#: Settings that are named first where several would tell the rows apart.
FIRST = ("label", "real", "spec.synth", "spec.delta", "recipe.objective", "recipe.encoder", "recipe.width")

#: What a spec says of recordings, too.
OF_RECORDINGS = frozenset({"spec.sample_rate", "spec.seconds", "spec.block_pairs"})

Settings = Mapping[str, Hashable]


def settings_of(plan: Plan, **more: Hashable) -> dict[str, Hashable]:
    """Everything of a plan but its seeds, as one flat mapping `spec.delta`, `recipe.lr`, …, and `more`.

    `real` is the share of recordings; where it is 1 there is no stream, so nothing of one is said.
    """
    flat = _flat(plan.as_dict()) | {"real": plan.data.share or None} | more
    unsaid = SEEDS | {"data.real"}
    if not plan.data.streams:
        unsaid |= {name for name in flat if name.startswith("spec.") and name not in OF_RECORDINGS}
    return {name: value for name, value in flat.items() if name not in unsaid}


def key_of(settings: Settings) -> Hashable:
    """Equal for equal settings."""
    return frozenset(settings.items())


def names_of(experiments: Sequence[Settings]) -> list[str]:
    """A short name for each of several different experiments; empty for the only one."""
    chosen: list[str] = []
    for name in _by_importance(experiments):
        if len({_said(one, chosen) for one in experiments}) == len(experiments):
            break
        if len({_said(one, [*chosen, name]) for one in experiments}) > len({_said(one, chosen) for one in experiments}):
            chosen.append(name)
    return [
        " ".join(_shown(name, one.get(name)) for name in chosen if one.get(name) is not None) for one in experiments
    ]


def _said(settings: Settings, names: Sequence[str]) -> Hashable:
    return tuple(settings.get(name) for name in names)


def _by_importance(experiments: Sequence[Settings]) -> list[str]:
    names = list(dict.fromkeys(name for one in experiments for name in one))
    return [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]


def _shown(name: str, value: Hashable) -> str:
    if name == "label":
        return str(value)
    return f"{name.rpartition('.')[2]}={f'{value:g}' if isinstance(value, float) else value}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Hashable]:
    found: dict[str, Hashable] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = _frozen(value)
    return found


def _frozen(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((name, _frozen(inner)) for name, inner in sorted(value.items()))
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
