"""`trainer probe`: the table on standard output, and into the run folder."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console

from pairstream.files import write_json, write_text
from trainer.config import ProbeSettings
from trainer.device import device_of
from trainer.probe import probe
from trainer.probe_table import for_terminal, markdown


def run(settings: ProbeSettings) -> None:
    """Probe, show, and write `probe.md` and `probe.json` if the checkpoint is a run folder."""
    table = probe(settings.checkpoint, settings.data, c=settings.c, device=device_of(settings.accelerator))
    Console().print(for_terminal(table))
    if settings.checkpoint.is_dir():
        write_text(settings.checkpoint / "probe.md", markdown(table))
        write_json(settings.checkpoint / "probe.json", asdict(table))
    if settings.json is not None:
        write_json(settings.json, asdict(table))
