"""Sessions: when a run was worked on, by what and where. A run that is resumed has several.

They stand in the run's config.json, under "sessions". One that was killed has no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pairstream.files import write_json
from trainer.provenance import provenance
from trainer.run_folder import RunFolder


def utc_now() -> datetime:
    """The time, for whoever does not say another clock."""
    return datetime.now(UTC)


@contextmanager
def session(folder: RunFolder, now: Callable[[], datetime] = utc_now) -> Iterator[None]:
    """Write down that a session begins, and how it ends: `done`, or the error that ended it."""
    begun = {"started": _written(now()), **provenance()}
    _append(folder, begun)
    outcome = "done"
    try:
        yield
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
        raise
    finally:
        _replace_last(folder, begun | {"ended": _written(now()), "outcome": outcome})


def _append(folder: RunFolder, entry: dict[str, Any]) -> None:
    config = folder.stored()
    write_json(folder.config, config | {"sessions": [*config.get("sessions", []), entry]})


def _replace_last(folder: RunFolder, entry: dict[str, Any]) -> None:
    config = folder.stored()
    write_json(folder.config, config | {"sessions": [*config.get("sessions", [])[:-1], entry]})


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
