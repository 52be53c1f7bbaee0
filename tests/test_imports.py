"""Imports run one way: pairstream <- synth_server, pairstream <- trainer; never sideways, never back."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "pairstream": {"pairstream"},
    "synth_server": {"pairstream", "synth_server"},
    "trainer": {"pairstream", "trainer"},
}
FOLDERS = {"pairstream": ROOT / "proto/pairstream", "synth_server": ROOT / "synth_server", "trainer": ROOT / "trainer"}


def imported(path: Path) -> Iterator[str]:
    """The top-level names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", ALLOWED)
def test_no_file_imports_sideways(package: str):
    files = sorted(FOLDERS[package].rglob("*.py"))
    assert len(files) > 10
    for path in files:
        ours = set(imported(path)) & set(ALLOWED)
        assert ours <= ALLOWED[package], f"{path.relative_to(ROOT)} imports {ours - ALLOWED[package]}"


@pytest.mark.parametrize("package", ALLOWED)
def test_every_folder_with_code_is_a_package_and_so_is_installed(package: str):
    folders = {path.parent for path in FOLDERS[package].rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_contract_needs_no_torch_but_in_its_torch_file():
    users = {path.name for path in FOLDERS["pairstream"].rglob("*.py") if "torch" in set(imported(path))}
    assert users == {"torch.py"}


def test_the_trainer_never_imports_the_synthesizer():
    assert all("torchsynth" not in set(imported(path)) for path in FOLDERS["trainer"].rglob("*.py"))


@pytest.mark.parametrize(
    "statement",
    [
        "import pairstream",
        "import pairstream.v1.worker_pb2_grpc",
        "import synth_server.engines, synth_server.patches, synth_server.server",
        "from synth_server.cli import main; main(['--help'])",
        "from synth_server.cli import main; main(['serve', '--help'])",
        "from synth_server.cli import main; main(['listen', '--help'])",
        "from trainer.cli import main; main(['--help'])",
        "from trainer.cli import main; main(['fit', '--help'])",
    ],
)
def test_this_loads_no_torch(statement: str):
    script = f"""
import sys
try:
    {statement}
except SystemExit as exit:
    assert exit.code == 0
heavy = {{"torch", "pytorch_lightning", "sklearn", "starlette", "uvicorn"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, timeout=60)


def test_a_trainer_with_onnxruntime_around_reports_to_nobody():
    script = "import os, trainer; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    plain = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=plain).stdout == b"1\n"
