"""Where a ProbeReport is written: JSON with everything, CSV with a line per result, Markdown with the tables."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path

from pairstream.errors import ConfigError
from pairstream.files import write_json, write_text
from trainer.probes.report import ProbeReport
from trainer.probes.tables import markdown

COLUMNS = ("data", "probe", "row", "source", "seed", "step", "accuracy", "low", "high")


def write_report_json(path: Path, report: ProbeReport) -> None:
    """Everything: every run's result, and under `cells` what the tables show."""
    cells = [
        {"probe": probe, "row": row, "data": data.name, **asdict(report.cell(probe, row, data.name))}
        for probe in report.probes
        for row in report.rows
        for data in report.data
    ]
    write_json(path, asdict(report) | {"cells": cells})


def write_csv(path: Path, report: ProbeReport) -> None:
    """A line per run, folder and probe."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for found in report.results:
        said = (found.data, found.probe, found.row, found.source, found.seed, found.step)
        lines.writerow(
            [*said, *(f"{value:.6f}" for value in (found.estimate.mean, found.estimate.low, found.estimate.high))]
        )
    write_text(path, text.getvalue())


def write_section(path: Path, section: str, report: ProbeReport) -> None:
    """The Markdown between `<!-- begin: SECTION -->` and `<!-- end: SECTION -->`; what is outside of them is kept.

    Raises:
        ConfigError: see `parted`.
    """
    before, after = parted(path, section)
    write_text(path, f"{before}\n\n{markdown(report)}\n{after}")


def parted(path: Path, section: str) -> tuple[str, str]:
    """What is before the section of a Markdown file, and what is after it, with its two marks.

    Raises:
        ConfigError: the file is no text, or has no such marks, so nothing in it may be replaced.
    """
    begin, end = f"<!-- begin: {section} -->", f"<!-- end: {section} -->"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return begin, f"{end}\n"
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot write a section into {path}: {error}; name a Markdown file") from error
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ConfigError(f"{path} has no section {section!r}; put two lines where it belongs, {begin} and {end}")
    return f"{before}{begin}", f"{end}{after}"
