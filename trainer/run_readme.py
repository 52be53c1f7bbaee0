"""README.md of a run folder: what was trained on what, how it went, and what can be done with it.

It shows every field of the plan, whatever the fields are, and no number that is not in the folder's other files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pairstream.files import write_text
from trainer.plan import Plan
from trainer.run_folder import RunFolder
from trainer.summary import Summary

FILES = """\
## Files

| | |
|---|---|
| `config.json` | plan, settings, and every session with its versions, commit, machine and command line |
| `metrics.jsonl` | the training, a record per line |
| `tensorboard/` | the same as curves, with a few sounds |
| `checkpoints/` | what the commands above read |
| `summary.json` | the numbers above, once the run has ended |
"""


def write_readme(folder: RunFolder, plan: Plan, summary: Summary | None = None) -> None:
    """Write it, or write it anew with what is known by now."""
    write_text(folder.path / "README.md", readme(folder, plan, folder.stored().get("sessions", []), summary))


def readme(folder: RunFolder, plan: Plan, sessions: Iterable[Mapping[str, Any]], summary: Summary | None) -> str:
    """The text. Without a summary the run has not ended yet, or was killed."""
    values = plan.as_dict()
    parts = [
        f"# {folder.path.name}\n\nA training run of Pairstream. It learned from {plan.data}; digest of the spec: "
        f"`{plan.spec.digest}`.\n",
        f"## How it went\n\n{_table(asdict(summary)) if summary else 'It has not come to its end.'}\n",
        _commands(folder),
        f"## Sessions\n\n{_sessions(sessions)}\n",
        f"## Stream\n\n{_table(values['spec'])}\n",
        f"## Data\n\n{_table(values['data'])}\n",
        f"## Recipe\n\n{_table(values['recipe'] | {'seed of the encoder': plan.seed})}\n",
        FILES,
    ]
    return "\n".join(parts)


def _commands(folder: RunFolder) -> str:
    run = folder.path
    return f"""\
## What can be done with it

```
trainer fit --run {run} --resume
trainer probe --checkpoint {run} --data FOLDER
trainer export --checkpoint {run} --to FOLDER
```
"""


def _table(values: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {_shown(value)} |" for name, value in values.items() if value is not None]
    return "\n".join(["| | |", "|---|---|", *rows])


def _sessions(sessions: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        f"| {session['started']} | {session.get('ended', '')} | {session.get('outcome', '')} | {_commit(session)} "
        f"| {session['machine']['processor']} | `{_in_a_cell(session['command'])}` |"
        for session in sessions
    ]
    return "\n".join(
        ["| started | ended | outcome | commit | processor | command |", "|---|---|---|---|---|---|", *rows]
    )


def _commit(session: Mapping[str, Any]) -> str:
    git = session.get("git")
    return f"{git['commit'][:12]}{' and changes' if git['dirty'] else ''}" if git else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _in_a_cell(text: str) -> str:
    return text.replace("|", "\\|")
