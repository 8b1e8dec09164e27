#!/usr/bin/env python3
"""Write constraints.txt: the exact version, in this environment, of everything the package and its extras need."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def needed(name: str, extras: frozenset[str], seen: dict[str, str], missing: set[str]) -> None:
    """Add `name` and all it needs here to `seen`."""
    from packaging.requirements import Requirement

    try:
        found = distribution(name)
    except PackageNotFoundError:
        missing.add(name)
        return
    key = re.sub(r"[-_.]+", "-", found.name).lower()
    if key in seen and not extras:
        return
    seen[key] = found.version
    for line in found.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            needed(requirement.name, frozenset(requirement.extras), seen, missing)


def main() -> None:
    """Write the file; say what is not installed here and so not pinned."""
    own = distribution("sy-coverage")
    extras = frozenset(own.metadata.get_all("Provides-Extra") or ())
    seen: dict[str, str] = {}
    missing: set[str] = set()
    needed("sy-coverage", extras | {""}, seen, missing)
    seen.pop("sy-coverage")
    lines = [f"{name}=={version}" for name, version in sorted(seen.items())]
    header = "# The versions this release was tested with; scripts/pin.py writes this file.\n"
    (ROOT / "constraints.txt").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} versions pinned")
    if missing:
        print(f"not installed here, so not pinned: {', '.join(sorted(missing))}", file=sys.stderr)


if __name__ == "__main__":
    main()
