"""Files that hold a secret, and files that come with them: read with care, made with care.

What is in them is the affair of `curve.py` and `tls.py`.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pairstream.errors import ConfigError

#: No key and no certificate is longer than this, in bytes.
MAX_BYTES = 1 << 20


def read_file(path: Path) -> bytes:
    """What is in a file that may be public.

    Raises:
        ConfigError: it cannot be read, or is far too long.
    """
    try:
        with path.open("rb") as file:
            held = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; `synth-server keys` makes such files") from error
    if len(held) > MAX_BYTES:
        raise ConfigError(f"{path} has more than {MAX_BYTES} bytes and is no key or certificate; name another file")
    return held


def read_secret(path: Path) -> bytes:
    """What is in a file that nobody but its owner may read.

    Of a file of root's, the group may read, too: so Kubernetes hands a secret to a process that is not root.

    Raises:
        ConfigError: as of `read_file`, or others may read it.
    """
    held = read_file(path)
    state = path.stat()
    mode, given = state.st_mode, state.st_uid == 0 and os.geteuid() != 0
    if mode & (stat.S_IRWXG | stat.S_IRWXO) & ~(stat.S_IRGRP if given else 0):
        raise ConfigError(f"{path} is a secret that others may read (mode {mode & 0o777:o}); run `chmod 600 {path}`")
    return held


def write_new(path: Path, held: bytes, *, secret: bool) -> None:
    """A file that was not there before, with mode 600 if it is secret, else 644; folders are made, for their owner.

    Raises:
        ConfigError: there is such a file, or it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(held)
    except FileExistsError as error:
        raise ConfigError(
            f"{path} is there already, and keys are never overwritten; choose another name or folder"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}; choose another folder") from error
