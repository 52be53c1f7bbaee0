"""What the synthesizers are, as data: `load_patch(name)`. No sound is computed here and torch is not loaded.

On the way of a block this is what sampling, perturbation and every engine read: the meaning of theta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from pairstream.errors import RefusedError
from synth_server.patches.parameter import Parameter
from synth_server.patches.parametric import parametric
from synth_server.patches.patch import Patch
from synth_server.patches.voice import voice
from synth_server.patches.voice_fm import voice_fm

PATCHES: Mapping[str, Callable[[], Patch]] = {"voice": voice, "voice-fm": voice_fm, "parametric": parametric}

__all__ = ["PATCHES", "Parameter", "Patch", "load_patch"]


@cache
def load_patch(name: str) -> Patch:
    """The patch of that name.

    Raises:
        RefusedError: there is none; the message names those that exist.
    """
    if name not in PATCHES:
        raise RefusedError(f"synth={name!r} is not a patch of this worker; it has {', '.join(PATCHES)}")
    return PATCHES[name]()
