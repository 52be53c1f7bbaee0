"""The console script `trainer` on toy streams, which also writes down every batch that it has trained on.

To the folder that `TOY_RECORD` names, one file per process: a line for each step, with the step, the rank and the
SHA-256 of every pair of the rank's part, in order.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import tone_stream


def recorded(folder: Path) -> dict[int, list[str]]:
    """Of every step that all ranks took the pairs of its global batch, in the order of ranks.

    Raises:
        AssertionError: a repeated step had other pairs.
    """
    parts: defaultdict[int, dict[tuple[int, int], list[str]]] = defaultdict(dict)
    for file in sorted(folder.glob("*.jsonl")):
        for text in file.read_text().splitlines():
            line = json.loads(text)
            parts[line["step"]][line["world"], line["rank"]] = line["pairs"]
    batches = {}
    for step, of in parts.items():
        worlds = {world for world, _ in of}
        whole = [
            [*chain.from_iterable(of[world, rank] for rank in range(world))]
            for world in worlds
            if all((world, rank) in of for rank in range(world))
        ]
        assert all(one == whole[0] for one in whole), f"step {step} was repeated with other pairs"
        if whole:
            batches[step] = whole[0]
    return batches


def record(folder: Path) -> None:
    """From now on, this process writes down what it trains on."""
    from trainer.data import StreamData

    trained_on = StreamData.trained_on

    def noted(data: StreamData, batch: Any, *, ends_step: bool) -> None:
        trained_on(data, batch, ends_step=ends_step)
        trainer = data.trainer
        assert trainer is not None
        pairs = [sha256(pair.numpy().tobytes()).hexdigest()[:16] for pair in batch.audio]
        line = {"step": trainer.global_step, "rank": trainer.global_rank, "world": trainer.world_size, "pairs": pairs}
        with (folder / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    StreamData.trained_on = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    tone_stream.install()
    record(Path(os.environ["TOY_RECORD"]))
    from trainer.cli import main

    sys.exit(main())
