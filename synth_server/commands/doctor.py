"""`synth-server doctor`: is this installation sound, and if not, what cures it.

Each check is a function that returns a finding. The poisons it looks for are real: packages that install
without a word and then break others, and settings that halve the speed.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal

from rich.console import Console
from rich.table import Table

from pairstream.errors import PairstreamError
from pairstream.spec import StreamSpec
from synth_server.config import DoctorSettings
from synth_server.cores import usable_cores

Verdict = Literal["ok", "note", "bad"]
_COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}

#: What must import, and the distribution that brings it.
REQUIRED = {
    "numpy": "numpy",
    "msgpack": "msgpack",
    "zmq": "pyzmq",
    "grpc": "grpcio",
    "google.protobuf": "protobuf",
    "prometheus_client": "prometheus-client",
    "torch": "torch",
    "torchsynth.module": "torchsynth",
    "soundfile": "soundfile",
}


@dataclass(frozen=True)
class Finding:
    """What a check found, and what to do about it."""

    check: str
    verdict: Verdict
    found: str
    cure: str = ""


def run(settings: DoctorSettings) -> int:
    """Print all findings; 1 if any is bad."""
    findings = [finding for check in CHECKS for finding in check()]
    if settings.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        Console().print(_table(findings))
    return int(any(finding.verdict == "bad" for finding in findings))


def _table(findings: list[Finding]) -> Table:
    table = Table(title="synth-server doctor", title_justify="left")
    for column in ("check", "", "found", "what to do"):
        table.add_column(column)
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        table.add_row(finding.check, f"[{colour}]{finding.verdict}[/]", finding.found, finding.cure)
    return table


def _python() -> list[Finding]:
    return [Finding("python", "ok", f"{sys.version.split()[0]}, {usable_cores()} cores")]


def _packages() -> list[Finding]:
    return [_package(module, distribution) for module, distribution in REQUIRED.items()]


def _package(module: str, distribution: str) -> Finding:
    try:
        importlib.import_module(module)
    except Exception as error:
        return Finding(distribution, "bad", f"{type(error).__name__}: {error}", "pip install 'pairstream[server]'")
    return Finding(distribution, "ok", metadata.version(distribution))


def _torchvision() -> list[Finding]:
    """torchvision and torchaudio without a matching torch fail at import, and take Lightning with them."""
    findings = []
    for name in ("torchvision", "torchaudio"):
        if importlib.util.find_spec(name) is None:
            findings.append(Finding(name, "ok", "not installed, not needed"))
            continue
        try:
            importlib.import_module(name)
        except Exception as error:
            cure = f"pip uninstall {name}; nothing here needs it, and it breaks Lightning and torchmetrics"
            findings.append(Finding(name, "bad", f"does not import: {error}", cure))
        else:
            findings.append(Finding(name, "ok", "installed and imports"))
    return findings


def _torchsynth_synth() -> list[Finding]:
    """torchsynth.synth needs two modules that no longer exist; we wire torchsynth.module instead."""
    try:
        importlib.import_module("torchsynth.synth")
    except Exception as error:
        return [Finding("torchsynth.synth", "note", f"does not import: {error}", "nothing: pairstream does not use it")]
    return [Finding("torchsynth.synth", "ok", "imports, though pairstream does not use it")]


def _allocator() -> list[Finding]:
    from synth_server import allocator  # noqa: PLC0415 – it changes this process

    if allocator.tune():
        return [Finding("allocator", "ok", "glibc, tuned by every command that renders")]
    cure = "use a glibc system: elsewhere rendering takes up to twice as long"
    return [Finding("allocator", "note", "not glibc's, left as it is", cure)]


def _device() -> list[Finding]:
    try:
        import torch  # noqa: PLC0415 – it may be what is broken
    except Exception as error:
        return [Finding("device", "bad", str(error), "pip install 'pairstream[server]'")]
    if not torch.cuda.is_available():
        return [Finding("device", "note", "no CUDA device; rendering on the CPU", "")]
    return [Finding("device", "ok", f"cuda: {torch.cuda.get_device_name()}; use --device cuda")]


def _block() -> list[Finding]:
    """The proof: two renderings of one block are the same bytes."""
    try:
        from synth_server.renderer import Renderer  # noqa: PLC0415 – it may be what is broken

        hashes = set()
        for threads in (1, 2):
            renderer = Renderer(StreamSpec(block_pairs=40), threads=threads)
            hashes.add(renderer.render(0).sha256())
            renderer.close()
    except (PairstreamError, ImportError, RuntimeError) as error:
        return [Finding("render", "bad", f"{type(error).__name__}: {error}", "mend what is bad above, or report this")]
    if len(hashes) > 1:
        cure = "report this: one and two threads must give the same bytes"
        return [Finding("render", "bad", "two renderings of one block differ", cure)]
    return [Finding("render", "ok", f"block 0 twice, the same bytes: sha256 {hashes.pop()[:16]}…")]


CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    _python,
    _packages,
    _torchvision,
    _torchsynth_synth,
    _allocator,
    _device,
    _block,
)
