"""A bell that any thread may ring, to wake the one that waits in a poller."""

from __future__ import annotations

import contextlib
import socket


class Bell:
    """Rung by any thread, watched and silenced by one."""

    def __init__(self) -> None:
        self._hammer, self._ear = socket.socketpair()
        self._hammer.setblocking(False)
        self._ear.setblocking(False)

    def ring(self) -> None:
        """Wake the poller, now or when it waits next."""
        try:
            self._hammer.send(b"!")
        except BlockingIOError:
            return  # it has been rung so often already that one more is not needed
        except OSError:
            if self._hammer.fileno() >= 0:
                raise
            return  # it is closed: nobody listens any more

    def silence(self) -> None:
        """Forget that it was rung."""
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4_096)

    def fileno(self) -> int:
        """What a poller watches."""
        return self._ear.fileno()

    def close(self) -> None:
        """Release both ends; whoever rings from now on is not heard. Idempotent."""
        self._hammer.close()
        self._ear.close()
