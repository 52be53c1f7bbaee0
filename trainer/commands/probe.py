"""`trainer probe`: tables on standard output, and into whatever files are asked for."""

from __future__ import annotations

import logging
import shlex
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console

from pairstream.errors import ConfigError
from pairstream.files import write_text
from trainer.memory import enough_memory
from trainer.probe import probe
from trainer.probe_settings import ProbeSettings
from trainer.probes.cache import Cache
from trainer.probes.measure import Scored
from trainer.probes.report import ProbeReport, report_of
from trainer.probes.tables import FOOT, for_terminal, markdown
from trainer.probes.writing import parted, write_csv, write_report_json, write_section

_log = logging.getLogger(__name__)


def run(settings: ProbeSettings) -> None:
    """Probe, show, write; `probe.md` and `probe.json` into the run folder, if only one is probed."""
    if settings.markdown is not None:
        parted(settings.markdown, settings.section)  # before all the work
    with enough_memory("probing", "probe fewer checkpoints at a time, or on a CPU with --accelerator cpu"):
        scored = probe(settings)
    report = report_of(scored, shlex.join(["trainer", *sys.argv[1:]]))
    console = Console()
    for table in for_terminal(report):
        console.print(table)
    console.print(FOOT, style="dim")
    _write(settings, report)
    if settings.figures is not None:
        for path in _draw(report, scored, settings, settings.figures):
            console.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _draw(report: ProbeReport, scored: list[Scored], settings: ProbeSettings, folder: Path) -> list[Path]:
    """Imported only where it is wanted: matplotlib takes its time to load."""
    draw = import_module("trainer.figures.draw").draw
    paths: list[Path] = draw(report, scored, Cache(settings.cache), settings.projection, folder)
    return paths


def _write(settings: ProbeSettings, report: ProbeReport) -> None:
    if settings.json is not None:
        write_report_json(settings.json, report)
    if settings.csv is not None:
        write_csv(settings.csv, report)
    if settings.markdown is not None:
        write_section(settings.markdown, settings.section, report)
    only = Path(settings.checkpoint[0]) if len(settings.checkpoint) == 1 else None
    if only is not None and (only / "checkpoints").is_dir():
        try:  # nobody asked for these
            write_text(only / "probe.md", markdown(report))
            write_report_json(only / "probe.json", report)
        except ConfigError as error:
            _log.warning("%s", error)
