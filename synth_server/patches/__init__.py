"""What the synthesizers are, as data: `load_patch(name, oscillators)`. It computes no sound and loads no torch.

On the way of a block this is what sampling, perturbation and every engine read: the meaning of theta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from pairstream.errors import RefusedError
from pairstream.oscillators import OWN, Numbers
from synth_server.patches.parameter import Parameter
from synth_server.patches.parametric import parametric
from synth_server.patches.patch import Patch
from synth_server.patches.voice import voice
from synth_server.patches.voice_fm import voice_fm

PATCHES: Mapping[str, Callable[..., Patch]] = {"voice": voice, "voice-fm": voice_fm, "parametric": parametric}

#: The numbers of a patch as it is unless said otherwise.
AS_IT_IS: Numbers = MappingProxyType({})

__all__ = ["AS_IT_IS", "PATCHES", "Parameter", "Patch", "load_patch"]


def load_patch(name: str, oscillators: Numbers = AS_IT_IS) -> Patch:
    """The patch of that name, with as many oscillators of each kind; its own number of those not said.

    Raises:
        RefusedError: there is no such patch, it has no such oscillators, or none would be left; the message names
            those that exist.
    """
    if name not in PATCHES:
        raise RefusedError(f"synth={name!r} is not a patch of this worker; it has {', '.join(PATCHES)}")
    own = OWN.get(name, {})
    if oscillators and not own:
        raise RefusedError(
            f"oscillators={dict(oscillators)}: synth={name!r} takes no numbers of oscillators; leave them out, "
            f"or use {' or '.join(OWN)}, which does"
        )
    if unknown := sorted(set(oscillators) - set(own)):
        raise RefusedError(f"synth={name!r} has no oscillators of the kind {unknown[0]!r}; it has {', '.join(own)}")
    return _made(name, tuple({**own, **oscillators}.items()))


@cache
def _made(name: str, numbers: tuple[tuple[str, int], ...]) -> Patch:
    return PATCHES[name](**dict(numbers))
