"""Plan: all that decides the weights of a run. Preset and settings go in, concrete values come out.

Where the blocks come from, on which device and how often something is written is no part of it:
two runs of one plan on one machine end with the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pairstream.batches import Follow, Start, check_following
from pairstream.errors import CheckpointError, ConfigError, PairstreamError
from pairstream.spec import StreamSpec
from trainer.augmentation import SETS, Augmentation
from trainer.choices import whole, with_said
from trainer.config import FitSettings
from trainer.material import Material
from trainer.picture import Picture
from trainer.presets import PRESETS, PresetName
from trainer.recipe import Recipe

DEFAULT_PRESET: PresetName = "cpu"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Stream, material, recipe, seed of the encoder, and how the stream is followed from where."""

    spec: StreamSpec
    recipe: Recipe
    data: Material = field(default_factory=Material)
    seed: int = 0
    start: Start = 0
    follow: Follow = "exact"

    def __post_init__(self) -> None:
        if self.spec.block_pairs < 2:
            raise ConfigError("spec.block_pairs=1 leaves the loss nothing to compare; use at least 2")
        heard, picture = self.spec.sample_rate, self.recipe.frontend
        if heard != picture.sample_rate:
            raise ConfigError(
                f"spec.sample_rate={heard} does not fit the front end, which is for {picture.sample_rate} Hz; "
                "make them equal, with --spec.sample_rate or --frontend.sample_rate"
            )
        picture.frames(self.spec.samples)
        if not 0 <= self.seed < 1 << 63:
            raise ConfigError(f"seed={self.seed} is out of range; use 0 to 2**63 - 1")
        check_following(self.follow, self.start)
        if self.recipe.theta_weight and self.data.recordings:
            raise ConfigError(
                f"theta_weight={self.recipe.theta_weight} with recordings, whose parameters nobody knows; "
                "use 0, or a stream alone"
            )
        if (self.follow == "live" or self.start == "head") and not self.data.every_block_once:
            raise ConfigError(
                f"follow={self.follow} from start={self.start} is for a stream alone; with recordings, a pool or "
                "deltas follow exactly, from an index"
            )
        if self.start == "first":
            object.__setattr__(self, "start", 0)

    @property
    def batch_pairs(self) -> int:
        """Pairs of a batch, of all processes together: those of a block, unless the recipe says."""
        return self.recipe.batch_pairs or self.spec.block_pairs

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and for checkpoints."""
        recipe = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self.recipe).items()
        }
        where = {"start": self.start, "follow": self.follow}
        parts = {"spec": self.spec.as_dict(), "data": self.data.as_dict(), "recipe": recipe}
        return {**parts, "seed": self.seed, **where}

    @classmethod
    def from_dict(cls, values: object, file: Path | None = None) -> Plan:
        """The inverse of `as_dict`. Raises CheckpointError: this is no plan, so its `file` is not ours."""
        try:
            if not isinstance(values, Mapping):
                raise TypeError(f"a plan is a mapping, not {type(values).__name__}")
            spec, recipe = StreamSpec.from_dict(values["spec"]), _recipe_from(values["recipe"])
            data = whole(Material, values["data"])
            return cls(
                spec=spec, recipe=recipe, data=data, seed=values["seed"], start=values["start"], follow=values["follow"]
            )
        except (PairstreamError, KeyError, TypeError) as error:
            where = f"{file}: " if file else ""
            raise CheckpointError(
                f"{where}no plan of a training run: {error}; was it written by another version?"
            ) from error

    def diff(self, other: Plan) -> str:
        """What makes the two plans different, `name: mine != theirs`; empty if they are the same."""
        mine, theirs = self.as_dict(), other.as_dict()
        found = [
            f"{part}.{name}: {value!r} != {theirs[part][name]!r}"
            for part in ("recipe", "spec", "data")
            for name, value in mine[part].items()
            if value != theirs[part][name]
        ]
        plain = [name for name in ("seed", "start", "follow") if mine[name] != theirs[name]]
        found += [f"{name}: {mine[name]} != {theirs[name]}" for name in plain]
        return ", ".join(found)


def _recipe_from(values: Mapping[str, Any]) -> Recipe:
    nested = {"frontend": Picture, "augmentation": Augmentation}
    return whole(Recipe, {**values, **{name: whole(kind, values[name]) for name, kind in nested.items()}})


def new_plan(settings: FitSettings) -> Plan:
    """The preset's values, overridden by whatever the user said.

    Several processes that were not told how many pairs a batch has take a block each; that is then the plan's, however
    many go on with it.
    """
    plan, processes = _of_preset(settings), settings.devices * settings.nodes
    if plan.recipe.batch_pairs is None and processes > 1:
        plan = replace(plan, recipe=replace(plan.recipe, batch_pairs=processes * plan.batch_pairs))
    return plan


def resumed_plan(settings: FitSettings, stored: Plan) -> Plan:
    """The stored plan, provided that nothing the user said contradicts it."""
    moved: Any = settings.data
    # Where recordings lie may change; that they are the same, the cursor's digest says.
    if moved.recordings and stored.data.recordings:
        stored = replace(stored, data=replace(stored.data, recordings=moved.recordings))
    said = _of_preset(settings) if settings.preset else _with_what_was_said(stored, settings)
    if settings.batch_pairs is None:
        said = replace(said, recipe=replace(said.recipe, batch_pairs=stored.recipe.batch_pairs))
    if difference := said.diff(stored):
        raise ConfigError(
            f"the run in {settings.run} was started with another plan ({difference}); "
            "resume it without these settings, or start a new run in another folder"
        )
    return stored


def _of_preset(settings: FitSettings) -> Plan:
    preset = PRESETS[settings.preset or DEFAULT_PRESET]
    recipe = preset.recipe
    if settings.encoder not in (None, recipe.encoder):
        recipe = replace(recipe, width=None)  # the preset's is one of its own encoder
    return _with_what_was_said(Plan(spec=StreamSpec(**preset.spec), recipe=recipe), settings)


def _with_what_was_said(base: Plan, settings: FitSettings) -> Plan:
    recipe = base.recipe
    if settings.augment is not None:
        recipe = replace(recipe, augmentation=SETS[settings.augment])
    return with_said(base, settings, recipe=with_said(recipe, settings))
