"""Measure reading of OpenStreetMap extracts against a bare pyosmium loop with locations: whole, clipped to a twentieth, memory."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks import _memory

if TYPE_CHECKING:
    import argparse

SHARE = 0.05
MODES = ("drive", "walk")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `reading` understands to its command."""
    parser.add_argument("extracts", type=Path, nargs="+", help="OpenStreetMap extracts")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--times", type=int, default=1, help="lay so many copies of an extract side by side first"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print a Markdown table: seconds of the bare loop, and how many times as long each reading takes (median of paired rounds)."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for extract in arguments.extracts:
            path = extract if arguments.times == 1 else _copied(extract, arguments.times, Path(folder))
            with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
                rows.append(pool.apply(measure, (path, arguments.rounds)))
    frame = pd.DataFrame(rows)
    lines = [frame.columns, ["---"] * frame.shape[1], *frame.itertuples(index=False)]
    print("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))


def measure(path: Path, rounds: int) -> dict[str, Any]:
    """Return one row of the table for one extract."""
    from sy_coverage import _osm, roads

    area, share = _twentieth(_osm.read_ways(path, keys=("highway",), wanted=frozenset({"highway"})))
    roads.read_osm(path, modes=MODES, area=area, buffer_m=0)
    bare, whole, clipped = [], [], []
    for _ in range(rounds):
        bare.append(_seconds(lambda: _bare(path)))
        clipped.append(_seconds(lambda: roads.read_osm(path, modes=MODES, area=area, buffer_m=0)) / bare[-1])
        whole.append(_seconds(lambda: roads.read_osm(path, modes=MODES)) / bare[-1])
    return {
        "extract": path.name,
        "MB": round(path.stat().st_size / 1e6, 1),
        "bare loop, s": round(statistics.median(bare), 2),
        "whole": f"{statistics.median(whole):.1f}×",
        f"clipped to {share:.0%}": f"{statistics.median(clipped):.1f}×",
        "peak, MiB": _memory.peak_mb(),
    }


def _seconds(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _bare(path: Path) -> None:
    import osmium

    stream = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for _ in stream.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)):
        pass


def _twentieth(ways: Any) -> tuple[Any, float]:
    """Return the square around the median of all ways that a twentieth of them begin in, and their share."""
    import shapely

    first = ways.lonlat[ways.start[:-1]]
    first = first[np.isfinite(first).all(axis=1)]
    middle = np.median(first, axis=0)
    away = np.abs(first - middle).max(axis=1)
    half = float(np.quantile(away, SHARE))
    return shapely.box(*(middle - half), *(middle + half)), float((away <= half).mean())


def _copied(extract: Path, times: int, folder: Path) -> Path:
    """Write `times` copies of an extract side by side, each with ids of its own, as a larger extract of real roads."""
    import osmium

    path = folder / f"{times}x-{extract.name}"
    step = 20_000_000_000
    with osmium.SimpleWriter(str(path)) as writer:
        for kind in (osmium.osm.NODE, osmium.osm.WAY):
            for k in range(times):
                for item in osmium.FileProcessor(str(extract), kind):
                    if kind == osmium.osm.NODE:
                        place = (item.location.lon + k % 8 * 0.6, item.location.lat + k // 8 * 0.6)
                        writer.add_node(item.replace(id=item.id + k * step, location=place))
                    else:
                        refs = [node.ref + k * step for node in item.nodes]
                        writer.add_way(item.replace(id=item.id + k * step, nodes=refs))
    print(f"{path.name}: {path.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
    return path
