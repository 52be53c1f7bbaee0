"""The version of the installed distribution."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """As pip knows it, or `unknown` when run from a tree that was never installed."""
    try:
        return metadata.version("pairstream")
    except metadata.PackageNotFoundError:
        return "unknown"
