"""Where an experiment stands in its stream, and which indices each of its ranks takes.

    W = 3        index   0 1 2 | 3 4 5 | 6 7 8 | …
                 rank    0 1 2 | 0 1 2 | 0 1 2

All ranks together take every index once, in order (the `exact` way to follow a stream). The position is
one integer for the whole experiment, so W may change from one run to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from pairstream.errors import CheckpointError, ConfigError


@dataclass(frozen=True, kw_only=True)
class Share:
    """Rank `rank` of `world` processes that share one experiment.

    Raises:
        ConfigError: the rank is not one of 0 … world - 1.
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise ConfigError(f"rank={self.rank} of world={self.world}; use a rank from 0 to world - 1")


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """`next` is the first index that the experiment, all its ranks together, has not yet taken."""

    next: int = 0

    def indices(self, share: Share) -> Iterator[int]:
        """What this rank takes from here on, without end."""
        return count(self.next + share.rank, share.world)

    def after(self, index: int, share: Share) -> Cursor:
        """The cursor once every rank has taken its part of the round in which this rank took `index`."""
        return Cursor(next=index - share.rank + share.world)

    def state_dict(self) -> dict[str, int]:
        """What a checkpoint keeps."""
        return {"next": self.next}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> Cursor:
        """The inverse of `state_dict`.

        Raises:
            CheckpointError: this is not the state of a cursor.
        """
        position = state.get("next")
        if isinstance(position, bool) or not isinstance(position, int) or position < 0:
            raise CheckpointError(f"the stream's state {dict(state)!r} has no index 'next'; it is not a cursor's state")
        return cls(next=position)
