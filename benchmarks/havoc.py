"""What befalls the workers of `benchmarks.chaos`: one is killed, another stopped, at random and by a timetable."""

from __future__ import annotations

import random
import time

import numpy as np
from rich.progress import Progress

from benchmarks.fleet import Worker

#: Seconds in which a worker's toy source makes a block.
BLOCK_SECONDS = 0.004
KILL_EVERY, STOP_EVERY, STOPPED_FOR = 2.0, 3.0, 1.0


class Chaos:
    """Kills and stops workers, each by its own timetable, and remembers when."""

    def __init__(self, fleet: list[Worker], dice: random.Random) -> None:
        self.kills: list[float] = []
        self.stops: list[float] = []
        self._fleet = fleet
        self._dice = dice
        self._stopped: int | None = None

    def kill(self) -> None:
        """One that is not stopped dies, and another is started in its place."""
        number = self._dice.choice([number for number in range(len(self._fleet)) if number != self._stopped])
        self.kills.append(time.monotonic())
        dead = self._fleet[number]
        dead.kill()
        self._fleet[number] = Worker(BLOCK_SECONDS, port=dead.port, grpc=dead.grpc, wait=False)

    def stop(self) -> None:
        """One goes mute."""
        self._stopped = self._dice.randrange(len(self._fleet))
        self.stops.append(time.monotonic())
        self._fleet[self._stopped].pause()

    def resume(self) -> None:
        """It speaks again."""
        if self._stopped is not None:
            self._fleet[self._stopped].resume()
            self._stopped = None


def wreak(chaos: Chaos, began: float, seconds: float, progress: Progress) -> None:
    """Everything that happens to the workers, in its time."""
    deeds = [(when, chaos.kill) for when in np.arange(KILL_EVERY, seconds - 1, KILL_EVERY)]
    for when in np.arange(STOP_EVERY, seconds - STOPPED_FOR, STOP_EVERY):
        deeds += [(when + 0.3, chaos.stop), (when + 0.3 + STOPPED_FOR, chaos.resume)]
    task = progress.add_task("", total=seconds)
    for when, deed in [*sorted(deeds, key=lambda deed: deed[0]), (seconds, chaos.resume)]:
        while (now := time.monotonic() - began) < when:
            time.sleep(min(0.1, when - now))
            state = f"{len(chaos.kills)} killed, {len(chaos.stops)} stopped"
            progress.update(task, completed=now, description=state)
        deed()
    progress.update(task, completed=seconds)
