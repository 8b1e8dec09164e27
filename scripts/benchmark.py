"""Run a benchmark on this machine: ``python scripts/benchmark.py roads --generator road_graphs.py``.

``--national`` before anything else is short for ``national``: every county of the country, from measured tasks.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
ROOMS = sorted(p.stem for p in (Path(__file__).resolve().parent / "benchmarks").glob("[a-z]*.py"))


def main() -> None:
    """Read the command line and run one room's benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="room", required=True)
    rooms = {room: import_module(f"benchmarks.{room}") for room in ROOMS}
    for room, module in rooms.items():
        module.add_arguments(commands.add_parser(room, help=module.__doc__))
    words = ["national" if word == "--national" else word for word in sys.argv[1:]]
    arguments = parser.parse_args(words)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    rooms[arguments.room].run(arguments)


if __name__ == "__main__":
    main()
