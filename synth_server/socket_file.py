"""The file of a Unix socket that a worker wants to listen on: what to do with one that is there already."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from pairstream.errors import BindError


def make_way(path: Path) -> None:
    """Remove the socket of a worker that was killed.

    Raises:
        BindError: a worker lives there, it is another kind of file, or there is no such folder.
    """
    if not path.parent.is_dir():
        raise BindError(f"cannot serve pairs on ipc://{path}: there is no folder {path.parent}; make it")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BindError(f"cannot serve pairs on ipc://{path}: that file is no socket; choose another --bind")
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise BindError(f"cannot serve pairs on ipc://{path}: {error}; choose another --bind") from error
    raise BindError(f"cannot serve pairs on ipc://{path}: another worker listens there; choose another --bind")
