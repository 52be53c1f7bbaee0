"""Keys and certificates for tests, made by the command that users have for it."""

from __future__ import annotations

from pathlib import Path

from pairstream.credentials import Credentials
from synth_server.cli import main


class Keyring:
    """What `synth-server keys` makes in a folder, for clients of these names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_curve(self, *clients: str) -> None:
        assert main(["keys", "curve", str(self.folder / "curve"), "--clients", *clients]) == 0

    def make_tls(self, *clients: str) -> None:
        hosts = ["--hosts", "127.0.0.1", "localhost"]
        assert main(["keys", "tls", str(self.folder / "tls"), *hosts, "--clients", *clients]) == 0

    @property
    def curve_flags(self) -> dict[str, str]:
        """Settings of a worker."""
        folder = self.folder / "curve"
        return {"curve_key": str(folder / "worker.secret"), "curve_allowed": str(folder / "allowed")}

    @property
    def tls_flags(self) -> dict[str, str]:
        """Settings of a worker."""
        return self._tls("worker")

    def curve(self, client: str) -> Credentials:
        folder = self.folder / "curve"
        return Credentials(curve_key=str(folder / f"{client}.secret"), curve_server=str(folder / "worker.public"))

    def tls(self, client: str) -> Credentials:
        return Credentials(**self._tls(client))

    def _tls(self, name: str) -> dict[str, str]:
        folder = self.folder / "tls"
        pem, key, ca = folder / f"{name}.pem", folder / f"{name}.key", folder / "ca.pem"
        return {"tls_cert": str(pem), "tls_key": str(key), "tls_ca": str(ca)}
