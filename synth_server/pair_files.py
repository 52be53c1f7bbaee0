"""A pair as files: the WAV of each view, and the JSON that makes it again. Bytes and plain values; it writes nothing.

`synth-server render` and the page of `synth-server listen` give the same bytes for the same pair, at any time: the
header is written here because libsndfile puts the time of day into that of a float WAV.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.spec import StreamSpec
from synth_server.patches import Parameter
from synth_server.patches.scale import Scale

_IEEE_FLOAT = 3
_SAMPLE_BYTES = 4


def stem(spec: StreamSpec, index: int, pair: int) -> str:
    """What the names of a pair's files begin with: synth, stream, block and pair."""
    return f"{spec.synth}-{spec.digest[:12]}-{index}-{pair}"


def wav(samples: NDArray[Any], sample_rate: int) -> bytes:
    """Samples (T,) as a mono WAV of 32-bit floats, which holds them exactly."""
    data = np.ascontiguousarray(samples, "<f4").tobytes()
    form = struct.pack(
        "<HHIIHHH", _IEEE_FLOAT, 1, sample_rate, sample_rate * _SAMPLE_BYTES, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES, 0
    )
    fact = struct.pack("<I", len(data) // _SAMPLE_BYTES)
    body = b"WAVE" + b"".join(_chunk(*chunk) for chunk in ((b"fmt ", form), (b"fact", fact), (b"data", data)))
    return _chunk(b"RIFF", body)


def about(
    spec: StreamSpec,
    index: int,
    pair: int,
    *,
    sha256: str,
    theta: NDArray[np.float32],
    parameters: tuple[Parameter, ...],
) -> dict[str, Any]:
    """What makes a pair again and what it is made of, for JSON.

    Args:
        spec, index, pair: which one.
        sha256: of the whole block, `PairBlock.sha256`.
        theta: of both views, (2, L * P), layer after layer.
        parameters: the columns of one layer.
    """
    return {
        "spec": spec.as_dict(),
        "digest": spec.digest,
        "index": index,
        "pair": pair,
        "sha256": sha256,
        "wav": {view: f"{stem(spec, index, pair)}-{view}.wav" for view in "ab"},
        "parameters": _human(theta, parameters),
    }


def _human(theta: NDArray[np.float32], parameters: tuple[Parameter, ...]) -> list[dict[str, Any]]:
    """Both views' values of every layer's parameters, as stored (0 to 1) and in their own unit; theta (2, L * P)."""
    layered = theta.reshape(2, -1, len(parameters))
    human = Scale(parameters).to_human(layered)
    return [
        {
            "layer": layer,
            "module": parameter.module,
            "name": parameter.name,
            "unit": parameter.unit,
            "theta": layered[:, layer, column].tolist(),
            "value": human[:, layer, column].tolist(),
        }
        for layer in range(layered.shape[1])
        for column, parameter in enumerate(parameters)
    ]


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
