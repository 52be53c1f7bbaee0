"""Who came to a TLS port and got nowhere: gRPC turns clients away in the handshake, and tells nobody whom.

So everybody who is connected when a handshake begins is written down, and crossed out when gRPC names whoever asks
something. Who leaves without that was turned away, or never was a client: what is logged claims no more than that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from synth_server.complaints import Complaints
from synth_server.tcp_peers import Peer

_log = logging.getLogger(__name__)

#: Seconds between two looks, where handshakes come thick and fast.
SOONEST_SECONDS: Final = 0.01
#: Seconds after which gRPC will not name any more who has left.
GRACE_SECONDS: Final = 1.0


@dataclass
class _Caller:
    asked: bool = False
    left_at: float | None = None


class TlsCallers:
    """The callers of one port; any thread may tell of them.

    Args:
        connected: everybody who is connected to the port now.
        complaint: what to log of a host, once, behind its address.
    """

    def __init__(self, connected: Callable[[], set[Peer]], complaint: str) -> None:
        self._connected = connected
        self._complaint = complaint
        self._lock = Lock()
        self._callers: dict[Peer, _Caller] = {}
        self._looked_at = float("-inf")
        self._complaints = Complaints()

    def asked(self, peer: Peer) -> None:
        """gRPC says that somebody asked something, so it was let in."""
        with self._lock:
            self._callers.setdefault(peer, _Caller()).asked = True

    def look(self, now: float) -> None:
        """Write down who is here, and complain of those who have left and never asked anything."""
        with self._lock:  # whoever is asking has been written down before, or is seen now
            if now - self._looked_at < SOONEST_SECONDS:
                return
            self._looked_at = now
            here = self._connected()
            for peer in here:
                if peer in self._callers and self._callers[peer].left_at is not None:
                    self._settle(peer)  # another connection from the same port
                self._callers.setdefault(peer, _Caller())
            self._miss(here, now)

    def __len__(self) -> int:
        return len(self._callers)

    def _miss(self, here: set[Peer], now: float) -> None:
        for peer in self._callers.keys() - here:
            caller = self._callers[peer]
            if caller.left_at is None:
                caller.left_at = now
            if now - caller.left_at >= GRACE_SECONDS:
                self._settle(peer)

    def _settle(self, peer: Peer) -> None:
        if not self._callers.pop(peer).asked:
            level = logging.WARNING if self._complaints.first(peer.host.encode()) else logging.DEBUG
            _log.log(level, "a connection from %s %s", peer.host, self._complaint)
