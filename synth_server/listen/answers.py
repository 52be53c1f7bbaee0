"""What the page is told of a pair, as plain values for JSON. All of it follows from (spec, index, pair)."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.spec import StreamSpec
from synth_server.differences import Difference, differences
from synth_server.listen import logmel, permalink
from synth_server.listen.pairs import Pair
from synth_server.patches import PATCHES, Parameter, load_patch


def link(spec: StreamSpec, index: int, pair: int) -> str:
    """The path and query that name a pair, below `/` for people and below `/api/` for the page."""
    query = permalink.write(spec)
    return f"pair/{index}/{pair}{'?' if query else ''}{query}"


def describe(pair: Pair) -> dict[str, Any]:
    """Everything about a pair but its samples."""
    spec = pair.spec
    parameters = load_patch(spec.synth, spec.oscillators).parameters
    return {
        "index": pair.index,
        "pair": pair.pair,
        "link": f"/{link(spec, pair.index, pair.pair)}",
        "stream": stream(spec),
        "command": permalink.command(spec, pair.index, pair.pair),
        "log_mel": {
            "bands": logmel.BANDS,
            "hop_seconds": logmel.HOP_SECONDS,
            "window_seconds": logmel.WINDOW_SECONDS,
            "edges_hertz": np.round(logmel.band_edges(spec.sample_rate), 1).tolist(),
            "views": [_picture(samples, spec.sample_rate) for samples in pair.audio],
        },
        "differences": [_row(difference) for difference in differences(pair.theta, parameters)],
    }


def stream(spec: StreamSpec) -> dict[str, Any]:
    """A stream's name, its link, its fields as texts, and those that the page counts with."""
    return {
        "digest": spec.digest,
        "query": permalink.write(spec),
        "fields": permalink.texts(spec),
        "synth": spec.synth,
        "delta": spec.as_dict()["delta"],
        "block_pairs": spec.block_pairs,
        "sample_rate": spec.sample_rate,
        "seconds": spec.seconds,
    }


def offer() -> dict[str, int]:
    """The synthesizers by name, and the number of their parameters."""
    return {name: len(load_patch(name).parameters) for name in PATCHES}


def cosine(embeddings: NDArray[np.float32]) -> float:
    """Of two embeddings (2, D): 1 is the same direction, 0 nothing in common."""
    a, b = embeddings.astype(np.float64)
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), np.finfo(np.float64).tiny))


def _picture(samples: NDArray[Any], sample_rate: int) -> str:
    """(frames, 64) bytes, as base64."""
    return base64.b64encode(logmel.picture(samples.astype(np.float32), sample_rate).tobytes()).decode()


def _row(difference: Difference) -> dict[str, Any]:
    parameter: Parameter = difference.parameter
    return {
        "layer": difference.layer,
        "module": parameter.module,
        "name": parameter.name,
        "group": parameter.group,
        "description": parameter.description,
        "theta": difference.theta,
        "text": difference.texts,
        "change": difference.change,
    }
