"""How a process logs: lines for a reader, or one JSON object a line for a machine. Standard library only.

A line of JSON has `time` (UTC), `level`, `logger` and `event`, and the event's own fields beside them:

    {"time": "2026-01-31T12:00:00.000Z", "level": "info", "logger": "…", "event": "ready", "seconds": 1.2}

What is logged as a sentence with values in it keeps both: the sentence as it stands in the source is the `event`,
so that lines of a kind can be counted; `message` is what a reader would have seen, and `values` what was put in.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


def configure(level: LogLevel, form: LogFormat) -> None:
    """Log to stderr, whatever was configured before."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(form == "json")


def structured() -> bool:
    """Whether this process logs JSON."""
    return any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers)


def event(logger: logging.Logger, name: str, **fields: Any) -> None:
    """Log that something happened, and its circumstances."""
    logger.info(name, extra={"fields": fields})


class Teller(Protocol):
    """Says what a command has come to: what, more of it for a reader, and the same in fields for a machine."""

    def __call__(self, what: str, more: str = "", **fields: Any) -> None:
        """Say it."""


def teller(logger: logging.Logger, form: LogFormat) -> Teller:
    """Of a command whose stdout is a log: lines there for a reader, or else events like all others."""

    def line(what: str, more: str = "", **fields: Any) -> None:
        sys.stdout.write(f"{what:8} {more}".rstrip() + "\n")
        sys.stdout.flush()

    def an_event(what: str, more: str = "", **fields: Any) -> None:
        event(logger, what, **fields)

    return an_event if form == "json" else line


class TextLines(logging.Formatter):
    """A sentence a line; an event's circumstances follow it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s%(circumstances)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 – logging's name
        """The line without a traceback."""
        fields = getattr(record, "fields", {})
        record.circumstances = "".join(f" {name}={value}" for name, value in fields.items())
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """One JSON object a line, whatever happens; what JSON does not know becomes text."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg),
        }
        if record.args:
            values = record.args if isinstance(record.args, tuple) else (record.args,)
            line |= {"message": record.getMessage(), "values": values}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(_plain(line), default=str, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """The value without those numbers that JSON does not have; they become null."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
