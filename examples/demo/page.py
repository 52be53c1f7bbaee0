"""pairs.html: a dozen pairs to hear and see, in one file that needs nothing else."""

from __future__ import annotations

import base64
import io
import json
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import matplotlib.image
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from pairstream import PairBlock, StreamSpec
from pairstream.files import write_text
from synth_server.patches import Parameter, load_patch
from synth_server.patches.scale import Scale
from trainer.frontend import LogMel
from trainer.picture import Picture

SHOWN_PARAMETERS = 6
_TEMPLATE = Path(__file__).with_name("page.html")
_COLOURS = matplotlib.colormaps["magma"]
#: The log-mel of silence, log(0.01), and about the loudest that occurs: the ends of the colour scale.
_DARKEST, _BRIGHTEST = -4.6, 4.0


def write_page(path: Path, spec: StreamSpec, block: PairBlock, pairs: int) -> None:
    """Write the first `pairs` pairs of a block of `spec`'s stream to `path`."""
    parameters = load_patch(spec.synth, spec.oscillators).parameters
    pictures = LogMel(Picture(sample_rate=spec.sample_rate))(
        torch.from_numpy(block.audio[:pairs].astype(np.float32)).flatten(0, 1)
    )
    cards = [
        _card(pair, block, spec, parameters, pictures[2 * pair : 2 * pair + 2, 0].numpy()) for pair in range(pairs)
    ]
    page = Template(_TEMPLATE.read_text()).substitute(
        title=f"{pairs} audio doppelgängers",
        synth=escape(spec.synth),
        parameters=len(parameters),
        delta=escape(str(spec.as_dict()["delta"])),
        digest=block.digest[:12],
        index=block.index,
        spec=escape(json.dumps(spec.as_dict(), indent=2)),
        command=escape(_command(spec, block.index, pairs)),
        cards="\n".join(cards),
    )
    write_text(path, page)


def _command(spec: StreamSpec, index: int, pairs: int) -> str:
    """What to type to make the same pairs again: only what differs from the default spec is said."""
    default = StreamSpec().as_dict()
    flags = [f"--spec.{name}={value}" for name, value in spec.as_dict().items() if value != default[name]]
    return shlex.join(["synth-server", "render", f"--index={index}", f"--pairs={pairs}", *flags])


def _card(
    pair: int, block: PairBlock, spec: StreamSpec, parameters: Sequence[Parameter], pictures: NDArray[np.float32]
) -> str:
    views = "".join(
        f'<figure><img src="{_picture(pictures[view])}" width="192" height="128" '
        f'alt="log-mel spectrogram of view {name} of pair {pair}">'
        f'<audio controls preload="metadata" src="{_sound(block.audio[pair, view], spec.sample_rate)}" '
        f'aria-label="view {name} of pair {pair}"></audio>'
        f"<figcaption>view {name}</figcaption></figure>"
        for view, name in enumerate("ab")
    )
    rows = "".join(
        f"<tr><th>{escape(row['label'])}</th><td>{row['a']}</td><td>{row['b']}</td><td>{escape(row['unit'])}</td></tr>"
        for row in _differences(block.theta[pair], parameters)
    )
    return (
        f'<article id="pair-{pair}"><h2>pair {pair}</h2><div class="views">{views}</div><table><thead><tr>'
        f"<th>differs most in</th><td>a</td><td>b</td><td></td></tr></thead><tbody>{rows}</tbody></table></article>"
    )


def _differences(theta: NDArray[np.float32], parameters: Sequence[Parameter]) -> list[Mapping[str, Any]]:
    """The parameters that δ moved furthest, in human units; theta (2, P)."""
    human = Scale(parameters).to_human(theta)
    furthest = np.argsort(-np.abs(theta[0] - theta[1]))[:SHOWN_PARAMETERS]
    return [
        {
            "label": parameters[column].label,
            "a": f"{human[0, column]:.3g}",
            "b": f"{human[1, column]:.3g}",
            "unit": parameters[column].unit,
        }
        for column in furthest
    ]


def _picture(log_mel: NDArray[np.float32]) -> str:
    """(96 frames, 64 bands) as a PNG, time to the right and low bands at the bottom, as the encoder gets it."""
    level = np.clip((log_mel.T[::-1] - _DARKEST) / (_BRIGHTEST - _DARKEST), 0.0, 1.0)
    file = io.BytesIO()
    matplotlib.image.imsave(file, _COLOURS(level), format="png")
    return _inline("image/png", file.getvalue())


def _sound(samples: NDArray[Any], sample_rate: int) -> str:
    file = io.BytesIO()
    soundfile.write(file, samples.astype(np.float32), sample_rate, "PCM_16", format="WAV")
    return _inline("audio/wav", file.getvalue())


def _inline(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
