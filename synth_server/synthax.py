"""SynthAX, the paper's synthesizer, as an oracle of the patches and a rival of the engines. Optional: it needs JAX.

Nothing that a worker serves comes from here. SynthAX 0.2.2 names its modules as we do, keeps parameters in a tree
and orders the modulation matrix by outputs; this file is the translation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import RefusedError
from pairstream.oscillators import OWN, Numbers
from pairstream.spec import StreamSpec
from synth_server.patches import Patch, load_patch


def tree_of(patch: Patch, theta: NDArray[np.float32]) -> dict[str, Any]:
    """Our theta (B, P) as SynthAX' tree of parameters, mapped by the names of modules and parameters."""
    column = {label: theta[:, i].astype(np.float64) for label, i in patch.columns.items()}
    matrix, mixer = patch.matrix, patch.mixer
    human = patch.scale.to_human(theta)  # SynthAX ignores the curves of the mixer's levels
    levels = [human[:, patch.columns[f"mixer.{name}"]] for name in mixer.inputs]
    weights = [[column[f"mod_matrix.{source}->{target}"] for source in matrix.inputs] for target in matrix.outputs]
    tree: dict[str, Any] = {
        "modules_mixer": {"level": np.stack(levels, axis=1)},
        "modules_mod_matrix": {"mod": np.moveaxis(np.array(weights), 2, 0)},
    }
    for parameter in patch.parameters:
        if parameter.module not in ("mixer", "mod_matrix"):
            tree.setdefault(f"modules_{parameter.module}", {})[parameter.name] = column[parameter.label]
    return tree


def module_of(synth: str, oscillators: Numbers, config: Any) -> Any:
    """SynthAX' module for the patch of that name with such oscillators."""
    from synthax import synth as synths  # noqa: PLC0415 – optional

    if synth == "parametric":
        return synths.ParametricSynth(config=config, **{**OWN[synth], **oscillators})
    return {"voice": synths.Voice, "voice-fm": synths.VoiceExpanded}[synth](config=config)


def player(spec: StreamSpec, sounds: int) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """A function from theta (sounds, P) to audio (sounds, T), jitted, in float32.

    Raises:
        RefusedError: JAX or SynthAX is not installed.
    """
    try:
        import jax  # noqa: PLC0415 – optional
        from synthax.config import SynthConfig  # noqa: PLC0415
    except ImportError as error:
        raise RefusedError(f"SynthAX cannot be played ({error}); pip install 'pairstream[oracle]'") from error
    config = SynthConfig(
        batch_size=sounds,
        sample_rate=spec.sample_rate,
        buffer_size_seconds=spec.seconds,
        control_rate=spec.control_rate,
    )
    play = jax.jit(module_of(spec.synth, spec.oscillators, config).apply)
    patch = load_patch(spec.synth, spec.oscillators)

    def audio_of(theta: NDArray[np.float32]) -> NDArray[np.float32]:
        tree = jax.tree.map(lambda leaf: leaf.astype(np.float32), tree_of(patch, theta))
        return np.asarray(play({"params": tree}).block_until_ready())

    return audio_of
