#!/usr/bin/env python3
"""Print the lowest versions that pyproject.toml allows, of what is needed and of every extra, as constraints for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print one line a dependency; say so if one has no lowest version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    for line in sorted({re.sub(r"\[.*?\]", "", d) for d in wanted if not d.startswith(project["name"])}):
        name, _, lowest = line.partition(">=")
        if not lowest:
            raise SystemExit(f"pyproject.toml: {name} has no lowest version")
        print(f"{name}=={lowest}")


if __name__ == "__main__":
    main()
