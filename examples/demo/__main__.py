"""`make demo`: a worker renders pairs, a trainer in another process learns from them, and a report says how it went."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from examples.demo.page import write_page
from examples.demo.processes import Worker, trainer
from pairstream import StreamSpec, connect, console
from pairstream.errors import ConfigError
from pairstream.files import write_json
from trainer.recordings import read_manifest

PAIRS_SHOWN = 12
#: What hit@1 must gain for the demonstration to have shown anything.
LEAST_GAIN = 0.03
FULL_RUN = "trainer fit --preset paper --stream zmq://127.0.0.1:5555 --run runs/paper"
NOTE = (
    "This is a demonstration: a small encoder, an easy stream and a few minutes show that learning works, "
    "not how good it gets. The paper's run takes 18 million pairs on a GPU"
)


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """Train a small encoder for a few minutes on pairs from a worker in another process."""

    run: Path = Path("runs/demo")
    """The folder for everything the demonstration writes; an earlier demonstration there is replaced."""
    data: list[Path] = field(default_factory=list)
    """Folders of labelled recordings to probe the encoder on: each has a manifest.csv."""
    max_steps: int | None = None
    """Fewer optimiser steps than the preset's, to try the way only."""


def run(settings: DemoSettings) -> int:
    """Make the demonstration; 1 if the encoder learned too little to show."""
    for folder in settings.data:
        read_manifest(folder)  # what is wrong with it should be said now, not after the training
    _make_room(settings.run)
    log = _worker_log(settings.run)
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{NOTE}:\n  {FULL_RUN}\n")
    print("starting a worker; its very first start on a machine compiles for some ten seconds", flush=True)
    with Worker(log) as worker:
        print(f"the worker serves pairs at {worker.url}; training from it in another process", flush=True)
        steps = [f"--max_steps={settings.max_steps}"] if settings.max_steps else []
        trainer("fit", "--preset=demo", f"--stream={worker.url}", f"--run={settings.run}", *steps)
        spec = StreamSpec.from_dict(json.loads((settings.run / "config.json").read_text())["plan"]["spec"])
        with connect(worker.url, spec, experiment="page") as client:
            write_page(settings.run / "pairs.html", spec, client.fetch(0), min(PAIRS_SHOWN, spec.block_pairs))
    report = _report(settings, spec)
    write_json(settings.run / "report.json", report)
    return _tell(settings.run, report)


def _worker_log(run: Path) -> Path:
    """Beside the folder, from before there is one: so that is known which folders are a demonstration's."""
    return run.with_name(f"{run.name}-worker.log")


def _make_room(run: Path) -> None:
    if not run.exists():
        return
    ours = _worker_log(run).exists() and ((run / "report.json").exists() or (run / "config.json").exists())
    if not ours and (not run.is_dir() or any(run.iterdir())):
        raise ConfigError(f"{run} exists and is not a demonstration's; remove it or choose another --run")
    print(f"replacing the earlier demonstration in {run}")
    shutil.rmtree(run)


def _report(settings: DemoSettings, spec: StreamSpec) -> dict[str, Any]:
    summary = json.loads((settings.run / "summary.json").read_text())
    before, after = summary["hit_at_1_before"], summary["hit_at_1_after"]
    report = {
        "note": NOTE,
        "full_run": FULL_RUN,
        "digest": spec.digest,
        "spec": spec.as_dict(),
        "pairs": summary["pairs"],
        "seconds": summary["seconds"],
        "pairs_per_second": summary["pairs_per_second"],
        "trainer_wait_fraction": summary["trainer_wait_fraction"],
        "loss": {"first": summary["loss_first"], "last": summary["loss_last"]},
        "hit_at_1": {"before": before, "after": after, "chance": summary["chance"], "held_out": summary["held_out"]},
        "learned": after - before >= LEAST_GAIN,
    }
    if settings.data:
        table = settings.run / "probe.json"
        trainer("probe", f"--checkpoint={settings.run}", f"--json={table}", "--data", *map(str, settings.data))
        report["probe"] = json.loads(table.read_text())
    return report


def _tell(run: Path, report: dict[str, Any]) -> int:
    hit, loss = report["hit_at_1"], report["loss"]
    table = Table(title="what the demonstration came to", title_justify="left", show_header=False)
    table.add_row(
        "pairs", f"{report['pairs']:,} in {report['seconds']:.0f} s, {report['pairs_per_second']:,.0f} a second"
    )
    table.add_row("waiting for data", f"{report['trainer_wait_fraction']:.1%} of the trainer's time")
    table.add_row("loss", f"{loss['first']:.3f} → {loss['last']:.3f}")
    table.add_row(
        f"hit@1 of {hit['held_out']} held-out pairs",
        f"{hit['before']:.3f} → {hit['after']:.3f}, chance {hit['chance']:.3f}",
    )
    Console().print(table)
    print(f"report: {run / 'report.json'}")
    print(f"listen: {run / 'pairs.html'}, or synth-server listen --checkpoint {run}")
    print(f"to learn in earnest: {FULL_RUN}")
    if not report["learned"]:
        print(f"hit@1 gained less than {LEAST_GAIN}: that shows nothing", file=sys.stderr)
        return 1
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, with settings as flags."""
    command = console.Command(name="run", settings=DemoSettings, run="examples.demo.__main__:run")
    return console.main("demo", "The demonstration behind `make demo`.", [command], ["run", *(argv or sys.argv[1:])])


if __name__ == "__main__":
    sys.exit(main())
