"""`trainer export`: write, then say of each file how it was checked."""

from __future__ import annotations

from trainer.config import ExportSettings
from trainer.export.export import Written, export


def run(settings: ExportSettings) -> None:
    """Export, and list the files."""
    files = export(settings)
    print(f"{settings.to}: config.json and README.md say what is in it")
    for item in files:
        print(_line(item))


def _line(item: Written) -> str:
    found = item.agreement
    return (
        f"  {item.name}: {item.bytes / 1e6:.1f} MB, as the live model on {found.sounds} sounds "
        f"(largest difference {found.difference:.1e}, {found.tolerance:.0e} allowed)"
    )
