"""Keys as Kubernetes hands them to a pod: made by the commands of the README, mounted where the pods look for them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
import yaml
from keyring import Keyring
from manifests import FOLDER, Manifest, everything, kubectl, pods, surroundings

from pairstream.curve import CurvePair, read_public
from pairstream.errors import ConfigError
from pairstream.secret_files import read_secret
from synth_server.gates import AllowList

README = (FOLDER / "README.md").read_text()


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of keys that the README makes."""
    monkeypatch.chdir(tmp_path)
    (line,) = re.findall(r"synth-server (keys curve keys --clients .*)", README)
    from synth_server.cli import main

    assert main(line.split()) == 0
    return tmp_path / "keys"


def created() -> dict[str, Manifest]:
    """What the README's commands create, by its kind and name."""
    lines = re.findall(r"kubectl (-n pairstream create .*)", README)
    made = [yaml.safe_load(kubectl(*line.split(), "--dry-run=client", "-o", "yaml")) for line in lines]
    return {f"{item['kind']} {item['metadata']['name']}": item for item in made}


def test_the_readme_creates_what_the_pods_mount_and_no_more(keys: Path):
    mounted = set()
    for _, _, spec in pods(everything()):
        mounted |= {f"Secret {volume['secret']['secretName']}" for volume in spec["volumes"] if "secret" in volume}
        mounted |= {f"ConfigMap {volume['configMap']['name']}" for volume in spec["volumes"] if "configMap" in volume}
    assert set(created()) == mounted


def test_every_key_file_that_a_pod_names_is_one_that_the_readme_put_there(keys: Path):
    made = created()
    for _, _, spec in pods(everything()):
        held = {volume["name"]: made[f"Secret {volume['secret']['secretName']}"] for volume in spec["volumes"]
                if "secret" in volume}  # fmt: skip
        for container in spec["containers"]:
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            words = [*container["args"], *surroundings(container).values()]
            named = [Path(path) for word in words for path in re.findall(r"/etc/pairstream/[\w./]+\.\w+", word)]
            assert named
            for path in named:
                assert path.name in held[mounts[str(path.parent)]]["data"]


def test_no_pod_has_another_s_secret(keys: Path):
    made = created()
    assert {name: set(item["data"]) for name, item in made.items()} == {
        "Secret worker-curve": {"worker.secret"},
        "Secret trainer-curve": {"trainer.secret", "worker.public"},
        "Secret relay-curve": {"relay.secret", "worker.public"},
        "ConfigMap curve-allowed": {"trainer.public", "relay.public"},
    }


@pytest.mark.parametrize(
    ("owner", "reader", "mode", "read"),
    [
        (0, 10001, 0o440, True),  # a Secret's file in a pod with fsGroup
        (0, 10001, 0o444, False),
        (0, 10001, 0o460, False),
        (0, 0, 0o440, False),  # root needs no group to read what is root's
        (10001, 10001, 0o400, True),
        (10001, 10001, 0o440, False),
        (10002, 10001, 0o440, False),
    ],
)
def test_a_secret_is_read_if_only_its_reader_may_read_it_also_through_the_group(
    *, owner: int, reader: int, mode: int, read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "worker.secret"
    path.write_bytes(b"secret")
    held = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, 10001, 6, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _: held)
    monkeypatch.setattr(os, "geteuid", lambda: reader)
    if read:
        assert read_secret(path) == b"secret"
    else:
        with pytest.raises(ConfigError, match="others may read"):
            read_secret(path)


class MountedConfigMap:
    """A volume as the kubelet writes and updates it: files are links into a folder that is exchanged at one stroke."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._version = 0
        folder.mkdir()

    def update(self, files: dict[str, bytes]) -> None:
        self._version += 1
        data = self.folder / f"..{self._version}"
        data.mkdir()
        for name, held in files.items():
            (data / name).write_bytes(held)
        (self.folder / "..data_tmp").symlink_to(data.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.glob("[!.]*"):
            if link.name not in files:
                link.unlink()


def test_the_list_of_clients_follows_its_config_map(tmp_path: Path):
    ring = Keyring(tmp_path)
    ring.make_curve("trainer", "other")
    public = {path.name: path.read_bytes() for path in (tmp_path / "curve/allowed").iterdir()}
    keys = {name: read_public(tmp_path / "curve/allowed" / name) for name in public}
    volume = MountedConfigMap(tmp_path / "allowed")
    volume.update({"trainer.public": public["trainer.public"]})
    allowed = AllowList(volume.folder)
    assert keys["trainer.public"] in allowed
    assert keys["other.public"] not in allowed
    volume.update(public)
    assert set(keys.values()) <= {key for key in keys.values() if key in allowed}
    volume.update({"other.public": public["other.public"]})
    assert keys["other.public"] in allowed
    assert keys["trainer.public"] not in allowed
    other = CurvePair.new()
    volume.update({"other.public": other.public_file()})  # the same name, another key
    assert other.public in allowed
    assert keys["other.public"] not in allowed
