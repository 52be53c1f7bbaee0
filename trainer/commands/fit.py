"""`trainer fit`: train, then say in a few lines what came of it."""

from __future__ import annotations

import logging
import warnings
from dataclasses import asdict

from pairstream import logs
from pairstream.console import INTERRUPTED
from trainer.config import FitSettings
from trainer.fit import fit, is_first_process
from trainer.summary import Summary

_log = logging.getLogger(__name__)


def run(settings: FitSettings) -> int:
    """0 when all steps are done, 130 when SIGTERM or SIGINT ended the training early."""
    if settings.log_format == "json":
        logs.configure("info", "json")
    _hush_lightning()
    summary = fit(settings)
    status = 0 if summary.finished else INTERRUPTED
    if is_first_process() and settings.log_format == "json":
        logs.event(_log, "done" if summary.finished else "stopped early", **asdict(summary))
    elif is_first_process():
        _tell(summary, settings)
    return status


def _tell(summary: Summary, settings: FitSettings) -> None:
    print(
        f"{summary.run}: {summary.steps:,} steps, {summary.pairs:,} pairs in {summary.seconds:,.1f} s "
        f"({summary.pairs_per_second:,.0f} pairs/s, {summary.trainer_wait_fraction:.1%} of the time waiting for data)"
    )
    if not summary.finished:
        print(f"stopped early; continue with: trainer fit --run {summary.run} --stream {settings.stream} --resume")
    if summary.hit_at_1_after is not None:
        print(
            f"hit@1 among {summary.held_out} held-out {summary.held_out_of}: {summary.hit_at_1_before:.3f} untrained, "
            f"{summary.hit_at_1_after:.3f} trained (chance {summary.chance:.4f})"
        )


def _hush_lightning() -> None:
    """Its news of devices and products, and what it has yet to learn about torch, are not the user's."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
