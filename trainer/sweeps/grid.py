"""Grids: from what a user says to the settings of each run.

A grid is a mapping from settings of `trainer fit` to lists of values; every combination is a run. Several grids
are run one after the other, for what no single grid can say.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_type_hints

import yaml

from pairstream.errors import ConfigError
from trainer.config import FitSettings

#: What the sweep itself says to a run.
TAKEN = frozenset({"run", "stream", "resume", "resume_or_start", "experiment", "quiet", "threads", "accelerator"})

#: Settings that are said by their name alone, or not at all.
SWITCHES = frozenset(name for name, hint in get_type_hints(FitSettings).items() if hint is bool)

Values = Mapping[str, Any]


class _Loader(yaml.SafeLoader):
    """With the booleans of YAML 1.2: `on`, `off`, `yes` and `no` are words, as `--compile on` has one."""


_BOOL: Final = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag != _BOOL]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF"))


def said_grid(words: Sequence[str]) -> dict[str, list[Any]]:
    """`["spec.delta=0.05,0.1", "seed=0"]` -> `{"spec.delta": [0.05, 0.1], "seed": [0]}`; values are YAML.

    Raises:
        ConfigError: a word that is no setting with values.
    """
    grid: dict[str, list[Any]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        try:
            values = _yaml(f"[{text}]")
        except yaml.YAMLError:
            values = None
        if not (name and equals and values):
            raise ConfigError(f"grid {word!r} is no setting with values; write it as spec.delta=0.05,0.1")
        setting = name.lstrip("-").replace("-", "_")
        if setting in grid:
            raise ConfigError(f"grid {word!r} says {setting} a second time; write all its values after one =")
        grid[setting] = values
    return grid


def read_grids(path: Path) -> list[dict[str, list[Any]]]:
    """The grids of a YAML or JSON file. Raises ConfigError: it cannot be read, or holds something else."""
    try:
        held = _yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}; write settings and lists of values") from error
    grids = held if isinstance(held, list) else [held]
    for grid in grids:
        if not (isinstance(grid, dict) and grid and all(isinstance(name, str) for name in grid)):
            raise ConfigError(f"{path} holds {type(grid).__name__} where a mapping from settings to values belongs")
    return [{name: values if isinstance(values, list) else [values] for name, values in grid.items()} for grid in grids]


def combinations(grids: Iterable[Mapping[str, Sequence[Any]]]) -> list[dict[str, Any]]:
    """Every combination of every grid, each once. Raises ConfigError: a setting that is the sweep's own."""
    found: list[dict[str, Any]] = []
    for grid in grids:
        if mine := TAKEN & grid.keys():
            raise ConfigError(f"{min(mine)} is said by the sweep itself; take it out of the grid")
        for values in itertools.product(*grid.values()):
            one = dict(zip(grid, values, strict=True))
            if one not in found:
                found.append(one)
    return found


def names(runs: Sequence[Values]) -> list[str]:
    """A folder's name for each run, of the settings that differ: `delta0.1-seed0`."""
    settings = list(dict.fromkeys(name for run in runs for name in run))
    differ = [name for name in settings if len({_text(run.get(name)) for run in runs}) > 1]
    short = {name: name.rpartition(".")[2] for name in differ}
    short = {name: one if list(short.values()).count(one) == 1 else name for name, one in short.items()}
    return ["-".join(_part(short[name], run[name]) for name in differ if name in run) or "run" for run in runs]


def arguments(run: Values) -> list[str]:
    """The flags of `trainer fit` that say it."""
    flags: list[str] = []
    for name, value in run.items():
        if name not in SWITCHES or not isinstance(value, bool):
            flags.append(f"--{name}={_text(value)}")
        elif value:
            flags.append(f"--{name}")
    return flags


def _yaml(text: str) -> Any:
    return yaml.load(text, _Loader)  # it is a SafeLoader


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _part(name: str, value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(r"[\w.+-]{1,24}", text):
        text = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{name}{text}"
