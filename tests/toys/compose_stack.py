"""The services of docker-compose.yml in a real engine, under a project's name of their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

from images import ROOT
from prometheus_client.parser import text_string_to_metric_families

PROJECT = "pairstream-test"

T = TypeVar("T")


def free_port() -> str:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def engine_trouble() -> str:
    """Why there is no engine to try; empty if there is one."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            return f"`{' '.join(command)}` says: {done.stderr.strip().splitlines()[-1]}"
    return ""


def until(condition: Callable[[], T], what: str, seconds: float = 180.0) -> T:
    """What the condition gives, once that is true."""
    deadline, trouble = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            if answer := condition():
                return answer
            trouble = ""
        except (OSError, ValueError, subprocess.SubprocessError) as error:  # a container that is on its way
            trouble = str(error)
        time.sleep(1.0)
    raise AssertionError(f"not within {seconds:.0f} s: {what}; {trouble}")


class Stack:
    """The services, with settings of a test's own; other variables are those of .env and of the shell."""

    def __init__(self, settings: Mapping[str, str], *files: Path) -> None:
        self.settings = dict(settings)
        names = [ROOT / "docker-compose.yml", *files]
        self._command = ["docker", "compose", "--project-name", PROJECT, *(f"--file={name}" for name in names)]
        self._command += ["--profile", "experiments", "--profile", "observe"]

    def compose(self, *words: str, seconds: float = 120.0) -> str:
        """`docker compose …`; what it says on stdout. Raises AssertionError with all that it says if it fails."""
        done = subprocess.run(
            [*self._command, *words],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=os.environ | self.settings,
        )
        if done.returncode:
            raise subprocess.SubprocessError(f"{' '.join(words)}: {done.stdout[-2_000:]} {done.stderr[-4_000:]}")
        return done.stdout

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What the engine says of each container of a service, in the order of their numbers."""
        names = self.compose("ps", "--all", "--quiet", service).split()
        if not names:
            return []
        done = subprocess.run(["docker", "inspect", *names], check=True, capture_output=True, text=True, timeout=60)
        return sorted(json.loads(done.stdout), key=lambda container: str(container["Name"]))

    def healthy(self, service: str) -> int:
        """How many containers of a service are."""
        return sum(item["State"].get("Health", {}).get("Status") == "healthy" for item in self.containers(service))

    def run(self, container: str, *command: str) -> str:
        """Run a command in a container, by its name."""
        done = subprocess.run(
            ["docker", "exec", container, *command], check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def log(self, container: str) -> list[str]:
        """What a container has said, line by line."""
        command = ["docker", "logs", container]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
        )
        return done.stdout.splitlines()

    def kill_main_process(self, container: str) -> None:
        """SIGKILL to what runs in a container: not to its init, which a kill from inside does not reach."""
        self.run(container, "sh", "-c", "kill -9 $(cat /proc/1/task/1/children)")

    def metrics(self, container: str, port: int) -> dict[tuple[str, tuple[str, ...]], float]:
        """What a process exports: (name, values of the labels) to value."""
        script = f"from urllib.request import urlopen as o; print(o('http://127.0.0.1:{port}/metrics').read().decode())"
        text = self.run(container, "python", "-c", script)
        samples = [item for family in text_string_to_metric_families(text) for item in family.samples]
        return {(item.name, tuple(item.labels.values())): item.value for item in samples}

    def each(self, service: str, name: str, port: int) -> list[float]:
        """A metric of every container of a service, summed over its labels."""
        exported = [self.metrics(item["Name"][1:], port) for item in self.containers(service)]
        return [sum(value for (metric, _), value in one.items() if metric == name) for one in exported]

    def journal(self, run: str) -> list[dict[str, Any]]:
        """The records of a run, read from its volume; a last line that is being written is left out."""
        (listener, *_) = self.containers("listen")
        lines = self.run(listener["Name"][1:], "cat", f"/runs/{run}/metrics.jsonl").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def prometheus(self, path: str) -> Any:
        """The `data` of an answer of its API."""
        address = f"http://127.0.0.1:{self.settings['PAIRSTREAM_PROMETHEUS_PORT']}/api/v1/{path}"
        with urlopen(address, timeout=10) as answer:
            said = json.load(answer)
        if said["status"] != "success":
            raise ValueError(said)
        return said["data"]
