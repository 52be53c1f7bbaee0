"""The requirements of an image, one a line: those of every process, and of the extras that are named.

Without the project itself, so that the layer that holds them is built again only when they change:

    python docker/packages.py pyproject.toml fused torchsynth
"""

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """What pip is to install. An extra of this project within an extra is named, not repeated, so say both."""
    project = tomllib.loads(pyproject.read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [line for line in lines if not line.startswith(project["name"])]


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(Path(sys.argv[1]), sys.argv[2:])) + "\n")
