"""What can be known of the images and the services without an engine: nothing open, nothing missing, nothing twice."""

from __future__ import annotations

import re
import runpy
import tomllib
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import pytest
from images import ROOT, compose, settings

from synth_server.config import ServeSettings
from synth_server.listen.config import ListenSettings
from trainer.config import FitSettings

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILES = ["worker", "trainer"]
#: Of the variables of each command.
PREFIXES = {
    "SYNTH_SERVER_SERVE__": ServeSettings,
    "SYNTH_SERVER_LISTEN__": ListenSettings,
    "TRAINER_FIT__": FitSettings,
}


def dockerfile(name: str) -> str:
    return (ROOT / f"docker/{name}.Dockerfile").read_text()


def project() -> dict[str, Any]:
    parsed: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return parsed


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_do_what_it_need_not(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "memory" in service["deploy"]["resources"]["limits"]
    assert not {"privileged", "network_mode", "pid", "ipc", "cap_add", "devices"} & service.keys()
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_workers_can_be_many():
    worker = SERVICES["worker"]
    assert not {"container_name", "ports", "hostname"} & worker.keys()
    assert compose()["networks"]["stream"] == {"internal": True}
    assert worker["networks"] == ["stream"]


def test_the_profiles_are_those_of_the_readme():
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert profiles == {
        "worker": [],
        "trainer": [],
        "listen": [],
        "trainer-two": ["experiments"],
        "prometheus": ["observe"],
        "grafana": ["observe"],
    }


def test_both_experiments_follow_one_stream():
    one, two = ({**SERVICES[name]["environment"]} for name in ("trainer", "trainer-two"))
    assert one.keys() | {"TRAINER_FIT__START"} == two.keys()
    different = {name for name in one if one[name] != two[name]}
    assert different == {"TRAINER_FIT__RUN", "TRAINER_FIT__EXPERIMENT", "TRAINER_FIT__OBJECTIVE"}


def test_every_variable_is_explained_in_one_place_and_used():
    text = "".join(path.read_text() for path in sorted(ROOT.glob("docker-compose*.yml")))
    used = set(re.findall(r"\$\{(PAIRSTREAM_\w+)", text))
    assert used - {"PAIRSTREAM_REVISION"} == settings().keys()


@pytest.mark.parametrize("file", [path.name for path in sorted(ROOT.glob("docker-compose*.yml"))])
def test_every_setting_of_a_service_is_one_of_its_command(file: str):
    for service in compose(file)["services"].values():
        for variable in service.get("environment", {}):
            for prefix, cls in PREFIXES.items():
                if variable.startswith(prefix):
                    _must_have(cls, variable.removeprefix(prefix).lower().split("__"))


@pytest.mark.parametrize("name", DOCKERFILES)
def test_every_setting_of_an_image_is_one_of_its_command(name: str):
    for variable in re.findall(r"^ +(\w+__\w+)=", dockerfile(name), re.MULTILINE):
        (prefix,) = [prefix for prefix in PREFIXES if variable.startswith(prefix)]
        _must_have(PREFIXES[prefix], variable.removeprefix(prefix).lower().split("__"))


def _must_have(cls: type[Any], path: list[str]) -> None:
    assert path[0] in {field.name for field in fields(cls)}, f"{cls.__name__} has no {path[0]}"
    hint = get_type_hints(cls)[path[0]]
    if path[1:]:
        assert is_dataclass(hint)
        _must_have(hint, path[1:])  # type: ignore[arg-type]


def test_the_version_of_the_images_is_the_projects():
    assert settings()["PAIRSTREAM_VERSION"] == project()["version"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_needs_no_other_frontend_runs_as_nobody_and_can_be_asked_how_it_is(name: str):
    text = dockerfile(name)
    assert "# syntax" not in text
    last = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert "/healthz" in last
    assert 'org.opencontainers.image.version="$VERSION"' in last
    assert "pip install" not in last
    for command in re.findall(r"pip install [^&|\n]+", text):
        assert "--no-deps ." in command or "--constraint constraints.txt" in command


def test_what_is_installed_is_what_the_project_says_and_not_the_project():
    requirements = runpy.run_path(str(ROOT / "docker/packages.py"))["requirements"]
    worker = requirements(ROOT / "pyproject.toml", ["fused", "torchsynth"])
    trainer = requirements(ROOT / "pyproject.toml", ["trainer", "listen"])
    names = {kind: {re.split(r"[\[<>=; ]", line)[0] for line in lines} for kind, lines in
             (("worker", worker), ("trainer", trainer))}  # fmt: skip
    assert "pairstream" not in names["worker"] | names["trainer"]
    assert not {"pytorch-lightning", "scikit-learn", "tensorboard"} & names["worker"]
    assert not {"torchsynth", "numba"} & names["trainer"]
    for lines in (worker, trainer):
        assert set(project()["dependencies"]) <= set(lines)
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in constraints}
    assert {name.lower() for name in names["worker"] | names["trainer"]} <= pinned
