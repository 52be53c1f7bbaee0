"""Series: how accuracy moves along one setting (steps, or δ) while all others stay."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from trainer.probes.grouping import key_of, names_of, settings_of
from trainer.probes.intervals import Estimate
from trainer.probes.measure import Scored
from trainer.probes.report import ProbeReport, Result, combined


@dataclass(frozen=True, kw_only=True)
class Series:
    """What one experiment's layer reaches at each value of a setting, on one folder of recordings by one probe."""

    data: str
    probe: str
    name: str
    layer: str
    xs: tuple[float, ...]
    """Values of the setting, rising; at least two."""
    estimates: tuple[Estimate, ...]


def series_along(setting: str, report: ProbeReport, scored: Sequence[Scored]) -> list[Series]:
    """All series along `setting`, such as `step` or `spec.delta`, that have two points or more."""
    points: dict[tuple[str, str, Hashable, str], dict[float, list[Result]]] = {}
    others: dict[Hashable, dict[str, Hashable]] = {}
    for one, result in zip(scored, report.results, strict=True):  # a report has a result for each, in order
        subject = one.embedded.subject
        if not subject.trained or subject.plan is None:
            continue
        settings = settings_of(subject.plan, label=subject.label or None, step=subject.step)
        x = settings.pop(setting, None)
        if isinstance(x, int | float):
            key = key_of(settings)
            others[key] = settings
            place = (result.data, result.probe, key, one.embedded.layer)
            points.setdefault(place, {}).setdefault(float(x), []).append(result)
    names = dict(zip(others, names_of(list(others.values())), strict=True))
    return [
        Series(
            data=data,
            probe=probe,
            name=names[key] or "trained",
            layer=layer,
            xs=tuple(sorted(found)),
            estimates=tuple(combined(found[x]) for x in sorted(found)),
        )
        for (data, probe, key, layer), found in points.items()
        if len(found) > 1
    ]
