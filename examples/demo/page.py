"""pairs.html: a dozen pairs to hear and see, in one file that needs nothing else. `synth-server listen` shows more."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import matplotlib.image
import numpy as np
import soundfile
from numpy.typing import NDArray

from pairstream import PairBlock, StreamSpec
from pairstream.files import write_text
from synth_server.differences import differences
from synth_server.listen import logmel, permalink
from synth_server.patches import Parameter, load_patch

SHOWN_PARAMETERS = 6
_TEMPLATE = Path(__file__).with_name("page.html")
_COLOURS = matplotlib.colormaps["magma"]


def write_page(path: Path, spec: StreamSpec, block: PairBlock, pairs: int) -> None:
    """Write the first `pairs` pairs of a block of `spec`'s stream to `path`."""
    parameters = load_patch(spec.synth, spec.oscillators).parameters
    page = Template(_TEMPLATE.read_text()).substitute(
        title=f"{pairs} audio doppelgängers",
        synth=escape(spec.synth),
        parameters=len(parameters),
        delta=escape(permalink.texts(spec)["delta"]),
        digest=block.digest[:12],
        index=block.index,
        spec=escape(json.dumps(spec.as_dict(), indent=2)),
        command=escape(permalink.command(spec, block.index, 0, pairs)),
        seconds=f"{spec.seconds:g}",
        cards="\n".join(_card(pair, block, spec, parameters) for pair in range(pairs)),
    )
    write_text(path, page)


def _card(pair: int, block: PairBlock, spec: StreamSpec, parameters: Sequence[Parameter]) -> str:
    views = "".join(
        f'<figure><img src="{_picture(samples, spec.sample_rate)}" width="192" height="128" '
        f'alt="log-mel spectrogram of view {name} of pair {pair}">'
        f'<audio controls preload="metadata" src="{_sound(samples, spec.sample_rate)}" '
        f'aria-label="view {name} of pair {pair}"></audio>'
        f"<figcaption>view {name}</figcaption></figure>"
        for name, samples in zip("ab", block.audio[pair].astype(np.float32), strict=True)
    )
    rows = "".join(
        f"<tr><th>{escape(row.parameter.label)}</th>{''.join(f'<td>{escape(text)}</td>' for text in row.texts)}</tr>"
        for row in differences(block.theta[pair], parameters)[:SHOWN_PARAMETERS]
    )
    return (
        f'<article id="pair-{pair}"><h2>pair {pair}</h2><div class="views">{views}</div><table><thead><tr>'
        f"<th>differs most in</th><td>a</td><td>b</td></tr></thead><tbody>{rows}</tbody></table></article>"
    )


def _picture(samples: NDArray[np.float32], sample_rate: int) -> str:
    """Samples (T,) as a log-mel PNG, time to the right and low bands at the bottom."""
    file = io.BytesIO()
    matplotlib.image.imsave(file, _COLOURS(logmel.picture(samples, sample_rate).T[::-1]), format="png")
    return _inline("image/png", file.getvalue())


def _sound(samples: NDArray[Any], sample_rate: int) -> str:
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, "PCM_16", format="WAV")
    return _inline("audio/wav", file.getvalue())


def _inline(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
