"""Whether weights from a file are those of a module: name by name and shape by shape, before any is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from pairstream.errors import CheckpointError


def check_weights(weights: Mapping[str, Any], module: nn.Module, where: Path | str) -> None:
    """Nothing, if the weights are this module's.

    Raises:
        CheckpointError: a name or a shape differs; the message quotes the first and says `where` they are from.
    """
    has, needs = (
        {name: getattr(value, "shape", None) for name, value in of.items()} for of in (weights, module.state_dict())
    )
    differ = sorted(name for name in has.keys() | needs.keys() if has.get(name) != needs.get(name))
    if differ:
        raise CheckpointError(
            f"{where} was written by another version, whose {differ[0]} is not this one's ({len(differ)} such names); "
            "use the version that config.json beside it names, or train anew"
        )
