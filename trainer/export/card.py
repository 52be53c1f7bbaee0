"""README.md of an exported folder, its model card: what the model is, what it learned from, how to load it.

Every number in it is in config.json; what the run folder did not know is not in the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer import exported

HEAD = """\
---
license: {licence}
pipeline_tag: feature-extraction
tags: [audio, contrastive-learning]
---

# {name}

An audio encoder of {parameters:,} parameters. Mono audio at {sample_rate} Hz goes in; {feature_size} numbers of the
pooled layer, which probes read, and {embedding_size} of the final layer, which the training saw, come out. It was
trained with Pairstream, after Cherep & Singh, "Contrastive Learning from Synthetic Audio Doppelgängers" (ICLR 2025).
"""

LOAD = {
    exported.WEIGHTS: """\
```python
from pathlib import Path
from trainer.checkpoints import load_model  # pip install 'pairstream[trainer]'

model, plan = load_model(Path("{name}"))
features = model.features(audio)  # torch float32 (B, T) in [-1, 1] -> (B, {feature_size})
```
""",
    exported.ONNX: """\
```python
import onnxruntime

session = onnxruntime.InferenceSession("{name}/model.onnx")
features, embedding = session.run(None, {{"audio": audio}})  # NumPy float32 (B, T), T from {shortest:,} on
```
""",
    exported.TORCH_EXPORT: """\
```python
import torch

model = torch.export.load("{name}/model.pt2").module()  # only from whom you trust: torch may run what is in it
features, embedding = model(audio)  # torch float32 (B, T), T from {shortest:,} on
```
""",
}


LEARNED_FROM_A_STREAM = "Apache 2.0, as the code, unless whoever trained it says otherwise."
LEARNED_FROM_RECORDINGS = "It learned from recordings: whoever hands it on must see what their licences allow."


def model_card(name: str, config: Mapping[str, Any]) -> str:
    """The card in Markdown, with the front matter that model hubs read."""
    plan = config["plan"]
    return "\n".join(
        [
            HEAD.format(name=name, licence="other" if plan["data"]["recordings"] else "apache-2.0", **config),
            f"## Load it\n\n{_loading(name, config)}",
            f"## Training\n\n{_table(config['trained'])}\n\nStream `{config['digest']}`:\n\n{_table(plan['spec'])}\n",
            f"Material:\n\n{_table(plan['data'])}\n",
            f"Recipe:\n\n{_table(plan['recipe'])}\n",
            f"## Files\n\n{_files(config)}\n",
            f"## Licence\n\n{LEARNED_FROM_RECORDINGS if plan['data']['recordings'] else LEARNED_FROM_A_STREAM}",
            "",
        ]
    )


def _loading(name: str, config: Mapping[str, Any]) -> str:
    files = config["files"]
    return "\n".join(
        LOAD[file].format(name=name, shortest=about["shortest_samples"], **config) for file, about in files.items()
    )


def _files(config: Mapping[str, Any]) -> str:
    lines = [
        "Each file was read back and compared with the live model. Differences are relative to a layer's largest.",
        "",
        "| file | bytes | difference | allowed | sounds |",
        "|---|---|---|---|---|",
    ]
    for file, about in config["files"].items():
        checked = about["checked"]
        figures = f"{checked['difference']:.1e} | {checked['tolerance']:.0e} | {checked['sounds']}"
        lines.append(f"| `{file}` | {about['bytes']:,} | {figures} |")
    return "\n".join(lines)


def _table(values: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {value} |" for name, value in values.items() if value is not None]
    return "\n".join(["| | |", "|---|---|", *rows])
