"""What can be wrong with an installation, and what cures it: the checks behind `synth-server doctor`.

Each check is a function that returns a finding. The poisons it looks for are real: packages that install
without a word and then break others, and settings that halve the speed.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from pairstream.cores import usable_cores
from pairstream.errors import PairstreamError
from pairstream.spec import StreamSpec
from synth_server.limits import MIB

Verdict = Literal["ok", "note", "bad"]

#: What must import, and the distribution that brings it.
REQUIRED = {
    "numpy": "numpy",
    "msgpack": "msgpack",
    "zmq": "pyzmq",
    "grpc": "grpcio",
    "google.protobuf": "protobuf",
    "prometheus_client": "prometheus-client",
    "numba": "numba",
    "soundfile": "soundfile",
}
#: What only the engine `torchsynth` needs.
OPTIONAL = {"torch": "torch", "torchsynth.module": "torchsynth"}


TORCH_AT_LEAST = (2, 11)
SHARED_MEMORY_AT_LEAST = 256 * MIB


@dataclass(frozen=True)
class Finding:
    """What a check found, and what to do about it."""

    check: str
    verdict: Verdict
    found: str
    cure: str = ""


def _python() -> list[Finding]:
    return [Finding("python", "ok", f"{sys.version.split()[0]}, {usable_cores()} cores")]


def _packages() -> list[Finding]:
    missing = [name for name in OPTIONAL.values() if importlib.util.find_spec(name) is None]
    cure = "pip install 'pairstream[torchsynth]', if you want that engine"
    return [
        *(_package(module, name) for module, name in REQUIRED.items()),
        *(_package(module, name) for module, name in OPTIONAL.items() if not missing),
        *(Finding(name, "note", "not installed; only the engine torchsynth needs it", cure) for name in missing),
    ]


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


def _torch_version() -> list[Finding]:
    """The tests run with one version; the oldest that is known to do is TORCH_AT_LEAST."""
    try:
        found = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return []  # _packages has said so
    if tuple(map(int, found.split("+")[0].split(".")[:2])) < TORCH_AT_LEAST:
        cure = "pip install torch==2.13.0, the version of constraints.txt"
        return [Finding("torch version", "bad", f"{found} is too old", cure)]
    return []


def _slow_losses() -> list[Finding]:
    """A loss whose memory grows with the cube of the batch: 256 pairs take 2 GB, 768 more than 24 GB."""
    if importlib.util.find_spec("pytorch_metric_learning") is None:
        return []
    cure = "nothing, unless you use its NTXentLoss: not with more than 256 pairs"
    return [Finding("pytorch-metric-learning", "note", "installed; its NT-Xent needs memory ~ batch³", cure)]


def _shared_memory() -> list[Finding]:
    """A DataLoader with num_workers=1 hands blocks over in shared memory; containers often have 64 MiB of it."""
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return []
    free = shutil.disk_usage(folder).free
    if free >= SHARED_MEMORY_AT_LEAST:
        return [Finding("shared memory", "ok", f"{free // MIB} MiB free")]
    cure = "use num_workers=0, or start the container with --shm-size 1g"
    return [Finding("shared memory", "note", f"only {free // MIB} MiB free in {folder}", cure)]


def _torchsynth_synth() -> list[Finding]:
    """torchsynth.synth needs two modules that no longer exist; we wire torchsynth.module instead."""
    try:
        importlib.import_module("torchsynth.synth")
    except Exception as error:
        return [Finding("torchsynth.synth", "note", f"does not import: {error}", "nothing: pairstream does not use it")]
    return [Finding("torchsynth.synth", "ok", "imports, though pairstream does not use it")]


def _allocator() -> list[Finding]:
    from pairstream import allocator  # noqa: PLC0415 – it changes this process

    if allocator.tune():
        return [Finding("allocator", "ok", "glibc, tuned by every command that renders")]
    cure = "use a glibc system: elsewhere rendering takes up to twice as long"
    return [Finding("allocator", "note", "not glibc's, left as it is", cure)]


def _device() -> list[Finding]:
    """What the default engine makes of the cards that there are."""
    try:
        from synth_server.engines.fused.cuda.card import find_card  # noqa: PLC0415 – numba may be what is broken

        number = find_card("cuda")
    except (PairstreamError, ImportError) as error:
        return [Finding("device", "note", f"rendering on the CPU: {error}", "")]
    return [Finding("device", "ok", f"cuda:{number} is there; use --device cuda")]


def _kernels() -> list[Finding]:
    """The default engine is compiled once per kind of processor; where that cannot be kept, at every start."""
    try:
        from synth_server import kept  # noqa: PLC0415 – numba may be what is broken
        from synth_server.engines import load_engine  # noqa: PLC0415
        from synth_server.engines.fused.kernel import play  # noqa: PLC0415

        began = time.perf_counter()
        load_engine("fused", threads=1).close()
    except (PairstreamError, ImportError, RuntimeError) as error:
        return [Finding("kernels", "bad", f"{type(error).__name__}: {error}", "mend what is bad above, or report this")]
    folder, seconds = kept.folder_of(play) or "nowhere", time.perf_counter() - began
    was_kept = bool(play.stats.cache_hits)  # type: ignore[attr-defined]
    found = f"{'loaded' if was_kept else 'compiled'} in {seconds:.1f} s, kept in {folder}"
    if trouble := kept.trouble_with(play):
        return [Finding("kernels", "note", f"{found}: {trouble}", kept.REMEDY)]
    return [Finding("kernels", "ok", found)]


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
    _torch_version,
    _torchvision,
    _torchsynth_synth,
    _slow_losses,
    _shared_memory,
    _allocator,
    _device,
    _kernels,
    _block,
)
