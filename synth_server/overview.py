"""Tables of what workers do, from one survey and the one before it. Pure; `commands/status.py` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from synth_server.limits import MIB
from synth_server.survey import Report, Silence

#: What stands where nothing is known.
_UNKNOWN = "–"


@dataclass(frozen=True, kw_only=True)
class Following:
    """One experiment on one stream, over all workers that serve it."""

    digest: str
    name: str
    served: int
    waiting: int
    cursor: int | None
    lag: int | None
    """Blocks from the cursor to the head of the stream."""


def followings(reports: Sequence[Report]) -> list[Following]:
    """Every experiment on every stream: counts added up, the highest cursor, and how far that is from the head."""
    heads: dict[str, int] = {}
    found: dict[tuple[str, str], Following] = {}
    for report in reports:
        for stream in report.status.streams:
            if stream.HasField("head"):
                heads[stream.digest] = max(stream.head, heads.get(stream.digest, 0))
    for report in reports:
        for entry in report.status.experiments:
            before = found.get((entry.digest, entry.name))
            cursors = [before.cursor] if before and before.cursor is not None else []
            cursor = max([*cursors, *([entry.cursor] if entry.HasField("cursor") else [])], default=None)
            head = heads.get(entry.digest)
            found[entry.digest, entry.name] = Following(
                digest=entry.digest,
                name=entry.name,
                served=entry.blocks_served + (before.served if before else 0),
                waiting=entry.waiting + (before.waiting if before else 0),
                cursor=cursor,
                lag=None if cursor is None or head is None else max(0, head - cursor),
            )
    return sorted(found.values(), key=lambda following: (following.digest, following.name))


def overview(now: Sequence[Report | Silence], before: Sequence[Report | Silence] = ()) -> Group:
    """A row for each worker, and one for each experiment.

    Args:
        now: what they said.
        before: what they said some seconds ago, for the rates; empty if they were not asked.
    """
    earlier = {report.address: report for report in before if isinstance(report, Report)}
    reports = [report for report in now if isinstance(report, Report)]
    tables = [_workers(now, earlier)]
    if followed := followings(reports):
        tables.append(_experiments(followed, reports, earlier))
    return Group(*tables)


def _workers(now: Sequence[Report | Silence], earlier: Mapping[str, Report]) -> Table:
    table = Table(title="workers", title_justify="left")
    for column in ("worker", "state"):
        table.add_column(column, no_wrap=True)
    for column in ("streams", "clients", "queue", "window MiB", "rendered/s", "served/s", "sharing"):
        table.add_column(column, justify="right")
    for report in now:
        if isinstance(report, Silence):
            table.add_row(escape(report.address), f"[red]{escape(report.state)}[/red]", *[_UNKNOWN] * 7)
            continue
        status, before = report.status, earlier.get(report.address)
        table.add_row(
            escape(report.address),
            report.state + (" relay" if status.upstream else ""),
            str(len(status.streams)),
            str(status.clients),
            str(status.queue),
            f"{status.window_bytes // MIB} of {status.window_limit_bytes // MIB}",
            _rate(report, before, "blocks_rendered"),
            _rate(report, before, "blocks_served"),
            _sharing(status.blocks_served, status.blocks_rendered),
        )
    return table


def _experiments(followed: Sequence[Following], reports: Sequence[Report], earlier: Mapping[str, Report]) -> Table:
    table = Table(title="experiments", title_justify="left")
    for column in ("stream", "experiment"):
        table.add_column(column, no_wrap=True)
    for column in ("cursor", "lag", "waiting", "served", "served/s"):
        table.add_column(column, justify="right")
    for following in followed:
        rates = list(_rates_of(following, reports, earlier))
        table.add_row(
            following.digest[:12],
            escape(following.name),
            _UNKNOWN if following.cursor is None else str(following.cursor),
            _UNKNOWN if following.lag is None else str(following.lag),
            str(following.waiting),
            str(following.served),
            f"{sum(rates):.1f}" if rates else _UNKNOWN,
        )
    return table


def _rates_of(following: Following, reports: Sequence[Report], earlier: Mapping[str, Report]) -> Iterator[float]:
    for report in reports:
        before = earlier.get(report.address)
        seconds = _seconds(report, before)
        if before and seconds:
            yield (_served(report, following) - _served(before, following)) / seconds


def _served(report: Report, following: Following) -> int:
    return sum(
        entry.blocks_served
        for entry in report.status.experiments
        if (entry.digest, entry.name) == (following.digest, following.name)
    )


def _rate(report: Report, before: Report | None, count: str) -> str:
    seconds = _seconds(report, before)
    if not seconds or before is None:
        return _UNKNOWN
    return f"{(getattr(report.status, count) - getattr(before.status, count)) / seconds:.1f}"


def _seconds(report: Report, before: Report | None) -> float:
    """Between the two reports; 0 where the worker was started anew, or was not asked before."""
    return max(0.0, report.status.uptime_seconds - before.status.uptime_seconds) if before else 0.0


def _sharing(served: int, rendered: int) -> str:
    return f"{served / rendered:.2f}" if rendered else _UNKNOWN
